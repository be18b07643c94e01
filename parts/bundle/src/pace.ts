import { setTimeout as delay } from "node:timers/promises";

export interface PaceClock {
  /** Milliseconds that only go forward. */
  nowMs(): number;
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

const machineClock: PaceClock = {
  nowMs: () => performance.now(),
  sleep: async (durationMs, signal) => {
    try {
      await delay(durationMs, undefined, { ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** Holds a stream of bytes to a rate, on average since it began. */
export class Pace {
  readonly #bytesPerSecond: number | undefined;
  readonly #clock: PaceClock;
  readonly #startMs: number;
  #spentBytes = 0;

  constructor(bytesPerSecond: number | undefined, clock: PaceClock = machineClock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
    this.#startMs = clock.nowMs();
  }

  /** Counts bytes, and waits until they may have been spent. Throws the signal's reason. */
  async spend(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === undefined) return;
    this.#spentBytes += bytes;
    const aheadMs = (this.#spentBytes / this.#bytesPerSecond) * 1000 - (this.#clock.nowMs() - this.#startMs);
    if (aheadMs > 0) await this.#clock.sleep(aheadMs, signal);
  }
}
