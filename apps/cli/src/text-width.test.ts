import { expect, test } from "vitest";
import { humanBytes, humanDuration } from "./amounts.ts";
import { renderTable } from "./render-table.ts";
import { fitWidth, oneLine, textWidth } from "./text-width.ts";

test.for([
  ["abc", 3],
  ["舢板", 4],
  ["ｆｕｌｌ", 8],
  ["é", 1],
  ["e\u0301", 1],
  ["한국", 4],
  ["🚢", 2],
  ["👩‍👩‍👧", 2],
  ["", 0],
] as const)("%s takes %d columns", ([text, width]) => {
  expect(textWidth(text)).toBe(width);
});

test("a text that is too long ends in an ellipsis within its columns", () => {
  expect([fitWidth("舢板过河", 8), fitWidth("舢板过河", 7), fitWidth("abcdef", 4)]).toEqual([
    "舢板过河",
    "舢板过…",
    "abc…",
  ]);
});

test("tables line up with wide letters, and nothing in a cell moves the cursor", () => {
  const rows = [
    { name: "书店", count: 1 },
    { name: "a\u001b[2Jb\nc", count: 20 },
  ];
  expect(renderTable(rows, "none")).toBe("NAME     COUNT\n书店     1\na[2Jb c  20");
  expect(renderTable([], "none")).toBe("none");
  expect(oneLine("a\r\n\tb\u0000")).toBe("a b");
});

test.for([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.00 KiB"],
  [10 * 1024 ** 2, "10.0 MiB"],
  [5 * 1024 ** 4, "5.00 TiB"],
] as const)("%d bytes are %s", ([bytes, text]) => {
  expect(humanBytes(bytes)).toBe(text);
});

test.for([
  [-5, "0s"],
  [59_400, "59s"],
  [61_000, "1m01s"],
  [3_600_000 * 3 + 60_000, "3h01m"],
] as const)("%d ms are %s", ([ms, text]) => {
  expect(humanDuration(ms)).toBe(text);
});
