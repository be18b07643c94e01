import { EXIT } from "@sampan/problem";
import { expect, test } from "vitest";
import { problemTableOf, renderReference } from "./problems-reference.ts";

const kind = { status: 404, exit: EXIT.absent, doc: "It is\n  not | here." };

test("the reference lists every code of a room, by name, on one line each", () => {
  const text = renderReference([{ room: "parts/hold", table: { HOLD_B: kind, HOLD_A: kind } }]);
  expect(text.split("\n").slice(-5, -1)).toEqual([
    "| Code | HTTP | Exit | When, and what mends it |",
    "|---|---|---|---|",
    "| `HOLD_A` | 404 | 4 | It is not \\| here. |",
    "| `HOLD_B` | 404 | 4 | It is not \\| here. |",
  ]);
});

test("a code that two rooms claim is refused", () => {
  const rooms = ["parts/hold", "parts/store"].map((room) => ({ room, table: { TWICE: kind } }));
  expect(() => renderReference(rooms)).toThrow("TWICE stands in the tables of parts/hold and parts/store");
});

test("only tables of problems are taken from a module", () => {
  const module = { holdProblems: { HOLD_A: kind }, holdProblem: () => undefined, LIMITS: { a: 1 }, none: {} };
  expect(problemTableOf(module)).toEqual({ HOLD_A: kind });
});
