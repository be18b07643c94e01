import { sizeBytes } from "./primitives.ts";
import { readPattern } from "./value-pattern.ts";
import type { Parameter, ParameterValue } from "./values.ts";

export type RuleResult =
  | { readonly kind: "value"; readonly value: ParameterValue }
  | { readonly kind: "fault"; readonly message: string };

/**
 * Checks one answer against its parameter. Texts are taken as their type: "8080" for an int, "true", "yes" and "on" for a bool.
 * Messages never hold a password.
 */
export function checkAnswer(parameter: Parameter, answer: unknown): RuleResult {
  switch (parameter.type) {
    case "string":
      return checkText(answer, parameter) ?? checkPattern(parameter.pattern, String(answer));
    case "password":
      return checkText(answer, parameter) ?? right(String(answer));
    case "int":
      return checkInt(answer, parameter);
    case "bool":
      return checkBool(answer);
    case "enum":
      return typeof answer === "string" && parameter.options.includes(answer)
        ? right(answer)
        : wrong(`must be one of ${parameter.options.join(", ")}`);
    case "size":
      return checkSize(answer, parameter);
  }
}

const TEXT_LENGTH_MAX = 4096;

function checkText(
  answer: unknown,
  rule: { readonly minLength?: number | undefined; readonly maxLength?: number | undefined },
): RuleResult | undefined {
  if (typeof answer !== "string") return wrong("must be text");
  const max = Math.min(rule.maxLength ?? TEXT_LENGTH_MAX, TEXT_LENGTH_MAX);
  if (answer.length > max) return wrong(`has ${answer.length} characters; at most ${max} are allowed`);
  if (answer.length < (rule.minLength ?? 0))
    return wrong(`has ${answer.length} characters; at least ${rule.minLength} are needed`);
  if (answer.includes("\0") || !answer.isWellFormed())
    return wrong("holds characters that no process can receive");
  return undefined;
}

function checkPattern(pattern: string | undefined, answer: string): RuleResult {
  if (pattern === undefined) return right(answer);
  const reading = readPattern(pattern);
  if (reading.kind === "fault") return wrong(`cannot be checked: ${pattern} ${reading.message}`);
  return reading.matchesWhole(answer) ? right(answer) : wrong(`must match ${pattern}`);
}

function checkInt(
  answer: unknown,
  rule: { readonly min?: number | undefined; readonly max?: number | undefined },
): RuleResult {
  const number = typeof answer === "string" && /^\s*[+-]?\d{1,16}\s*$/.test(answer) ? Number(answer) : answer;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) return wrong("must be a whole number");
  if (rule.min !== undefined && number < rule.min)
    return wrong(`is ${number}; at least ${rule.min} is needed`);
  if (rule.max !== undefined && number > rule.max)
    return wrong(`is ${number}; at most ${rule.max} is allowed`);
  // -0 is written as 0.
  return right(number + 0);
}

function checkBool(answer: unknown): RuleResult {
  if (typeof answer === "boolean") return right(answer);
  const word = typeof answer === "string" ? answer.trim().toLowerCase() : "";
  if (["true", "yes", "on", "1"].includes(word)) return right(true);
  if (["false", "no", "off", "0"].includes(word)) return right(false);
  return wrong("must be true or false");
}

function checkSize(
  answer: unknown,
  rule: { readonly min?: string | undefined; readonly max?: string | undefined },
): RuleResult {
  const bytes = typeof answer === "string" ? sizeBytes(answer) : Number.NaN;
  if (typeof answer !== "string" || Number.isNaN(bytes))
    return wrong("must be a size such as 128MiB or 2GiB");
  if (rule.min !== undefined && bytes < sizeBytes(rule.min))
    return wrong(`is ${answer}; at least ${rule.min} is needed`);
  if (rule.max !== undefined && bytes > sizeBytes(rule.max))
    return wrong(`is ${answer}; at most ${rule.max} is allowed`);
  return right(answer);
}

function right(value: ParameterValue): RuleResult {
  return { kind: "value", value };
}

function wrong(message: string): RuleResult {
  return { kind: "fault", message };
}
