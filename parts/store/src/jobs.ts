import { absent } from "./absent.ts";
import { type Context, sealJson } from "./context.ts";
import { abandonExpired, abandonRunning, jobChange } from "./job-expiry.ts";
import { type ClaimedJob, type Job, type JobLogLine, type JobState, toJob } from "./job-types.ts";
import { jobWork, openClaim } from "./job-work.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { jobsInSight } from "./sight.ts";

const ATTEMPTS_MAX_DEFAULT = 5;

export interface JobRequest {
  readonly kind: string;
  /** JSON, sealed at rest: it may hold secrets. */
  readonly input: unknown;
  readonly teamId?: string;
  readonly subject?: string;
  readonly startedBy: string;
  /** The same key from the same person for the same kind gives the job that exists. */
  readonly idempotencyKey?: string;
  readonly lane?: string;
  /** How often it may be begun before it is given up; 5 when absent. */
  readonly attemptsMax?: number;
  /** ISO time; now when absent. */
  readonly runAt?: string;
}

/** Durable long work. What a worker may do with a claimed job is in `job-work.ts`. */
export const jobs = {
  ...jobWork,

  enqueue(context: Context, request: JobRequest): Promise<Job> {
    return context.write(async (inside) => {
      const { input, ...rest } = request;
      const known = await findSame(inside, request);
      if (known !== undefined) return known;
      const now = inside.now();
      const row = await inside.db
        .insertInto("jobs")
        .values({
          attemptsMax: ATTEMPTS_MAX_DEFAULT,
          runAt: now,
          ...rest,
          id: inside.newId(),
          sealedInput: sealJson(inside, input),
          state: "queued",
          cancelRequested: 0,
          fence: 0,
          attempts: 0,
          logCount: 0,
          createdAt: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed(jobChange(row, "created"));
      return toJob(row);
    });
  },

  async get(context: Context, id: string): Promise<Job> {
    const row = await context.db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("job", id);
    return toJob(row);
  },

  /** Newest first. */
  async list(
    context: Context,
    sight: Sight,
    filter: { state?: JobState; kind?: string; teamId?: string; subject?: string } = {},
    page: PageRequest = {},
  ): Promise<Page<Job>> {
    let query = context.db.selectFrom("jobs").selectAll().where(jobsInSight(sight));
    for (const column of ["state", "kind", "teamId", "subject"] as const) {
      const value = filter[column];
      if (value !== undefined) query = query.where(column, "=", value);
    }
    return mapPage(await readPage(query, { by: "createdAt", id: "id", direction: "desc" }, page), toJob);
  },

  /** Log lines after `seq`, oldest first. */
  async logs(
    context: Context,
    id: string,
    page: { afterSeq?: number; limit?: number } = {},
  ): Promise<readonly JobLogLine[]> {
    return context.db
      .selectFrom("jobLogs")
      .select(["seq", "at", "text"])
      .where("jobId", "=", id)
      .where("seq", ">", page.afterSeq ?? 0)
      .orderBy("seq")
      .limit(Math.min(Math.max(1, page.limit ?? 500), 2000))
      .execute();
  },

  /**
   * Takes the oldest job that may run now and whose lane is free, for `leaseMs`; undefined when there is none. Jobs whose lease ran
   * out go back into the queue first, or fail when they were begun too often.
   */
  claim(context: Context, workerId: string, leaseMs: number): Promise<ClaimedJob | undefined> {
    return context.write(async (inside) => {
      await abandonExpired(inside, { workerId, leaseMs });
      const now = inside.now();
      const candidate = await inside.db
        .selectFrom("jobs")
        .select("id")
        .where("state", "=", "queued")
        // What was queued in the future was queued before the clock was set back: it is not waited for.
        .where((eb) => eb.or([eb("runAt", "<=", now), eb("createdAt", ">", now)]))
        .where((eb) =>
          eb.or([
            eb("lane", "is", null),
            eb(
              "lane",
              "not in",
              eb
                .selectFrom("jobs as other")
                .select((other) => other.ref("other.lane").$notNull().as("lane"))
                .where("other.state", "=", "running")
                .where("other.lane", "is not", null),
            ),
          ]),
        )
        .orderBy("runAt")
        .orderBy("createdAt")
        .orderBy("id")
        .limit(1)
        .executeTakeFirst();
      if (candidate === undefined) return undefined;
      const row = await inside.db
        .updateTable("jobs")
        .set((eb) => ({
          state: "running" as const,
          workerId,
          leaseUntil: new Date(Date.parse(now) + leaseMs).toISOString(),
          fence: eb("fence", "+", 1),
          attempts: eb("attempts", "+", 1),
          startedAt: eb.fn.coalesce("startedAt", eb.val(now)),
        }))
        .where("id", "=", candidate.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed(jobChange(row, "updated"));
      return openClaim(inside, row);
    });
  },

  /** Puts jobs whose lease ran out back into the queue, or ends them; returns how many. `claim` does it too. */
  abandonExpired(context: Context): Promise<number> {
    return context.write((inside) => abandonExpired(inside));
  },

  /**
   * Puts all running jobs back, as if their leases had run out; returns how many. Only for a process that has just begun and knows
   * that no other works on this database: it need not wait for the leases of the one before it.
   */
  abandonRunning(context: Context): Promise<number> {
    return context.write(abandonRunning);
  },

  /** Ends a queued job at once; asks the worker of a running one to stop. A job that has ended is left as it is. */
  requestCancel(context: Context, id: string): Promise<Job> {
    return context.write(async (inside) => {
      const before = await jobs.get(inside, id);
      if (before.state !== "queued" && before.state !== "running") return before;
      const row = await inside.db
        .updateTable("jobs")
        .set({
          cancelRequested: 1,
          ...(before.state === "queued" ? { state: "cancelled" as const, endedAt: inside.now() } : {}),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed(jobChange(row, "updated"));
      return toJob(row);
    });
  },

  /** Queues a failed or cancelled job once more; it goes on from its checkpoint. One that has not ended, or succeeded, stays as it is. */
  again(context: Context, id: string): Promise<Job> {
    return context.write(async (inside) => {
      const before = await jobs.get(inside, id);
      if (before.state !== "failed" && before.state !== "cancelled") return before;
      const queued = {
        state: "queued",
        cancelRequested: 0,
        attempts: 0,
        problem: null,
        endedAt: null,
      } as const;
      const row = await inside.db
        .updateTable("jobs")
        .set({ ...queued, runAt: inside.now() })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed(jobChange(row, "updated"));
      return toJob(row);
    });
  },

  /** Drops jobs that ended before `endedBefore`, and of the others all but the newest `endedMax` ended ones. Returns how many. */
  prune(context: Context, keep: { endedBefore: string; endedMax: number }): Promise<number> {
    return context.write(async (inside) => {
      const kept = inside.db
        .selectFrom("jobs")
        .select("id")
        .where("endedAt", ">=", keep.endedBefore)
        .orderBy("endedAt", "desc")
        .orderBy("id", "desc")
        .limit(Math.max(0, keep.endedMax));
      const { numDeletedRows } = await inside.db
        .deleteFrom("jobs")
        .where("endedAt", "is not", null)
        .where("id", "not in", kept)
        .executeTakeFirst();
      return Number(numDeletedRows);
    });
  },
};

async function findSame(context: Context, request: JobRequest): Promise<Job | undefined> {
  if (request.idempotencyKey === undefined) return undefined;
  const row = await context.db
    .selectFrom("jobs")
    .selectAll()
    .where("startedBy", "=", request.startedBy)
    .where("kind", "=", request.kind)
    .where("idempotencyKey", "=", request.idempotencyKey)
    .executeTakeFirst();
  return row === undefined ? undefined : toJob(row);
}
