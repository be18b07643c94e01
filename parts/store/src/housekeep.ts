import { sql } from "kysely";
import type { Context } from "./context.ts";
import { events } from "./events.ts";
import { jobs } from "./jobs.ts";
import { plans } from "./plans.ts";
import { rollouts } from "./rollouts.ts";
import { tokens } from "./tokens.ts";

/** How long what is kept: whichever limit is met first. Records, releases and imports are kept for ever. */
export interface Retention {
  readonly jobsMs: number;
  readonly jobsMax: number;
  readonly eventsMs: number;
  readonly eventsMax: number;
  /** Rollouts and plans that no record refers to: those that only healed. */
  readonly rolloutsMs: number;
}

/** How much went. */
export interface Housekeeping {
  readonly tokens: number;
  readonly jobs: number;
  readonly events: number;
  readonly rollouts: number;
  readonly plans: number;
}

const DAY_MS = 86_400_000;

const RETENTION: Retention = {
  jobsMs: 90 * DAY_MS,
  jobsMax: 2000,
  eventsMs: 3 * 365 * DAY_MS,
  eventsMax: 1_000_000,
  rolloutsMs: 30 * DAY_MS,
};

export async function housekeep(context: Context, keep: Partial<Retention> = {}): Promise<Housekeeping> {
  const limits = { ...RETENTION, ...keep };
  const nowMs = Date.parse(context.now());
  const ago = (ms: number) => new Date(nowMs - ms).toISOString();
  const dropped = {
    tokens: await tokens.removeExpired(context),
    jobs: await jobs.prune(context, { endedBefore: ago(limits.jobsMs), endedMax: limits.jobsMax }),
    events: await events.prune(context, { before: ago(limits.eventsMs), rowsMax: limits.eventsMax }),
    rollouts: await rollouts.prune(context, ago(limits.rolloutsMs)),
    plans: await plans.prune(context, ago(limits.rolloutsMs)),
  };
  await sql`PRAGMA optimize`.execute(context.db);
  return dropped;
}
