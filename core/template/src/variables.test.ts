// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts under test hold such references.
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "./arbitrary.ts";
import { expandText, quoteText, variablesIn } from "./variables.ts";

const VALUES: Readonly<Record<string, string>> = { A: "1", B: "$A${A}" };

test.each([
  ["", ""],
  ["${A}", "1"],
  ["x${A}y${B}z", "x1y$A${A}z"],
  ["$$", "$"],
  ["$${A}", "${A}"],
  ["$$${A}", "$1"],
  ["$A $ $5", "$A $ $5"],
  ["${C}|", "|"],
])("%j is expanded to %j", (text, expanded) => {
  expect(expandText(text, (name) => VALUES[name])).toBe(expanded);
});

test("a text that gets too long is not made", () => {
  expect(expandText("${A}${A}", () => "x".repeat(60), 100)).toBeUndefined();
});

test("a quoted text stands for itself", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyText,
        fc.array(fc.constantFrom("$", "{", "}", "A")).map((parts) => parts.join("")),
      ),
      (text) => {
        expect(variablesIn(quoteText(text))).toEqual([]);
        expect(expandText(quoteText(text), () => "?")).toBe(text);
      },
    ),
  );
});
