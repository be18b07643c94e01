import { isProblem } from "@sampan/problem";
import { describe, expect, test } from "vitest";
import type { Job } from "./job-types.ts";
import type { Store } from "./open-store.ts";
import { storeProblem } from "./problems.ts";
import type { JobHandler } from "./run-job.ts";
import { type RunnerOptions, runJobs } from "./run-jobs.ts";
import { everything, openTestStore } from "./test-store.ts";

const LEASE_MS = 30_000;
const copy = { kind: "copy", input: { of: "x" }, startedBy: "u1" };
const lost = { code: "STORE_LEASE_LOST" };

async function claimed(store: Store, workerId = "w1") {
  const claim = await store.jobs.claim(workerId, LEASE_MS);
  if (claim === undefined) throw new Error("nothing to claim");
  return claim;
}

describe("queue", () => {
  test("jobs are taken in the order in which they came, each once", async () => {
    const { store, clock } = await openTestStore();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.push((await store.jobs.enqueue({ ...copy, input: n })).id);
      clock.pass(1);
    }
    const taken = [await claimed(store), await claimed(store, "w2"), await claimed(store)];
    expect(taken.map((one) => one.job.id)).toEqual(ids);
    expect(taken.map((one) => one.input)).toEqual([0, 1, 2]);
    expect(await store.jobs.claim("w1", LEASE_MS)).toBeUndefined();
  });

  test("the same idempotency key of the same person gives the same job", async () => {
    const { store } = await openTestStore();
    const first = await store.jobs.enqueue({ ...copy, idempotencyKey: "k" });
    expect((await store.jobs.enqueue({ ...copy, idempotencyKey: "k" })).id).toBe(first.id);
    expect((await store.jobs.enqueue({ ...copy, idempotencyKey: "k2" })).id).not.toBe(first.id);
    const other = await store.jobs.enqueue({ ...copy, startedBy: "u2", idempotencyKey: "k" });
    expect(other.id).not.toBe(first.id);
  });

  test("a job waits until its time", async () => {
    const { store, clock } = await openTestStore();
    await store.jobs.enqueue({ ...copy, runAt: new Date(clock.now().getTime() + 1000).toISOString() });
    expect(await store.jobs.claim("w1", LEASE_MS)).toBeUndefined();
    clock.pass(1000);
    expect(await store.jobs.claim("w1", LEASE_MS)).toBeDefined();
  });

  test("jobs of one lane run one at a time, others pass by", async () => {
    const { store, clock } = await openTestStore();
    for (const lane of ["app/1", "app/1", "app/2"]) {
      await store.jobs.enqueue({ ...copy, lane });
      clock.pass(1);
    }
    const first = await claimed(store);
    expect((await claimed(store)).job.lane).toBe("app/2");
    expect(await store.jobs.claim("w1", LEASE_MS)).toBeUndefined();
    await store.jobs.succeed(first.lease, null);
    expect((await claimed(store)).job.lane).toBe("app/1");
  });

  test("a person sees the jobs of their teams and their own", async () => {
    const { store } = await openTestStore();
    const team = await store.teams.create({ name: "shop" });
    const other = await store.teams.create({ name: "other" });
    await store.jobs.enqueue({ ...copy, startedBy: "u2", teamId: team.id });
    await store.jobs.enqueue({ ...copy, startedBy: "u2", teamId: other.id });
    await store.jobs.enqueue({ ...copy, startedBy: "u2" });
    await store.jobs.enqueue({ ...copy, startedBy: "u1" });
    const mine = await store.jobs.list({ kind: "teams", teamIds: [team.id], userId: "u1" });
    expect(mine.items.map((job) => [job.teamId, job.startedBy])).toEqual([
      [undefined, "u1"],
      [team.id, "u2"],
    ]);
    expect((await store.jobs.list(everything)).items).toHaveLength(4);
  });
});

