import type { ClaimedJob, Job } from "./job-types.ts";
import type { Store } from "./open-store.ts";
import { type JobHandler, runJob } from "./run-job.ts";

export interface RunnerOptions {
  readonly workerId: string;
  /** How many jobs run side by side. */
  readonly concurrency: number;
  /** Stops the runner: running jobs are aborted and handed back. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** A worker that is not heard of for so long has lost its jobs; 30 s when absent. Heartbeats come three times as often. */
  readonly leaseMs?: number;
  /** How often to look for jobs that become due or were left behind; 1 s when absent. New ones of this process are seen at once. */
  readonly pollMs?: number;
  /** Told of errors that are not problems, and of failures of the database; it must not throw. */
  readonly onError?: (error: unknown, job?: Job) => void;
}

/** Runs queued jobs until `signal` aborts; resolves when all are ended or handed back. A job of a kind without handler fails. */
export async function runJobs(
  store: Store,
  handlers: Readonly<Record<string, JobHandler>>,
  options: RunnerOptions,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const bell = new Bell(options.pollMs ?? 1000);
  const ring = () => bell.ring();
  const stopListening = store.watch((change) => {
    if (change.noun === "job") bell.ring();
  });
  options.signal.addEventListener("abort", ring);
  try {
    while (!options.signal.aborted) {
      const claimed = running.size < options.concurrency ? await claim(store, options) : undefined;
      if (claimed === undefined) {
        await bell.heard();
        continue;
      }
      const work = runJob(store, claimed, handlerOf(handlers, claimed.job.kind), options).finally(() => {
        running.delete(work);
        bell.ring();
      });
      running.add(work);
    }
  } finally {
    options.signal.removeEventListener("abort", ring);
    stopListening();
    bell.silence();
    await Promise.all(running);
  }
}

/** A kind is data: it must not find what every object has. */
function handlerOf(handlers: Readonly<Record<string, JobHandler>>, kind: string): JobHandler | undefined {
  return Object.hasOwn(handlers, kind) ? handlers[kind] : undefined;
}

async function claim(store: Store, options: RunnerOptions): Promise<ClaimedJob | undefined> {
  try {
    return await store.jobs.claim(options.workerId, options.leaseMs ?? LEASE_MS_DEFAULT);
  } catch (error) {
    // A full disk or a locked database passes; the runner looks again with the next ring.
    options.onError?.(error);
    return undefined;
  }
}

export const LEASE_MS_DEFAULT = 30_000;

/** Rings by itself every `periodMs`, and when it is rung; a ring that nobody waits for is heard by the next who does. */
class Bell {
  readonly #timer: NodeJS.Timeout;
  #rung = false;
  #wake: () => void = () => {};

  constructor(periodMs: number) {
    this.#timer = setInterval(() => this.ring(), periodMs);
  }

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  async heard(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#rung = false;
  }

  silence(): void {
    clearInterval(this.#timer);
  }
}
