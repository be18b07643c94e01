/** What a check came to: one row per step, and the tests that vitest counted. */

export interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** The part of vitest's JSON report that is read. */
export interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** Tests that did not run: skipped, or to be written. They count as failed. */
  readonly skipped: readonly string[];
}

/** Adds steps and tests up. A file or a run that broke outside any test counts as one failure more. */
export function tally(
  steps: readonly StepResult[],
  tests: {
    readonly report: TestReport | undefined;
    readonly exitCode: number;
    /** Only some tests were asked for by name: the others are skipped on purpose. */
    readonly byName?: boolean;
  },
): Tally {
  const cases = (tests.report?.testResults ?? []).flatMap((file) =>
    file.assertionResults.map((result) => ({ ...result, file: file.name })),
  );
  const passedTests = cases.filter((result) => result.status === "passed").length;
  const failedTests = cases.filter((result) => result.status === "failed").length;
  const skipped = cases
    .filter((result) => tests.byName !== true && result.status !== "passed" && result.status !== "failed")
    .map((result) => `${result.file}: ${result.fullName}`);
  const brokeElsewhere = tests.exitCode !== 0 && failedTests === 0 ? 1 : 0;
  return {
    passed: passedTests + steps.filter((step) => step.passed).length,
    failed: failedTests + skipped.length + brokeElsewhere + steps.filter((step) => !step.passed).length,
    skipped,
  };
}

/** The closing lines. The last is alone on its line and always of this form: machines read it. */
export function renderSummary(steps: readonly StepResult[], total: Tally): string {
  const width = Math.max(0, ...steps.map((step) => step.name.length));
  const rows = steps.map(
    (step) =>
      `  ${step.passed ? "ok    " : "FAILED"}  ${step.name.padEnd(width)}  ${step.seconds.toFixed(1)} s`,
  );
  const skips = total.skipped.map((name) => `  SKIPPED ${name} (a skipped test counts as failed)`);
  return ["", ...rows, ...skips, "", `${total.passed} passed, ${total.failed} failed`].join("\n");
}
