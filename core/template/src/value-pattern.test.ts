import fc from "fast-check";
import { expect, test } from "vitest";
import { checkParameters } from "./index.ts";
import { readPattern } from "./value-pattern.ts";

function matches(pattern: string, value: string): boolean | string {
  const reading = readPattern(pattern);
  return reading.kind === "fault" ? reading.message : reading.matchesWhole(value);
}

const LONG = 100_000;

// With a backtracking matcher none of these would end within the test's time limit.
test.each([
  ["(a+)+$", "a".repeat(LONG), true],
  ["(a+)+$", `${"a".repeat(LONG)}!`, false],
  ["(a|a)*b", "a".repeat(LONG), false],
  ["(.*)*x", "a".repeat(LONG), false],
  ["([a-z]+)*\\d", "z".repeat(LONG), false],
  ["(\\w+\\s?)*!", "word ".repeat(LONG / 5), false],
])("%s is matched in bounded time, however long the value is", (pattern, value, expected) => {
  expect(matches(pattern, value)).toBe(expected);
});

test.each([
  ["a|bc", "bc", true],
  ["a|bc", "abc", false],
  ["[^@]+@[^@]+", "shop@example.org", true],
  ["^x$", "x", true],
  ["x", "x\n", false],
  [".", "舢", true],
  [".", "🚢", true],
  ["[\\u4e00-\\u9fa5]{2,4}", "舢板", true],
  ["\\u{1F6A2}", "🚢", true],
  ["\\p{L}+", "ünï", true],
  ["(?<year>\\d{4})-\\d\\d", "2026-01", true],
  ["https?:\\/\\/[\\w.-]+", "https://example.org", true],
  ["", "", true],
  ["[", "", "is not a regular expression"],
  ["a**", "", "is not a regular expression"],
  ["\\Z", "", "is not a regular expression"],
  ["(?=.*\\d).+", "", "without lookahead"],
  ["(?<!a)b", "", "without lookahead"],
  ["(a)\\1", "", "without lookahead"],
  ["a{1,1001}", "", "no repetition of more than 1000"],
  ["((a{1,1000}){1,1000}){1,1000}", "", "bounded time"],
  ["([a-z]{1,500}){2}", "", "too costly"],
] as const)("%s and %j: %s", (pattern, value, expected) => {
  const found = matches(pattern, value);
  if (typeof expected === "string") expect(found).toContain(expected);
  else expect(found).toBe(expected);
});

test("an answer that is too long is refused before it is matched", () => {
  const parameter = { type: "string", pattern: "(a+)+$" } as const;
  const { faults } = checkParameters({ p: parameter }, { p: "a".repeat(LONG) });
  expect(faults).toEqual([{ path: "parameters.p", message: expect.stringContaining("at most 4096") }]);
});

test("ordinary patterns mean what they mean in JavaScript", () => {
  const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", "\\d", "\\w", "(?:ab|b)", "(a)", "\\.", "$", "^");
  const piece = fc
    .tuple(atom, fc.constantFrom("", "*", "+", "?", "{1,2}", "*?"))
    .map(([one, many]) => (one === "$" || one === "^" ? one : `${one}${many}`));
  const pattern = fc.array(
    fc.array(piece, { maxLength: 4 }).map((one) => one.join("")),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  const value = fc.string({ unit: fc.constantFrom("a", "b", "1", "."), maxLength: 8 });
  fc.assert(
    fc.property(pattern, value, (alternatives, text) => {
      const written = alternatives.join("|");
      expect(matches(written, text)).toBe(new RegExp(`^(?:${written})$`, "u").test(text));
    }),
  );
});
