import { parseArgs } from "node:util";
import type { ActRow } from "./src/act-table.ts";
import { renderHead, renderRow, renderTotal } from "./src/act-table.ts";
import { ACTS } from "./src/acts.ts";
import { Crossing } from "./src/crossing.ts";

/**
 * `npm run demo [-- --keep]`: the crossing, told act by act with time and bytes. Everything it made is removed at the end;
 * with --keep, when it is interrupted.
 */

const { values: options } = parseArgs({ options: { keep: { type: "boolean", default: false } } });
const interrupted = Promise.withResolvers<"interrupted">();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => interrupted.resolve("interrupted"));

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function tell(crossing: Crossing): Promise<"told"> {
  const rows: ActRow[] = [];
  say(renderHead());
  for (const { where, title, run } of ACTS) {
    const startedMs = performance.now();
    const result = await run(crossing);
    const row = { where, title, seconds: (performance.now() - startedMs) / 1000, ...result };
    rows.push(row);
    say(renderRow(row));
  }
  say(`${renderTotal(rows)}\n`);
  say(
    "The bookshop crossed the gap: it answers at the site, with the orders of before the upgrade, of the upgrade, and of",
  );
  say("after the rollback. Every image there has the ID that it had at the vendor.");
  return "told";
}

async function keep(crossing: Crossing): Promise<void> {
  const { vendor, vendorPort, site, sitePlace } = crossing;
  say(`\nKept until Ctrl-C, then removed.`);
  say(`  vendor's shop    http://127.0.0.1:${vendorPort}`);
  say(`  vendor's Sampan  ${vendor.url}`);
  say(`  site's shop      ${sitePlace.command(["curl", "-s", "http://127.0.0.1:8080/"]).join(" ")}`);
  say(`  site's Sampan    ${site.url}, in the same network`);
  await interrupted.promise;
}

async function main(): Promise<number> {
  await using crossing = await Crossing.open();
  const telling = tell(crossing);
  telling.catch(() => undefined);
  if ((await Promise.race([telling, interrupted.promise])) === "interrupted") return 130;
  if (options.keep) await keep(crossing);
  return 0;
}

process.exitCode = await main();
