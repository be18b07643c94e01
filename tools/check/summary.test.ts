import { expect, test } from "vitest";
import { renderSummary, type StepResult, tally } from "./summary.ts";

const ok: StepResult = { name: "types", passed: true, seconds: 1 };
const broken: StepResult = { name: "lint", passed: false, seconds: 1 };

function reportOf(...statuses: string[]) {
  return {
    testResults: [
      { name: "a.test.ts", assertionResults: statuses.map((status) => ({ status, fullName: "a test" })) },
    ],
  };
}

const rows = [
  ["all is well", [ok], reportOf("passed", "passed"), 0, "3 passed, 0 failed"],
  ["a step fails", [ok, broken], reportOf("passed"), 0, "2 passed, 1 failed"],
  ["a test fails", [ok], reportOf("passed", "failed"), 1, "2 passed, 1 failed"],
  ["a test is skipped", [ok], reportOf("passed", "skipped"), 0, "2 passed, 1 failed"],
  ["a test is yet to be written", [ok], reportOf("todo"), 0, "1 passed, 1 failed"],
  ["an error escaped all tests", [ok], reportOf("passed"), 1, "2 passed, 1 failed"],
  ["there is no report", [ok], undefined, 1, "1 passed, 1 failed"],
] as const;

test.for(rows)("the last line counts it when %s", ([, steps, report, exitCode, lastLine]) => {
  const summary = renderSummary(steps, tally(steps, { report, exitCode }));
  expect(summary.split("\n").at(-1)).toBe(lastLine);
});

test("a test that was not asked for by name is not counted", () => {
  const report = reportOf("passed", "skipped");
  expect(tally([], { report, exitCode: 0, byName: true })).toEqual({ passed: 1, failed: 0, skipped: [] });
});
