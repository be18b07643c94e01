import type { Progress } from "@sampan/content";
import { describeError, isProblem, problemJson } from "@sampan/problem";
import type { ClaimedJob, Job } from "./job-types.ts";
import type { Store } from "./open-store.ts";
import { storeProblem } from "./problems.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { LEASE_MS_DEFAULT, type RunnerOptions } from "./run-jobs.ts";

/** What a handler gets. All of it works only while the job is held. */
export interface JobRun {
  readonly job: Job;
  readonly input: unknown;
  /** What an earlier attempt saved; undefined at the first. */
  readonly checkpoint: unknown;
  /** Aborts when the job is cancelled or lost, or the runner stops. The handler then throws the reason soon. */
  readonly signal: AbortSignal;
  /** Cheap to call often: it is written at most four times a second, and at each new stage. */
  progress(progress: Progress): void;
  /** Adds a line to the job's log. */
  log(text: string): Promise<void>;
  /** Saves where a later attempt can go on; at most 1 MiB of JSON. */
  saveCheckpoint(checkpoint: unknown): Promise<void>;
}

/** Does the work of one kind and gives the result (JSON). A Problem, or any other error, fails the job for good. */
export type JobHandler = (run: JobRun) => Promise<unknown>;

/** Why a job was stopped from outside; undefined while it was not. */
type Stop = "cancelled" | "lost" | "stopping";

/** Runs one claimed job to its end, keeping the lease alive. Never rejects: what cannot be written is left to the lease. */
export async function runJob(
  store: Store,
  claimed: ClaimedJob,
  handler: JobHandler | undefined,
  options: RunnerOptions,
): Promise<void> {
  const { job, lease } = claimed;
  const abort = new AbortController();
  let stopped: Stop | undefined;
  const stop = (why: Stop) => {
    stopped ??= why;
    abort.abort(new DOMException(`the job was ${why === "stopping" ? "handed back" : why}`, "AbortError"));
  };
  const guard = async (work: Promise<unknown>) => {
    try {
      await work;
    } catch (error) {
      if (isProblem(error, "STORE_LEASE_LOST")) stop("lost");
      else options.onError?.(error, job);
    }
  };
  const held = async (work: Promise<void>) => {
    try {
      await work;
    } catch (error) {
      if (isProblem(error, "STORE_LEASE_LOST")) stop("lost");
      throw error;
    }
  };
  const meter = new ProgressMeter(options.now, (progress) => guard(store.jobs.progress(lease, progress)));
  const release = keepLease(store, claimed, options, { guard, stop });
  let end: () => Promise<void>;
  try {
    const result = await handle(claimed, handler, {
      job,
      input: claimed.input,
      checkpoint: claimed.checkpoint,
      signal: abort.signal,
      progress: (progress) => meter.note(progress),
      log: (text) => held(store.jobs.log(lease, text)),
      saveCheckpoint: (checkpoint) => held(store.jobs.saveCheckpoint(lease, checkpoint)),
    });
    end = () => store.jobs.succeed(lease, result);
  } catch (error) {
    end = () => endAfter(error, stopped, { store, claimed, options });
  }
  release();
  await meter.flush();
  if (stopped !== "lost") await guard(end());
}

async function handle(claimed: ClaimedJob, handler: JobHandler | undefined, run: JobRun): Promise<unknown> {
  if (handler === undefined)
    throw storeProblem("STORE_JOB_UNKNOWN", `no handler runs jobs of kind ${claimed.job.kind}`);
  return handler(run);
}

/** Beats until the returned function is called; hears of cancelling at once when it is asked for in this process. */
function keepLease(
  store: Store,
  { job, lease }: ClaimedJob,
  options: RunnerOptions,
  on: { guard: (work: Promise<unknown>) => Promise<void>; stop: (why: Stop) => void },
): () => void {
  const leaseMs = options.leaseMs ?? LEASE_MS_DEFAULT;
  const beat = async () => {
    const { cancelRequested } = await store.jobs.heartbeat(lease, leaseMs);
    if (cancelRequested) on.stop("cancelled");
  };
  const look = async () => {
    if ((await store.jobs.get(job.id)).cancelRequested) on.stop("cancelled");
  };
  const timer = setInterval(() => void on.guard(beat()), leaseMs / 3);
  const stopListening = store.watch((change) => {
    if (change.noun === "job" && change.id === job.id) void on.guard(look());
  });
  const stopping = () => on.stop("stopping");
  options.signal.addEventListener("abort", stopping);
  if (options.signal.aborted) stopping();
  if (job.cancelRequested) on.stop("cancelled");
  return () => {
    clearInterval(timer);
    stopListening();
    options.signal.removeEventListener("abort", stopping);
  };
}

async function endAfter(
  error: unknown,
  stopped: Stop | undefined,
  { store, claimed, options }: { store: Store; claimed: ClaimedJob; options: RunnerOptions },
): Promise<void> {
  const { lease, job } = claimed;
  if (stopped === "cancelled") return store.jobs.cancelled(lease);
  if (stopped === "stopping") return store.jobs.release(lease);
  if (isProblem(error)) return store.jobs.fail(lease, problemJson(error));
  options.onError?.(error, job);
  const problem = storeProblem("STORE_JOB_FAILED", `the job ${job.kind} failed`, {
    why: describeError(error),
  });
  return store.jobs.fail(lease, problemJson(problem));
}
