import { humanBytes, humanDuration } from "./amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { fitWidth } from "./text-width.ts";

export interface Progress {
  readonly done: number;
  readonly total?: number | undefined;
  readonly note?: string | undefined;
}

/** Less are things that are counted, such as images; more are bytes. */
const COUNT_MAX = 4096;
/** Before, a rate says nothing. */
const RATE_AFTER_MS = 500;

/**
 * How far long work is: for a person one line that is written over (share, bytes, rate, time left), elsewhere nothing until
 * a stage ends; then one line says what it did.
 */
export class ProgressLine {
  readonly #context: CommandContext;
  #stage: string | undefined;
  #startedMs = 0;
  #startedDone = 0;
  #last: Progress = { done: 0 };

  constructor(context: CommandContext) {
    this.#context = context;
  }

  show(stage: string, progress: Progress): void {
    if (this.#context.isTerse) return;
    if (stage !== this.#stage) {
      this.end();
      this.#stage = stage;
      this.#startedMs = this.#context.clock.nowMs();
      this.#startedDone = progress.done;
    }
    this.#last = progress;
    const { terminal } = this.#context;
    if (terminal.isInteractive)
      terminal.overwrite(fitWidth(this.#text(stage, progress), terminal.columns - 1));
  }

  /** Says what the last stage did. */
  end(): void {
    if (this.#stage === undefined) return;
    const { done } = this.#last;
    const took = humanDuration(this.#context.clock.nowMs() - this.#startedMs);
    this.#context.terminal.overwrite();
    this.#context.remark(`  ${this.#stage}  ${amount(done, done)}  ${took}`);
    this.#stage = undefined;
  }

  #text(stage: string, { done, total, note }: Progress): string {
    const elapsedMs = this.#context.clock.nowMs() - this.#startedMs;
    const perMs = elapsedMs >= RATE_AFTER_MS ? (done - this.#startedDone) / elapsedMs : 0;
    const parts = [`  ${stage}`];
    if (total !== undefined && total > 0) parts.push(`${Math.min(100, Math.floor((100 * done) / total))}%`);
    parts.push(
      total === undefined ? amount(done, done) : `${amount(done, total)} of ${amount(total, total)}`,
    );
    if (perMs * 1000 > COUNT_MAX) parts.push(`${humanBytes(perMs * 1000)}/s`);
    if (total !== undefined && perMs > 0) parts.push(`${humanDuration((total - done) / perMs)} left`);
    if (note !== undefined) parts.push(note);
    return parts.join("  ");
  }
}

function amount(value: number, largest: number): string {
  return largest > COUNT_MAX ? humanBytes(value) : String(value);
}
