import type { ProblemJson } from "@sampan/problem";
import { type Context, openJson } from "./context.ts";
import { jobChange } from "./job-expiry.ts";
import { type ClaimedJob, type JobProgress, type Lease, toJob } from "./job-types.ts";
import { storeProblem } from "./problems.ts";
import { fromJson, toJson } from "./row.ts";
import type { Tables } from "./tables.ts";

const LOG_LINES_MAX = 2000;
const LOG_LINE_LENGTH_MAX = 4096;
const CHECKPOINT_SIZE_MAX = 1024 * 1024;
const RESULT_SIZE_MAX = 4 * 1024 * 1024;

/** What the holder of a lease may do. Each throws STORE_LEASE_LOST once the lease is somebody else's, and then changes nothing. */
export const jobWork = {
  /** Lengthens the lease. Says whether the job should stop. */
  heartbeat(context: Context, lease: Lease, leaseMs: number): Promise<{ readonly cancelRequested: boolean }> {
    return context.write(async (inside) => {
      const leaseUntil = new Date(Date.parse(inside.now()) + leaseMs).toISOString();
      const row = await updateHeld(inside, lease, { leaseUntil });
      return { cancelRequested: row.cancelRequested === 1 };
    });
  },

  progress(context: Context, lease: Lease, progress: JobProgress): Promise<void> {
    return context.write(async (inside) => {
      const row = await updateHeld(inside, lease, { progress: toJson(progress) });
      inside.changed(jobChange(row, "updated"));
    });
  },

  /** Saves where a later attempt can go on; at most 1 MiB. */
  saveCheckpoint(context: Context, lease: Lease, checkpoint: unknown): Promise<void> {
    return context.write(async (inside) => {
      await updateHeld(inside, lease, { checkpoint: toJson(checkpoint, CHECKPOINT_SIZE_MAX) });
    });
  },

  /** Adds a line; beyond 2000 the oldest go. Never give it a secret. */
  log(context: Context, lease: Lease, text: string): Promise<void> {
    return context.write(async (inside) => {
      const held = await findHeld(inside, lease);
      const seq = held.logCount + 1;
      const row = await updateHeld(inside, lease, { logCount: seq });
      await inside.db
        .insertInto("jobLogs")
        .values({ jobId: lease.jobId, seq, at: inside.now(), text: text.slice(0, LOG_LINE_LENGTH_MAX) })
        .execute();
      await inside.db
        .deleteFrom("jobLogs")
        .where("jobId", "=", lease.jobId)
        .where("seq", "<=", seq - LOG_LINES_MAX)
        .execute();
      inside.changed(jobChange(row, "updated"));
    });
  },

  succeed(context: Context, lease: Lease, result: unknown): Promise<void> {
    return end(context, lease, { state: "succeeded", result: toJson(result ?? null, RESULT_SIZE_MAX) });
  },

  fail(context: Context, lease: Lease, problem: ProblemJson): Promise<void> {
    return end(context, lease, { state: "failed", problem: toJson(problem) });
  },

  /** The worker stopped because it was asked to. */
  cancelled(context: Context, lease: Lease): Promise<void> {
    return end(context, lease, { state: "cancelled" });
  },

  /** Hands the job back: another worker, or a later run of this one, goes on. It does not count as an attempt. */
  release(context: Context, lease: Lease): Promise<void> {
    return context.write(async (inside) => {
      const held = await findHeld(inside, lease);
      const row = await updateHeld(inside, lease, {
        ...(held.cancelRequested === 1
          ? { state: "cancelled" as const, endedAt: inside.now() }
          : { state: "queued" as const }),
        attempts: held.attempts - 1,
        workerId: null,
        leaseUntil: null,
      });
      inside.changed(jobChange(row, "updated"));
    });
  },
};

export function openClaim(context: Context, row: Tables["jobs"]): ClaimedJob {
  return {
    job: toJob(row),
    lease: { jobId: row.id, workerId: row.workerId ?? "", fence: row.fence },
    input: openJson(context, row.sealedInput),
    ...(row.checkpoint === null ? {} : { checkpoint: fromJson(row.checkpoint) }),
  };
}

function end(context: Context, lease: Lease, change: Partial<Tables["jobs"]>): Promise<void> {
  return context.write(async (inside) => {
    const row = await updateHeld(inside, lease, {
      ...change,
      endedAt: inside.now(),
      workerId: null,
      leaseUntil: null,
    });
    inside.changed(jobChange(row, "updated"));
  });
}

async function findHeld(context: Context, lease: Lease): Promise<Tables["jobs"]> {
  const row = await context.db
    .selectFrom("jobs")
    .selectAll()
    .where("id", "=", lease.jobId)
    .where("state", "=", "running")
    .where("workerId", "=", lease.workerId)
    .where("fence", "=", lease.fence)
    .executeTakeFirst();
  if (row === undefined) throw lost(lease);
  return row;
}

async function updateHeld(
  context: Context,
  lease: Lease,
  change: Partial<Tables["jobs"]>,
): Promise<Tables["jobs"]> {
  const row = await context.db
    .updateTable("jobs")
    .set(change)
    .where("id", "=", lease.jobId)
    .where("state", "=", "running")
    .where("workerId", "=", lease.workerId)
    .where("fence", "=", lease.fence)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw lost(lease);
  return row;
}

function lost(lease: Lease) {
  return storeProblem("STORE_LEASE_LOST", `the job ${lease.jobId} is not held by this worker any more`, {
    why: "its lease ran out and it was taken over, or it has ended",
  });
}
