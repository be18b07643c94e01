import { problemJson } from "@sampan/problem";
import type { Change } from "./change.ts";
import type { Context } from "./context.ts";
import { storeProblem } from "./problems.ts";
import { toJson } from "./row.ts";
import type { Tables } from "./tables.ts";

export function jobChange(row: Tables["jobs"], act: "created" | "updated"): Change {
  return { noun: "job", id: row.id, act, ...(row.teamId === null ? {} : { teamId: row.teamId }) };
}

/**
 * Every running job whose worker has not been heard of in time is queued again, cancelled when that was asked, or given up. A lease of
 * another worker that ends later than any given now could was given before the clock was set back: that worker is not waited for.
 */
export async function abandonExpired(
  context: Context,
  claiming?: { readonly workerId: string; readonly leaseMs: number },
): Promise<number> {
  const now = context.now();
  const expired = await context.db
    .selectFrom("jobs")
    .selectAll()
    .where("state", "=", "running")
    .where((eb) => {
      const isOver = eb("leaseUntil", "<=", now);
      if (claiming === undefined) return isOver;
      const latest = new Date(Date.parse(now) + claiming.leaseMs).toISOString();
      return eb.or([
        isOver,
        eb.and([eb("leaseUntil", ">", latest), eb("workerId", "!=", claiming.workerId)]),
      ]);
    })
    .execute();
  await abandon(context, expired);
  return expired.length;
}

/** The same for every running job, whatever its lease: for a process that knows that it is the only one. */
export async function abandonRunning(context: Context): Promise<number> {
  const running = await context.db.selectFrom("jobs").selectAll().where("state", "=", "running").execute();
  await abandon(context, running);
  return running.length;
}

async function abandon(context: Context, rows: readonly Tables["jobs"][]): Promise<void> {
  const now = context.now();
  for (const row of rows) {
    const next = afterLease(row, now);
    const after = await context.db
      .updateTable("jobs")
      .set({ ...next, workerId: null, leaseUntil: null })
      .where("id", "=", row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    context.changed(jobChange(after, "updated"));
  }
}

function afterLease(row: Tables["jobs"], now: string): Partial<Tables["jobs"]> {
  if (row.cancelRequested === 1) return { state: "cancelled", endedAt: now };
  if (row.attempts < row.attemptsMax) return { state: "queued" };
  const problem = storeProblem("STORE_JOB_ABANDONED", `the job ${row.kind} was given up`, {
    why: `the server stopped in the middle of it ${row.attempts} times`,
    hint: "read its log, mend what stops the server, and start it again",
  });
  return { state: "failed", endedAt: now, problem: toJson(problemJson(problem)) };
}
