import type { Progress } from "@sampan/content";
import type { ProblemJson } from "@sampan/problem";
import { fromJson, present } from "./row.ts";
import type { Tables } from "./tables.ts";

export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** How far a job is, with its speed. */
export interface JobProgress extends Progress {
  readonly at: string;
  /** Units of `done` per second in this stage, smoothed; absent while unknown. */
  readonly ratePerSecond?: number;
}

export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly teamId?: string;
  /** Id of what it works on, such as an app. */
  readonly subject?: string;
  /** User id, or `system`. */
  readonly startedBy: string;
  /** Of the jobs of one lane, one runs at a time. */
  readonly lane?: string;
  readonly state: JobState;
  readonly cancelRequested: boolean;
  readonly attempts: number;
  readonly attemptsMax: number;
  /** Not before. */
  readonly runAt: string;
  readonly progress?: JobProgress;
  readonly result?: unknown;
  readonly problem?: ProblemJson;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** The right to work on a job: lost when the lease runs out, or the job is cancelled and ended by somebody else. */
export interface Lease {
  readonly jobId: string;
  readonly workerId: string;
  /** Grows with every claim, so that a worker of old is told apart from itself. */
  readonly fence: number;
}

export interface ClaimedJob {
  readonly job: Job;
  readonly lease: Lease;
  readonly input: unknown;
  /** What an earlier attempt saved, to go on from. */
  readonly checkpoint?: unknown;
}

export interface JobLogLine {
  /** From 1. Where the first numbers are missing, old lines were dropped. */
  readonly seq: number;
  readonly at: string;
  readonly text: string;
}

export function toJob(row: Tables["jobs"]): Job {
  const {
    sealedInput: _input,
    checkpoint: _checkpoint,
    workerId: _worker,
    leaseUntil: _until,
    fence: _fence,
    logCount: _count,
    idempotencyKey: _key,
    cancelRequested,
    progress,
    result,
    problem,
    ...rest
  } = present(row);
  return {
    ...rest,
    cancelRequested: cancelRequested === 1,
    ...(progress === undefined ? {} : { progress: fromJson<JobProgress>(progress) }),
    ...(result === undefined ? {} : { result: fromJson(result) }),
    ...(problem === undefined ? {} : { problem: fromJson<ProblemJson>(problem) }),
  };
}