describe("leases", () => {
  test("a job whose lease ran out goes to the next worker, and the old one can change nothing", async () => {
    const { store, clock } = await openTestStore();
    await store.jobs.enqueue(copy);
    const old = await claimed(store, "w1");
    clock.pass(LEASE_MS);
    const next = await claimed(store, "w1");
    expect(next.job.attempts).toBe(2);
    const at = clock.now().toISOString();
    for (const attempt of [
      () => store.jobs.heartbeat(old.lease, LEASE_MS),
      () => store.jobs.progress(old.lease, { stage: "x", done: 1, at }),
      () => store.jobs.log(old.lease, "x"),
      () => store.jobs.saveCheckpoint(old.lease, 1),
      () => store.jobs.succeed(old.lease, 1),
      () => store.jobs.release(old.lease),
    ])
      await expect(attempt()).rejects.toMatchObject(lost);
    expect(await store.jobs.get(next.job.id)).toMatchObject({ state: "running" });
    expect(await store.jobs.logs(next.job.id)).toEqual([]);
  });

  test("a clock that is set back leaves no job waiting for years, be it queued or of a worker that is gone", async () => {
    const { store, clock } = await openTestStore();
    const { id } = await store.jobs.enqueue({ ...copy, lane: "import" });
    await claimed(store, "w1");
    const next = await store.jobs.enqueue({ ...copy, lane: "import" });
    clock.pass(-365 * 86_400_000);
    expect(await store.jobs.claim("w1", LEASE_MS)).toBeUndefined();
    const taken = await claimed(store, "w2");
    expect(taken.job.id).toBe(id);
    await store.jobs.succeed(taken.lease, null);
    expect((await claimed(store, "w2")).job.id).toBe(next.id);
  });

  test("a process that is alone takes up the jobs of the one before it at once", async () => {
    const { store } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    const { lease } = await claimed(store);
    expect(await store.jobs.abandonRunning()).toBe(1);
    expect(await store.jobs.get(id)).toMatchObject({ state: "queued", attempts: 1 });
    await expect(store.jobs.heartbeat(lease, LEASE_MS)).rejects.toMatchObject({ code: "STORE_LEASE_LOST" });
    expect((await claimed(store, "w2")).job.id).toBe(id);
  });

  test("a heartbeat keeps the job", async () => {
    const { store, clock } = await openTestStore();
    await store.jobs.enqueue(copy);
    const { lease } = await claimed(store);
    for (let n = 0; n < 5; n++) {
      clock.pass(LEASE_MS - 1);
      expect(await store.jobs.heartbeat(lease, LEASE_MS)).toEqual({ cancelRequested: false });
    }
    expect(await store.jobs.abandonExpired()).toBe(0);
  });

  test("a job that was begun too often fails with a reason", async () => {
    const { store, clock } = await openTestStore();
    const job = await store.jobs.enqueue({ ...copy, attemptsMax: 2 });
    for (let n = 0; n < 2; n++) {
      await claimed(store);
      clock.pass(LEASE_MS);
    }
    expect(await store.jobs.claim("w1", LEASE_MS)).toBeUndefined();
    expect(await store.jobs.get(job.id)).toMatchObject({
      state: "failed",
      problem: { code: "STORE_JOB_ABANDONED" },
    });
  });

  test("a job that is handed back has not used an attempt", async () => {
    const { store } = await openTestStore();
    await store.jobs.enqueue({ ...copy, attemptsMax: 1 });
    const first = await claimed(store);
    await store.jobs.release(first.lease);
    const second = await claimed(store);
    expect(second.job.attempts).toBe(1);
    await expect(store.jobs.succeed(first.lease, 1)).rejects.toMatchObject(lost);
  });
});

