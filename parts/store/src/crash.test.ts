import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { runJobs } from "./run-jobs.ts";
import { openTestStore, TestClock, tempFolder } from "./test-store.ts";

const script = join(import.meta.dirname, "test-child.ts");

function startChild(act: "add" | "capture" | "hang" | "write", path: string): ChildProcess {
  const child = spawn(process.execPath, [script, act, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Lines that the child said, until there are `count` or it has ended. */
async function hear(child: ChildProcess, count: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (lines.length >= count) break;
  }
  return lines;
}

test("a job whose worker was killed is gone on with by the next runner, from its checkpoint", async () => {
  const path = join(await tempFolder(), "store.db");
  const clock = new TestClock();
  const { store } = await openTestStore(path, clock);
  const job = await store.jobs.enqueue({ kind: "copy", input: { of: "x" }, startedBy: "u1" });
  const child = startChild("hang", path);
  expect(await hear(child, 1)).toEqual(["hanging"]);
  await kill(child);
  expect(await store.jobs.get(job.id)).toMatchObject({ state: "running", attempts: 1 });

  clock.pass(31_000);
  const stop = new AbortController();
  const seen: unknown[] = [];
  store.watch((change) => {
    if (change.noun === "job")
      void store.jobs.get(change.id).then(({ state }) => state === "succeeded" && stop.abort());
  });
  await runJobs(
    store,
    {
      async copy({ input, checkpoint }) {
        seen.push({ input, checkpoint });
        return "copied";
      },
    },
    { workerId: "next", concurrency: 1, signal: stop.signal, now: clock.now },
  );
  expect(seen).toEqual([{ input: { of: "x" }, checkpoint: { done: 5 } }]);
  expect(await store.jobs.get(job.id)).toMatchObject({ state: "succeeded", attempts: 2, result: "copied" });
  expect((await store.jobs.logs(job.id)).map((line) => line.text)).toEqual(["half done"]);
});

test("a data snapshot whose taker was killed is gone on with from the volumes it has", async () => {
  const path = join(await tempFolder(), "store.db");
  const child = startChild("capture", path);
  const [teamId] = await hear(child, 1);
  await kill(child);
  const { store } = await openTestStore(path);
  const [left] = (await store.dataSnapshots.list({ kind: "all" }, { state: "taking" })).items;
  expect(left).toMatchObject({ id: "snap-1", teamId, volumes: [{ volume: "data", sizeBytes: 7 }] });
  expect(await store.dataSnapshots.begin({ ...left!, reason: "upgrade" })).toEqual(left);
  const imageId = `sha256:${"b".repeat(64)}` as const;
  expect(await store.dataSnapshots.complete("snap-1", { imageId })).toMatchObject({ state: "complete" });
});

test("what was committed before a kill is there after it, whole, and the database is sound", async () => {
  const path = join(await tempFolder(), "store.db");
  for (const commits of [1, 7, 40]) {
    const child = startChild("write", path);
    const said = await hear(child, commits);
    await kill(child);
    const { store } = await openTestStore(path);
    for (const n of said) {
      expect(await store.settings.get(`a-${n}`)).toBeDefined();
      expect(await store.settings.get(`b-${n}`)).toBe(Number(n));
    }
    for (let n = 1; ; n++) {
      const [a, b] = [await store.settings.get(`a-${n}`), await store.settings.get(`b-${n}`)];
      expect(a === undefined).toBe(b === undefined);
      if (a === undefined) break;
    }
    await store.close();
  }
});

test("two processes that write at once lose nothing", async () => {
  const path = join(await tempFolder(), "store.db");
  const { store } = await openTestStore(path);
  const child = startChild("add", path);
  for (let n = 0; n < 100; n++)
    await store.transaction(async (nouns) => {
      await nouns.settings.set("sum", Number((await nouns.settings.get("sum")) ?? 0) + 1);
    });
  expect(await hear(child, 1)).toEqual(["done"]);
  expect(await store.settings.get("sum")).toBe(200);
});
