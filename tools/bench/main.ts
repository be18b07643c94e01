import { parseArgs } from "node:util";
import { runBench } from "./bench.ts";
import { BENCHES } from "./benches.ts";
import { renderTable } from "./render-table.ts";

/** `npm run bench -- NAME [--json] [--runs N]`: medians, ours and the others in the same run. */

const RUNS_MAX = 100;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, runs: { type: "string" } },
  });
  const bench = BENCHES.find(({ name }) => name === positionals[0]);
  const runs = values.runs === undefined ? bench?.runs : Number(values.runs);
  if (bench === undefined || positionals.length !== 1 || !isRunCount(runs)) {
    const known = BENCHES.map(({ name, says }) => `  ${name.padEnd(10)} ${says}`);
    process.stderr.write(`npm run bench -- NAME [--json] [--runs 1..${RUNS_MAX}]\n${known.join("\n")}\n`);
    return 2;
  }
  await using prepared = await bench.prepare();
  const rows = await runBench(prepared.sets, {
    runs,
    onRun: (text) => process.stderr.write(`${bench.name}: ${text}\n`),
  });
  process.stdout.write(`${values.json === true ? JSON.stringify(rows, null, 2) : renderTable(rows)}\n`);
  return 0;
}

function isRunCount(runs: number | undefined): runs is number {
  return runs !== undefined && Number.isInteger(runs) && runs >= 1 && runs <= RUNS_MAX;
}

process.exitCode = await main();
