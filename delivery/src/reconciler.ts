import { isProblem } from "@sampan/problem";
import { allApps } from "./host-ports.ts";
import type { Parts } from "./parts.ts";
import { reconcile } from "./reconcile.ts";

export interface ReconcilerOptions {
  readonly signal: AbortSignal;
  /** Every app is looked at this often, whatever happens. */
  readonly everyMs: number;
  readonly onTrouble: (appId: string, error: unknown) => void;
}

const RETRY_FIRST_MS = 2000;
const RETRY_LAST_MS = 60_000;

/** Wakes `reconcile`: by a change that was stored, by an event of the engine, by the timer. One pass per app at a time. */
export class Reconciler {
  readonly #parts: Parts;
  readonly #options: ReconcilerOptions;
  readonly #busy = new Set<string>();
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #retries = new Map<string, AbortController>();
  readonly #idle: Promise<unknown>[] = [];

  constructor(parts: Parts, options: ReconcilerOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Looks at everything, then whenever woken; resolves when the signal aborts and what ran has stopped. */
  async run(): Promise<void> {
    const { signal, everyMs } = this.#options;
    this.#idle.push(this.#listen());
    while (!signal.aborted) {
      await this.#wakeAll().catch((error) => this.#options.onTrouble("*", error));
      await this.#parts.sleep(everyMs, signal).catch(() => undefined);
    }
    await Promise.allSettled(this.#idle);
  }

  wake(appId: string): void {
    if (this.#options.signal.aborted) return;
    if (this.#busy.has(appId)) {
      this.#waiting.add(appId);
      return;
    }
    this.#busy.add(appId);
    const pass = this.#pass(appId).finally(() => {
      this.#busy.delete(appId);
      this.#idle.splice(this.#idle.indexOf(pass), 1);
      if (this.#waiting.delete(appId)) this.wake(appId);
    });
    this.#idle.push(pass);
  }

  async #pass(appId: string): Promise<void> {
    const { signal, onTrouble } = this.#options;
    this.#retries.get(appId)?.abort();
    this.#retries.delete(appId);
    try {
      while ((await reconcile(this.#parts, appId, signal)) === "again") signal.throwIfAborted();
      this.#failures.delete(appId);
    } catch (error) {
      if (signal.aborted) return;
      onTrouble(appId, error);
      this.#retryLater(appId);
    }
  }

  /** One retry waits for each app at most, however often it is woken meanwhile. */
  #retryLater(appId: string): void {
    const failures = (this.#failures.get(appId) ?? 0) + 1;
    this.#failures.set(appId, failures);
    const retry = new AbortController();
    this.#retries.set(appId, retry);
    const waitMs = Math.min(RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10), RETRY_LAST_MS);
    this.#parts.sleep(waitMs, AbortSignal.any([this.#options.signal, retry.signal])).then(
      () => this.wake(appId),
      () => undefined,
    );
  }

  async #wakeAll(): Promise<void> {
    for await (const app of allApps(this.#parts)) this.wake(app.id);
  }

  /** Engine events wake the app they belong to; a broken stream is opened again. */
  async #listen(): Promise<void> {
    const { signal, onTrouble } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const event of this.#parts.driver.watch(signal)) this.wake(event.app);
      } catch (error) {
        if (!signal.aborted && !isProblem(error, "RUNTIME_UNREACHABLE")) onTrouble("*", error);
      }
      await this.#parts.sleep(RETRY_FIRST_MS, signal).catch(() => undefined);
    }
  }
}
