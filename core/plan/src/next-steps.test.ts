import { expect, test } from "vitest";
import { nextSteps, type Plan, type StepResults } from "./index.ts";

/** Steps `s1` to `s5`: 1 → 2 → 3, and 4 → 5 beside them. */
const plan: Plan = {
  id: "p",
  app: { id: "a", slug: "a" },
  generation: 1,
  createdAt: "2026-01-01T00:00:00.000Z",
  steps: (
    [
      ["s1", []],
      ["s2", ["s1"]],
      ["s3", ["s1", "s2"]],
      ["s4", []],
      ["s5", ["s4"]],
    ] as const
  ).map(([id, needs]) => ({ id, needs, why: "", timeoutMs: 1, kind: "network.ensure" })),
  notes: [],
};

const rows: readonly [string, StepResults, number, readonly string[]][] = [
  ["begins with what needs nothing", {}, 9, ["s1", "s4"]],
  ["in the plan's order, as many as are free", {}, 1, ["s1"]],
  ["nothing when none is free", {}, 0, []],
  ["goes on with what has all it needs", { s1: "done", s4: "running" }, 9, ["s2"]],
  ["waits for all that a step needs", { s1: "done", s2: "running", s4: "done" }, 9, ["s5"]],
  ["independent steps go on when one failed", { s1: "failed", s4: "done" }, 9, ["s5"]],
  ["nothing is left behind a failure", { s1: "failed", s4: "done", s5: "done" }, 9, []],
  ["nothing is left when all is done", { s1: "done", s2: "done", s3: "done", s4: "done", s5: "done" }, 9, []],
];
test.each(rows)("%s", (_, results, free, ids) => {
  expect(nextSteps(plan, results, free).map((step) => step.id)).toEqual(ids);
});
