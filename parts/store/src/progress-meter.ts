import type { Progress } from "@sampan/content";
import type { JobProgress } from "./job-types.ts";

const WRITE_EVERY_MS = 250;
/** Weight of the newest interval: steady enough to read, quick enough to show a stall. */
const NEWEST_WEIGHT = 0.3;

/** Takes progress as often as it comes, adds the rate, and writes as often as a person can see. */
export class ProgressMeter {
  readonly #now: () => Date;
  readonly #write: (progress: JobProgress) => Promise<void>;
  #written: { progress: Progress; atMs: number; rate: number | undefined } | undefined;
  #waiting: Progress | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(now: () => Date, write: (progress: JobProgress) => Promise<void>) {
    this.#now = now;
    this.#write = write;
  }

  note(progress: Progress): void {
    this.#waiting = progress;
    const last = this.#written;
    const due =
      last === undefined ||
      last.progress.stage !== progress.stage ||
      this.#now().getTime() - last.atMs >= WRITE_EVERY_MS;
    if (due) this.#take();
  }

  /** Writes what is left; resolves when all is written. */
  async flush(): Promise<void> {
    this.#take();
    await this.#writing;
  }

  #take(): void {
    const progress = this.#waiting;
    if (progress === undefined) return;
    this.#waiting = undefined;
    const at = this.#now();
    const rate = this.#rate(progress, at.getTime());
    this.#written = { progress, atMs: at.getTime(), rate };
    const full: JobProgress = {
      ...progress,
      at: at.toISOString(),
      ...(rate === undefined ? {} : { ratePerSecond: Math.round(rate) }),
    };
    this.#writing = this.#writing.then(() => this.#write(full));
  }

  #rate(progress: Progress, atMs: number): number | undefined {
    const last = this.#written;
    if (last === undefined || last.progress.stage !== progress.stage) return undefined;
    const seconds = (atMs - last.atMs) / 1000;
    if (seconds <= 0) return last.rate;
    const newest = Math.max(0, progress.done - last.progress.done) / seconds;
    return last.rate === undefined ? newest : NEWEST_WEIGHT * newest + (1 - NEWEST_WEIGHT) * last.rate;
  }
}
