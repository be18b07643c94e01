import type { z } from "zod";
import { alternatives, at, type Path, type PathKey, type PlacedFault } from "./faults.ts";
import { nearest } from "./nearest.ts";
import { describeSchemas, keysOf, schemasAt } from "./schema-words.ts";

type Issue = z.core.$ZodIssue;
type Union = z.core.$ZodIssueInvalidUnion;

/** Says what a schema found wrong in words that a person understands: what was expected, and what was found. */
export class IssueWords {
  readonly #schema: z.core.$ZodType;
  readonly #value: unknown;

  constructor(schema: z.core.$ZodType, value: unknown) {
    this.#schema = schema;
    this.#value = value;
  }

  faults(issues: readonly Issue[]): PlacedFault[] {
    const faults = issues.flatMap((issue) => this.#faultsOf(issue, issue.path as PathKey[]));
    // A misspelt key leaves the right one missing: that is one mistake, said once.
    const meant = new Set(
      faults.flatMap(({ meant }) => (meant === undefined ? [] : [JSON.stringify(meant)])),
    );
    return faults
      .filter(({ path, missing }) => !(missing && meant.has(JSON.stringify(path))))
      .map(({ path, message }) => ({ path, message }));
  }

  #faultsOf(issue: Issue, path: Path): WordedFault[] {
    // Whatever was written as a secret stays out of messages.
    const found = path.at(-1) === "secret" ? SECRET : at(this.#value, path);
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => this.#unknownKey(path, key));
    if (issue.code === "invalid_union" && issue.errors.length > 0) return this.#union(issue, path, found);
    if (issue.code === "custom") return [{ path, message: issue.message }];
    if (issue.code === "invalid_key") {
      const rules = issue.issues.map(({ message }) => message);
      return [{ path, message: `not usable as a name: ${rules.join("; ")}` }];
    }
    if (found === undefined)
      return [{ path, message: `missing: give ${this.#expected(path)}`, missing: true }];
    return [{ path, message: this.#message(issue, path, found) }];
  }

  #message(issue: Issue, path: Path, found: unknown): string {
    switch (issue.code) {
      case "invalid_type":
        return `expected ${this.#expected(path)}, found ${show(found)}${quoteHint(issue.expected, found)}`;
      case "invalid_value":
      case "invalid_union": {
        const values = (issue.code === "invalid_value" ? issue.values : optionsOf(issue)).map(String);
        const meant = typeof found === "string" ? nearest(found, values) : undefined;
        return `expected ${alternatives(values)}, found ${show(found)}${meant ? `; did you mean \`${meant}\`?` : ""}`;
      }
      case "too_big":
        return `${measure(issue.origin, found)}; at most ${issue.maximum}${unit(issue.origin)} allowed`;
      case "too_small":
        return `${measure(issue.origin, found)}; at least ${issue.minimum}${unit(issue.origin)} needed`;
      case "invalid_format":
        return `${issue.message.startsWith("Invalid") ? `expected the form ${issue.pattern ?? issue.format}` : issue.message}; found ${show(found)}`;
      default:
        return issue.message;
    }
  }

  #unknownKey(path: Path, key: string): WordedFault {
    const known = keysOf(schemasAt(this.#schema, this.#value, path));
    const word = nearest(key, known);
    const place = [...path, key];
    if (word !== undefined)
      return {
        path: place,
        message: `unknown key \`${key}\`, did you mean \`${word}\`?`,
        meant: [...path, word],
      };
    const hint = known.length === 0 ? "" : `; known are ${known.sort().join(", ")}`;
    return { path: place, message: `unknown key \`${key}\`${hint}` };
  }

  /** Takes the form that the writer most likely meant, and says what is wrong with that. */
  #union(issue: Union, path: Path, found: unknown): WordedFault[] {
    const close = issue.errors
      .filter(
        (issues) => !issues.some((inner) => inner.path.length === 0 && inner.code !== "unrecognized_keys"),
      )
      .filter(
        (issues) =>
          !issues.some((inner) => inner.code === "unrecognized_keys" || this.#isMissing(inner, path)),
      )
      .sort((a, b) => a.length - b.length)[0];
    if (close !== undefined)
      return close.flatMap((inner) => this.#faultsOf(inner, [...path, ...(inner.path as PathKey[])]));
    const ofOneForm = issue.errors.filter(
      (issues) => !issues.some((inner) => inner.code === "invalid_type" && inner.path.length === 0),
    );
    const whole = ofOneForm.length === 1 ? ofOneForm[0] : undefined;
    if (whole !== undefined)
      return whole.flatMap((inner) => this.#faultsOf(inner, [...path, ...(inner.path as PathKey[])]));
    const unknown = this.#misspelt(issue, path);
    if (unknown !== undefined) return [unknown];
    return [
      {
        path,
        message: `expected ${this.#expected(path)}; found ${show(found)}${quoteHint("string", found)}`,
      },
    ];
  }

  #isMissing(inner: Issue, path: Path): boolean {
    return at(this.#value, [...path, ...(inner.path as PathKey[])]) === undefined;
  }

  #misspelt(issue: Union, path: Path): WordedFault | undefined {
    const keys = issue.errors
      .flat()
      .flatMap((inner) => (inner.code === "unrecognized_keys" ? inner.keys : []));
    const known = keysOf(schemasAt(this.#schema, this.#value, path));
    const key = keys.find((one) => !known.includes(one) && nearest(one, known) !== undefined);
    return key === undefined ? undefined : this.#unknownKey(path, key);
  }

  #expected(path: Path): string {
    return describeSchemas(schemasAt(this.#schema, this.#value, path));
  }
}

interface WordedFault extends PlacedFault {
  readonly missing?: boolean;
  /** For a misspelt key: the path that it stands for. */
  readonly meant?: Path;
}

const SHOWN_LENGTH_MAX = 60;
const SECRET: unknown = Symbol("a secret");

/** What was found, short. */
function show(found: unknown): string {
  if (found === undefined || found === null) return "nothing";
  if (found === SECRET) return "something else";
  if (Array.isArray(found)) return "a list";
  if (typeof found === "object") {
    const keys = Object.keys(found).slice(0, 5);
    return keys.length === 0
      ? "an empty mapping"
      : `a mapping with ${keys.map((key) => `\`${key}\``).join(", ")}`;
  }
  const text = String(found);
  const short = text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
  return typeof found === "string"
    ? `"${short}"`
    : `the ${typeof found === "number" ? "number" : "value"} ${short}`;
}

function quoteHint(expected: string, found: unknown): string {
  const isPlain = typeof found === "number" || typeof found === "boolean";
  if (expected === "string" && isPlain) return ` (write it in quotes: "${String(found)}")`;
  if (expected === "number" && typeof found === "string" && /^-?\d+(\.\d+)?$/.test(found))
    return " (write it without quotes)";
  return "";
}

function measure(origin: string, found: unknown): string {
  if (origin === "string" && typeof found === "string")
    return `${found.length === 0 ? "empty" : `${found.length} characters`}`;
  if (origin === "array" && Array.isArray(found))
    return found.length === 0 ? "empty" : `${found.length} items`;
  return `found ${show(found)}`;
}

function unit(origin: string): string {
  return origin === "string" ? " characters are" : origin === "array" ? " items are" : " is";
}

/** The library puts them there for discriminated unions; its types do not say so. */
function optionsOf(issue: Union): readonly unknown[] {
  return "options" in issue && Array.isArray(issue.options) ? issue.options : [];
}
