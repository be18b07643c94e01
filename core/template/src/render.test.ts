import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyApp } from "./arbitrary.ts";
import { canonicalText } from "./canonical-text.ts";
import { parseApp, parseAppValue } from "./parse.ts";
import { renderApp } from "./render.ts";

test("an app that is rendered and parsed is the same app", () => {
  fc.assert(
    fc.property(anyApp, (app) => {
      expect(parseAppValue(app)).toMatchObject({ faults: [] });
      const parsed = parseApp(renderApp(app));
      expect(parsed.faults).toEqual([]);
      expect(canonicalText(parsed.value)).toBe(canonicalText(app));
    }),
    { numRuns: 300 },
  );
});

test("what is rendered reads well, with keys in the order of the schema", async () => {
  const text = readFileSync(new URL("../testdata/sample-shop.yaml", import.meta.url), "utf8");
  const { value } = parseApp(text);
  const shuffled = Object.fromEntries(Object.entries(value!).reverse()) as typeof value;
  expect(renderApp(shuffled!)).toBe(renderApp(value!));
  await expect(renderApp(value!)).toMatchFileSnapshot("../testdata/sample-shop.rendered.yaml");
});
