import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseApp } from "./index.ts";

const read = (file: string) => readFileSync(new URL(`../testdata/${file}`, import.meta.url), "utf8");

test("an app with twenty faults gets all twenty, each with its path and line", async () => {
  const { value, faults } = parseApp(read("twenty-faults.yaml"));
  expect(value).toBeUndefined();
  expect(faults).toHaveLength(20);
  const lines = faults.map(({ line, path, message }) => `${line} ${path}: ${message}\n`);
  await expect(lines.join("")).toMatchFileSnapshot("../testdata/twenty-faults.txt");
});

test("an app without faults is read whole, and what a site must allow is only a warning", () => {
  const { value, faults, warnings } = parseApp(read("sample-shop.yaml"));
  expect(faults).toEqual([]);
  expect(Object.keys(value?.components ?? {})).toEqual(["web", "api", "migrate", "db", "search", "mailer"]);
  expect(warnings).toEqual([]);
});