describe("cancelling", () => {
  test("a queued job ends at once", async () => {
    const { store } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    expect(await store.jobs.requestCancel(id)).toMatchObject({ state: "cancelled", cancelRequested: true });
    expect(await store.jobs.claim("w1", LEASE_MS)).toBeUndefined();
  });

  test("a running job's worker is told by its next heartbeat, and one that is dead loses it", async () => {
    const { store, clock } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    const { lease } = await claimed(store);
    expect(await store.jobs.requestCancel(id)).toMatchObject({ state: "running" });
    expect(await store.jobs.heartbeat(lease, LEASE_MS)).toEqual({ cancelRequested: true });
    clock.pass(LEASE_MS);
    expect(await store.jobs.claim("w2", LEASE_MS)).toBeUndefined();
    expect(await store.jobs.get(id)).toMatchObject({ state: "cancelled" });
  });

  test("a job that has ended stays what it was", async () => {
    const { store } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    await store.jobs.succeed((await claimed(store)).lease, { ok: true });
    expect(await store.jobs.requestCancel(id)).toMatchObject({ state: "succeeded", result: { ok: true } });
  });
});

describe("again", () => {
  test("a job that failed goes on from its checkpoint, with all its attempts", async () => {
    const { store } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    const { lease } = await claimed(store);
    await store.jobs.saveCheckpoint(lease, { at: 7 });
    await store.jobs.fail(lease, { type: "x", title: "no", status: 500, code: "X" });
    expect(await store.jobs.again(id)).toMatchObject({ state: "queued", attempts: 0 });
    const next = await claimed(store);
    expect([next.checkpoint, next.job.problem, next.job.endedAt]).toEqual([{ at: 7 }, undefined, undefined]);
    expect(await store.jobs.again(id)).toMatchObject({ state: "running" });
    await store.jobs.succeed(next.lease, 1);
    expect(await store.jobs.again(id)).toMatchObject({ state: "succeeded" });
  });
});

describe("logs and retention", () => {
  test("a log keeps its newest two thousand lines, and long lines are cut", async () => {
    const { store } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    const { lease } = await claimed(store);
    await store.transaction(async (nouns) => {
      for (let n = 1; n <= 2005; n++)
        await nouns.jobs.log(lease, n === 2005 ? "x".repeat(9999) : `line ${n}`);
    });
    const lines = await store.jobs.logs(id, { limit: 9999 });
    expect(lines).toHaveLength(2000);
    expect(lines[0]).toMatchObject({ seq: 6, text: "line 6" });
    expect(lines.at(-1)?.text).toHaveLength(4096);
    expect(await store.jobs.logs(id, { afterSeq: 2004 })).toHaveLength(1);
  });

  test("pruning drops old ended jobs and keeps what has not ended", async () => {
    const { store, clock } = await openTestStore();
    for (let n = 0; n < 5; n++) {
      await store.jobs.enqueue({ ...copy, input: n });
      await store.jobs.succeed((await claimed(store)).lease, n);
      clock.pass(1000);
    }
    await store.jobs.enqueue(copy);
    const endedBefore = new Date(clock.now().getTime() - 4000).toISOString();
    expect(await store.jobs.prune({ endedBefore, endedMax: 3 })).toBe(2);
    const left = (await store.jobs.list(everything)).items;
    expect(left.map((job) => job.result)).toEqual([undefined, 4, 3, 2]);
  });
});

