import fc from "fast-check";
import { expect, test } from "vitest";
import { anyApp } from "./arbitrary.ts";
import { canonicalText } from "./canonical-text.ts";

const EXACT: readonly (readonly [unknown, string])[] = [
  [null, "null"],
  [{}, "{}"],
  [{ b: 1, a: [true, null, "x"], c: undefined }, '{"a":[true,null,"x"],"b":1}'],
  [{ "10": 1, "9": 2, é: 3, Z: 4, a: 5 }, '{"10":1,"9":2,"Z":4,"a":5,"é":3}'],
  [-0, "0"],
  [0.1, "0.1"],
  [1e21 / 1e6, "1000000000000000"],
  ['\u2028\n"\u0007', '"\u2028\\n\\"\\u0007"'],
];

test.each(EXACT)("the canonical text of %j is exact", (value, text) => {
  expect(canonicalText(value)).toBe(text);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "\ud800", new Date(0), 1n, [undefined], () => 1])(
  "what has no exact text is a bug: %s",
  (value) => {
    expect(() => canonicalText(value)).toThrow("canonical text");
  },
);

test("texts and keys are written as JSON writes them, and keys sorted as texts, however many", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(canonicalText(text)).toBe(JSON.stringify(text));
    }),
  );
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 60 }), (keys) => {
      const members = keys.toSorted().map((key) => `${JSON.stringify(key)}:1`);
      const value = Object.fromEntries(keys.map((key) => [key, 1]));
      expect(canonicalText(value)).toBe(`{${members.join(",")}}`);
    }),
  );
});

test.each([...'"\\/ ~\u007f\u0000\n!#[]^'])("the text %j is written as JSON writes it", (text) => {
  expect(canonicalText(text)).toBe(JSON.stringify(text));
});

test("the canonical text does not depend on the order of keys, and says everything", () => {
  fc.assert(
    fc.property(anyApp, (app) => {
      const text = canonicalText(app);
      expect(canonicalText(reversed(app))).toBe(text);
      expect(canonicalText(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(app);
    }),
    { numRuns: 50 },
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}
