import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Bench, Measure } from "./bench.ts";

const COMPONENTS = [10, 100, 1000] as const;
const PROGRAM = join(import.meta.dirname, "measure-planning.ts");
/** A young generation that holds all that one run makes: nothing is collected, and everything is counted. */
const COUNTING = ["--expose-gc", "--max-semi-space-size=1024", "--min-semi-space-size=1024"];

/**
 * From three documents (old release, new release, site) to a plan with its fingerprint, in a process that has planned before, as a
 * server has, and in one that has just begun. The peer only copies the documents and says which components differ.
 */
export const planBench: Bench = {
  name: "plan",
  says: `an upgrade of ${COMPONENTS.join(", ")} components with 50 properties: merge and plan, beside Node's structuredClone and isDeepStrictEqual`,
  runs: 5,
  prepare: async () => ({
    sets: COMPONENTS.map((items) => ({
      name: `${items} components`,
      methods: {
        "sampan plan": () => measureBoth("plan", items),
        "sampan plan, first time": () => measureIn([PROGRAM, "plan", String(items), "first"]),
        "clone and compare": () => measureBoth("compare", items),
      },
    })),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};

async function measureBoth(method: string, items: number): Promise<Measure> {
  const words = [PROGRAM, method, String(items)];
  return { items, ...(await measureIn(words)), ...(await measureIn([...COUNTING, ...words])) };
}

async function measureIn(words: readonly string[]): Promise<Measure> {
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return JSON.parse(stdout) as Measure;
}