describe("runner", () => {
  /** Runs until every job has ended or `until` says so. */
  async function run(
    store: Store,
    handlers: Readonly<Record<string, JobHandler>>,
    options: Partial<RunnerOptions> & Pick<RunnerOptions, "now">,
  ): Promise<readonly Job[]> {
    const stop = new AbortController();
    const look = async () => {
      const { items } = await store.jobs.list(everything);
      if (items.every((job) => job.endedAt !== undefined)) stop.abort();
    };
    store.watch((change) => void (change.noun === "job" && look()));
    await runJobs(store, handlers, { workerId: "w", concurrency: 2, signal: stop.signal, ...options });
    return [...(await store.jobs.list(everything)).items].reverse();
  }

  test("results, problems, errors and unknown kinds end as what they are", async () => {
    const { store, clock } = await openTestStore();
    for (const kind of ["good", "refused", "broken", "toString"]) {
      await store.jobs.enqueue({ ...copy, kind });
      clock.pass(1);
    }
    const errors: unknown[] = [];
    const ended = await run(
      store,
      {
        good: async ({ input }) => ({ input }),
        refused: async () => {
          throw storeProblem("STORE_TAKEN", "no");
        },
        broken: async () => {
          throw new TypeError("x is not a function");
        },
      },
      { now: clock.now, onError: (error) => errors.push(error) },
    );
    expect(ended.map((job) => [job.state, job.problem?.code, job.result])).toEqual([
      ["succeeded", undefined, { input: { of: "x" } }],
      ["failed", "STORE_TAKEN", undefined],
      ["failed", "STORE_JOB_FAILED", undefined],
      ["failed", "STORE_JOB_UNKNOWN", undefined],
    ]);
    expect(errors).toHaveLength(1);
    expect(isProblem(errors[0])).toBe(false);
  });

  test("no more jobs run at once than allowed", async () => {
    const { store, clock } = await openTestStore();
    for (let n = 0; n < 6; n++) await store.jobs.enqueue(copy);
    let [now, most] = [0, 0];
    const two = Promise.withResolvers<void>();
    const handler: JobHandler = async ({ log }) => {
      most = Math.max(most, ++now);
      if (now === 2) two.resolve();
      await two.promise;
      await log("working");
      now--;
    };
    await run(store, { copy: handler }, { now: clock.now, concurrency: 2 });
    expect(most).toBe(2);
  });

  test("cancelling aborts the handler, and the job ends as cancelled", async () => {
    const { store, clock } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    const handler: JobHandler = async ({ signal }) => {
      void store.jobs.requestCancel(id);
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const [job] = await run(store, { copy: handler }, { now: clock.now });
    expect(job).toMatchObject({ state: "cancelled" });
  });

  test("a runner that is stopped hands its jobs back with their checkpoint", async () => {
    const { store, clock } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    const stop = new AbortController();
    const handler: JobHandler = async ({ signal, saveCheckpoint }) => {
      await saveCheckpoint({ at: 3 });
      stop.abort();
      signal.throwIfAborted();
    };
    await run(store, { copy: handler }, { now: clock.now, signal: stop.signal });
    expect(await store.jobs.get(id)).toMatchObject({ state: "queued", attempts: 0 });
    expect((await claimed(store)).checkpoint).toEqual({ at: 3 });
  });

  test("a handler whose job was taken over is aborted, and writes nothing more", async () => {
    const { store, clock } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    const stop = new AbortController();
    const handler: JobHandler = async ({ signal, log }) => {
      clock.pass(LEASE_MS);
      await claimed(store, "thief");
      await log("too late").catch(() => {});
      expect(signal.aborted).toBe(true);
      stop.abort();
      return "mine";
    };
    await run(store, { copy: handler }, { now: clock.now, signal: stop.signal, leaseMs: LEASE_MS });
    expect(await store.jobs.get(id)).toMatchObject({ state: "running" });
    expect((await store.jobs.get(id)).result).toBeUndefined();
    expect(await store.jobs.logs(id)).toEqual([]);
  });

  test("progress is written at each stage with its rate, not at each call", async () => {
    const { store, clock } = await openTestStore();
    const { id } = await store.jobs.enqueue(copy);
    let told = 0;
    store.watch((change) => void (change.id === id && told++));
    const handler: JobHandler = async ({ progress }) => {
      for (let done = 0; done <= 1000; done++) {
        progress({ stage: "copy", done, total: 1000 });
        clock.pass(1);
      }
    };
    const [job] = await run(store, { copy: handler }, { now: clock.now });
    expect(job?.progress).toMatchObject({ stage: "copy", done: 1000, total: 1000, ratePerSecond: 1000 });
    expect(told).toBeLessThan(12);
  });
});
