import { at, type Path } from "./faults.ts";
import { checkAnswer } from "./parameter-rules.ts";
import { parameterUses } from "./parameter-uses.ts";
import { sizeBytes } from "./primitives.ts";
import { mustExist, type Subject } from "./subject.ts";
import { readPattern } from "./value-pattern.ts";
import type { Parameter } from "./values.ts";

/** Parameters must be able to hold what they say, and those that are used must be there. */
export function checkParameters(subject: Subject): void {
  for (const [name, parameter] of Object.entries(subject.app.parameters ?? {}))
    checkParameter(subject, ["parameters", name], parameter);
  const used = new Set<string>();
  for (const { name, path, needsInt } of parameterUses(subject.app)) {
    used.add(name);
    if (!mustExist(subject, { path, noun: "parameter", section: ["parameters"], name })) continue;
    const type = at(subject.written, ["parameters", name, "type"]);
    if (needsInt && typeof type === "string" && type !== "int")
      subject.faults.push({
        path,
        message: `a port number is needed here; \`${name}\` is of type ${type}, not int`,
      });
  }
  // Where something was cut off, it may have used any of them.
  for (const name of subject.isWhole ? Object.keys(subject.app.parameters ?? {}) : []) {
    if (!used.has(name))
      subject.warnings.push({
        path: ["parameters", name],
        message: "is used nowhere, so nobody will be asked for it",
      });
  }
}

function checkParameter(subject: Subject, path: Path, parameter: Parameter): void {
  const fault = (key: string, message: string) => subject.faults.push({ path: [...path, key], message });
  if (parameter.type === "string" && parameter.pattern !== undefined) {
    const reading = readPattern(parameter.pattern);
    if (reading.kind === "fault") {
      fault("pattern", reading.message);
      return;
    }
  }
  if (parameter.type === "string" || parameter.type === "password") {
    if ((parameter.minLength ?? 0) > (parameter.maxLength ?? Number.POSITIVE_INFINITY))
      fault("minLength", "is greater than maxLength");
  }
  if (parameter.type === "int" && isGreater(parameter.min, parameter.max))
    fault("min", "is greater than max");
  if (parameter.type === "size") {
    const [min, max] = [parameter.min, parameter.max].map((size) =>
      size === undefined ? undefined : sizeBytes(size),
    );
    if (isGreater(min, max)) fault("min", "is greater than max");
  }
  if (parameter.type === "enum" && new Set(parameter.options).size < parameter.options.length)
    fault("options", "has the same option twice");
  const given = "default" in parameter ? parameter.default : undefined;
  if (given === undefined) return;
  const result = checkAnswer(parameter, given);
  if (result.kind === "fault") fault("default", `breaks the parameter's own rule: it ${result.message}`);
}

function isGreater(min: number | undefined, max: number | undefined): boolean {
  return min !== undefined && max !== undefined && min > max;
}
