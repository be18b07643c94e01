import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { listGenerated, makeGenerated, parseApp } from "./index.ts";

const { value: sample } = parseApp(
  readFileSync(new URL("../testdata/sample-shop.yaml", import.meta.url), "utf8"),
);

/** Every byte value in turn: what is fair to all bytes must be fair to all letters. */
function counting(): (bytes: number) => Uint8Array {
  let next = 0;
  return (bytes) => Uint8Array.from({ length: bytes }, () => next++ % 256);
}

test("values to be generated are listed by component, place and name, with their rule", () => {
  expect(listGenerated(sample!)).toEqual([
    { key: "api/env/SESSION_KEY", length: 32, alphabet: "hex" },
    { key: "db/connection/DB_PASSWORD", length: 24, alphabet: "alphanumeric" },
  ]);
});

test("only missing values are made", () => {
  const made = makeGenerated(listGenerated(sample!), { "db/connection/DB_PASSWORD": "kept" }, counting());
  expect(Object.keys(made)).toEqual(["api/env/SESSION_KEY"]);
  expect(made["api/env/SESSION_KEY"]).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  ["alphanumeric", 62],
  ["hex", 16],
  ["lowercase", 26],
] as const)("each letter of the alphabet %s is equally likely", (alphabet, letters) => {
  const rounds = Math.floor(256 / letters);
  const length = letters * rounds;
  const { x = "" } = makeGenerated([{ key: "x", length, alphabet }], {}, counting());
  const counts = Map.groupBy(x, (letter) => letter);
  expect(counts.size).toBe(letters);
  expect(new Set([...counts.values()].map((same) => same.length))).toEqual(new Set([rounds]));
});
