import { isDeepStrictEqual } from "node:util";
import { changeHints, merge, plan, planDigest, resolve } from "@sampan/plan";
import type { Measure } from "./bench.ts";
import { median } from "./bench.ts";
import { makePlanSample, type PlanSample } from "./plan-sample.ts";

/**
 * `node [--expose-gc] measure-planning.ts METHOD COMPONENTS [first]`: one measure as JSON, taken in a process of its own; with `first`,
 * of the first time that it does it, when nothing is compiled yet.
 */

const METHODS: Readonly<Record<string, (sample: PlanSample) => unknown>> = { plan: planUpgrade, compare };

/** What a person waits for who asks what an upgrade would do. */
function planUpgrade(sample: PlanSample): unknown {
  const merged = merge(sample.merge);
  const { desired } = resolve(merged.app, sample.resolve);
  if (desired === undefined) throw new Error("the sample cannot be resolved");
  const made = plan({ ...desired, changes: changeHints(merged.changes) }, sample.observed, {
    now: sample.observed.at,
    newId: () => "plan-1",
  });
  const shown = { base: 1, plan: made, changes: merged.changes };
  return { merged, shown, digest: planDigest(shown, sample.resolve) };
}

/** Node's own means: a copy of each of the three documents, and which components differ between them. */
function compare({ merge: { oldRelease, newRelease, site } }: PlanSample): unknown {
  const [was, offered, here] = [
    structuredClone(oldRelease),
    structuredClone(newRelease),
    structuredClone(site),
  ];
  return Object.keys(here.components).filter(
    (name) =>
      !isDeepStrictEqual(was.components[name], offered.components[name]) ||
      !isDeepStrictEqual(was.components[name], here.components[name]),
  );
}

function measure(
  work: () => unknown,
  { warmUps, runs }: { readonly warmUps: number; readonly runs: number },
): Measure {
  for (let run = 0; run < warmUps; run += 1) work();
  const walls: number[] = [];
  const cpus: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const usage = process.cpuUsage();
    const startedMs = performance.now();
    work();
    walls.push((performance.now() - startedMs) / 1000);
    const { user, system } = process.cpuUsage(usage);
    cpus.push((user + system) / 1e6);
  }
  return { wallSeconds: median(walls), cpuSeconds: median(cpus) };
}

/** Bytes that one run takes from the heap. Only where nothing is collected meanwhile (a young generation that holds it all) is it all of them. */
function measureHeap(work: () => unknown, collect: () => void): Measure {
  work();
  collect();
  const before = process.memoryUsage().heapUsed;
  work();
  return { heapBytes: process.memoryUsage().heapUsed - before };
}

const [method = "", components = "", when] = process.argv.slice(2);
const run = METHODS[method];
if (run === undefined) throw new Error(`there is no method ${method}`);
const sample = makePlanSample(Number(components));
const work = () => run(sample);
const often = when === "first" ? { warmUps: 0, runs: 1 } : { warmUps: 8, runs: 9 };
const measured = globalThis.gc === undefined ? measure(work, often) : measureHeap(work, globalThis.gc);
process.stdout.write(`${JSON.stringify(measured)}\n`);
