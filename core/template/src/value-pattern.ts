import { RE2JS } from "re2js";

/** A pattern that can be matched, or why it cannot: half a sentence, as in "pattern: is not a regular expression". */
export type PatternReading =
  | { readonly kind: "pattern"; readonly matchesWhole: (value: string) => boolean }
  | { readonly kind: "fault"; readonly message: string };

/** RE2's measure of an expression's cost: time for a match is at most this times the length of the value. */
const COST_MAX = 1000;

/**
 * Reads a pattern that came with an app: it is matched in time linear in the value, whatever it is. It has to be valid both as a
 * JavaScript regular expression (flag u) and in RE2 syntax (https://github.com/google/re2/wiki/Syntax), whose meaning counts.
 */
export function readPattern(pattern: string): PatternReading {
  try {
    // Only read, never run: what it would match, and for how long, does not matter.
    new RegExp(pattern, "u");
  } catch {
    return { kind: "fault", message: "is not a regular expression" };
  }
  const matcher = compile(pattern);
  if (matcher === undefined)
    return {
      kind: "fault",
      message:
        "cannot be matched in bounded time: write it without lookahead, lookbehind and backreferences, with no repetition of more than 1000",
    };
  if (matcher.programSize() > COST_MAX)
    return {
      kind: "fault",
      message:
        "is too costly to match: use fewer or smaller repetitions; minLength and maxLength cost nothing",
    };
  return { kind: "pattern", matchesWhole: (value) => matcher.matches(value) };
}

function compile(pattern: string): RE2JS | undefined {
  try {
    // Writes `\u4e00` and `(?<name>…)` as RE2 has them.
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch {
    return undefined;
  }
}
