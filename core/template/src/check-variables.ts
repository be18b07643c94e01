import { findCycles } from "./check-needs.ts";
import { type DeclaredVariable, environmentOf, referencesOf, referenceTarget } from "./environment.ts";
import { at, own, type Path } from "./faults.ts";
import { exists, namesIn, type Subject, suggest } from "./subject.ts";
import type { EnvValue } from "./values.ts";
import { splitText } from "./variables.ts";

/** `${NAME}` must mean something and not go in a circle; connection info of what is needed must not disagree. */
export function checkVariables(subject: Subject): void {
  const graph = new Map<string, string[]>();
  for (const component of Object.keys(subject.app.components)) {
    const environment = environmentOf(subject.app.components, component);
    const known = areNeedsRight(subject, component)
      ? new Set([...environment.keys(), ...writtenNames(subject, component)])
      : undefined;
    for (const place of ["env", "connection"] as const) {
      for (const [name, value] of Object.entries(own(subject.app.components, component)?.[place] ?? {})) {
        if (typeof value === "string")
          checkText(subject, { path: ["components", component, place, name], text: value, known });
        graph.set(
          keyOf({ component, place, name }),
          referencesOf(value).flatMap((reference) => {
            const declared = referenceTarget(environment, {
              from: { component, place, name },
              name: reference,
            });
            return declared === undefined ? [] : [keyOf(declared)];
          }),
        );
      }
    }
    for (const [file, { content, expand }] of Object.entries(
      own(subject.app.components, component)?.files ?? {},
    )) {
      const path = ["components", component, "files", file, "content"];
      if (expand === true) checkText(subject, { path, text: content, known });
    }
    checkAgreement(subject, component);
  }
  for (const cycle of findCycles(graph)) reportCycle(subject, cycle);
}

/** Names as written, so that a variable whose value is at fault is still known. */
function writtenNames(subject: Subject, component: string): string[] {
  const needs = own(subject.app.components, component)?.needs ?? [];
  return [component, ...needs].flatMap((name) => [
    ...namesIn(subject, ["components", name, "connection"]),
    ...(name === component ? namesIn(subject, ["components", name, "env"]) : []),
  ]);
}

/** A need that is misspelt would make every variable from it unknown: that is one mistake, said once. */
function areNeedsRight(subject: Subject, component: string): boolean {
  const path = ["components", component, "needs"];
  const needs = at(subject.written, path) ?? [];
  if (!Array.isArray(needs)) return false;
  return needs.every((name) => typeof name === "string" && exists(subject, ["components", name]));
}

function checkText(
  subject: Subject,
  { path, text, known }: { path: Path; text: string; known: ReadonlySet<string> | undefined },
): void {
  for (const part of splitText(text)) {
    if (part.kind === "broken")
      subject.faults.push({
        path,
        message: `\`${part.text.slice(0, 60)}\` is no variable; write \`$\${\` where \`\${\` is meant as text`,
      });
    if (part.kind !== "variable" || known === undefined || known.has(part.name)) continue;
    const word = suggest(subject, part.name, known);
    const hint =
      word === undefined ? "; neither its own env nor what it needs has that" : `, did you mean \`${word}\`?`;
    subject.faults.push({ path, message: `\`\${${part.name}}\` is not known here${hint}` });
  }
}

function keyOf({ component, place, name }: Omit<DeclaredVariable, "value">): string {
  return `${component}.${place}.${name}`;
}

function reportCycle(subject: Subject, cycle: readonly string[]): void {
  const path = ["components", ...cycle[0]!.split(".")];
  const first = path.at(-1);
  const message =
    cycle.length === 1
      ? `\`\${${first}}\` refers to itself`
      : `refers to itself in a circle: ${[...cycle, cycle[0]].join(" → ")}`;
  subject.faults.push({ path, message });
}

/** Two needed components that offer one name with different values: which is meant cannot be known. Its own env overrules both. */
function checkAgreement(subject: Subject, component: string): void {
  const { components } = subject.app;
  const self = own(components, component);
  const offers = new Map<string, { from: string; value: EnvValue }>();
  for (const needed of [...new Set(self?.needs)].sort()) {
    for (const [name, value] of Object.entries(own(components, needed)?.connection ?? {})) {
      const earlier = offers.get(name);
      if (earlier === undefined) offers.set(name, { from: needed, value });
      else if (!isSameEverywhere(earlier.value, value) && !overrules(subject, component, name))
        subject.faults.push({
          path: ["components", component, "needs"],
          message: `\`${earlier.from}\` and \`${needed}\` both offer \`${name}\`, with different values; rename one, or set it in the env of \`${component}\``,
        });
    }
  }
}

function overrules(subject: Subject, component: string, name: string): boolean {
  return exists(subject, ["components", component, "env", name]);
}

/** Texts with references, and generated values, differ from component to component even when they are written alike. */
function isSameEverywhere(a: EnvValue, b: EnvValue): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b && referencesOf(a).length === 0;
  return !("generate" in a) && JSON.stringify(a) === JSON.stringify(b);
}
