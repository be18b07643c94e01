import { isProblem } from "@sampan/problem";
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
    try {
      while ((await reconcile(this.#parts, appId, signal)) === "again") signal.throwIfAborted();
      this.#failures.delete(appId);
    } catch (error) {
      if (signal.aborted) return;
      onTrouble(appId, error);
      const failures = (this.#failures.get(appId) ?? 0) + 1;
      this.#failures.set(appId, failures);
      const waitMs = Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LAST_MS);
      void this.#parts.sleep(waitMs, signal).then(
        () => this.wake(appId),
        () => undefined,
      );
    }
  }

  async #wakeAll(): Promise<void> {
    let after: string | undefined;
    do {
      const page = await this.#parts.store.apps.list(
        { kind: "all" },
        {},
        after === undefined ? { limit: 200 } : { limit: 200, after },
      );
      for (const app of page.items) this.wake(app.id);
      after = page.next;
    } while (after !== undefined);
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
