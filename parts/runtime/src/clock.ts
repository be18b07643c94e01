/** Time as a driver is given it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/**
 * A clock that stands still while somebody works, and jumps to the next awakening when all sleep. So tests of hours run in
 * milliseconds, and in the same order each time.
 */
export function virtualClock(
  startsAtMs = Date.UTC(2026, 0, 1),
): Clock & { advance(ms: number): Promise<void> } {
  const sleepers: Sleeper[] = [];
  let now = startsAtMs;
  let jumping = false;

  function jump(): void {
    jumping = false;
    const next = sleepers.shift();
    if (next === undefined) return;
    now = Math.max(now, next.at);
    next.wake();
    jumpSoon();
  }

  function jumpSoon(): void {
    if (jumping || sleepers.length === 0) return;
    jumping = true;
    setImmediate(jump);
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const onAbort = () => {
        sleepers.splice(sleepers.indexOf(sleeper), 1);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        at: now + Math.max(0, ms),
        wake() {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const at = sleepers.findIndex((one) => one.at > sleeper.at);
      sleepers.splice(at === -1 ? sleepers.length : at, 0, sleeper);
      jumpSoon();
    });
  }

  return { now: () => now, sleep, advance: (ms) => sleep(ms) };
}
