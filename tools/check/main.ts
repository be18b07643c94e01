import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderSummary, type StepResult, type TestReport, tally } from "./summary.ts";

/**
 * `npm run check`: all that can be known without an engine. `--everything` (npm test) adds the tests on real engines
 * and the journeys. Every step runs, whatever the others say. Further arguments go to vitest.
 */

const root = join(import.meta.dirname, "..", "..");

const STEPS = [
  { name: "types", args: ["node_modules/typescript/bin/tsc", "-p", "."] },
  {
    name: "lint and format",
    args: ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."],
  },
  { name: "generated files", args: ["tools/generate.ts", "--check"] },
] as const;

function run(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

async function runSteps(): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const { name, args } of STEPS) {
    process.stdout.write(`\n── ${name}\n`);
    const startedMs = performance.now();
    const exitCode = await run(args);
    results.push({ name, passed: exitCode === 0, seconds: (performance.now() - startedMs) / 1000 });
  }
  return results;
}

async function runTests(vitestArgs: readonly string[]): Promise<{
  readonly report: TestReport | undefined;
  readonly exitCode: number;
}> {
  process.stdout.write("\n── tests\n");
  const folder = mkdtempSync(join(tmpdir(), "sampan-check-"));
  const reportPath = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
  try {
    const exitCode = await run(["node_modules/vitest/vitest.mjs", "run", ...reporters, ...vitestArgs]);
    return { report: readReport(reportPath), exitCode };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Absent when vitest broke before it could write one; its exit code tells then. */
function readReport(path: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as TestReport;
  } catch {
    return undefined;
  }
}

const args = process.argv.slice(2);
const vitestArgs = args.includes("--everything")
  ? args.filter((arg) => arg !== "--everything")
  : ["--project", "unit", ...args];
const byName = vitestArgs.some((arg) => arg === "-t" || arg.startsWith("--testNamePattern"));
const steps = await runSteps();
const tests = await runTests(vitestArgs);
const total = tally(steps, { ...tests, byName });
process.stdout.write(`${renderSummary(steps, total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
