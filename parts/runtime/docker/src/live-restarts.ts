import { setTimeout as delay } from "node:timers/promises";
import type { EngineScope } from "./engine-scope.ts";
import type { EngineContainer } from "./engine-types.ts";

const WAIT_FIRST_MS = 1000;
const WAIT_LAST_MS = 60_000;
/** A run that lasted this long ends the back-off. */
const CALM_MS = 10 * 60_000;

/** Restarts containers whose probe failed, ever more slowly, and counts: the engine forgets its own count at such a restart. */
export class LiveRestarts {
  readonly #scope: EngineScope;
  readonly #past = new Map<string, { count: number; inRow: number; lastAtMs: number }>();

  constructor(scope: EngineScope) {
    this.#scope = scope;
  }

  count(id: string): number {
    return this.#past.get(id)?.count ?? 0;
  }

  forget(id: string): void {
    this.#past.delete(id);
  }

  /** The first restart comes at once, the next ones after 1 s, 2 s, 4 s … a minute. */
  async wait(id: string, signal: AbortSignal): Promise<void> {
    const past = this.#past.get(id);
    if (past === undefined || performance.now() - past.lastAtMs > CALM_MS) return;
    await delay(Math.min(WAIT_FIRST_MS * 2 ** (past.inRow - 1), WAIT_LAST_MS), undefined, { signal });
  }

  /** Of an instance that is never to be restarted, the run is only ended: it failed. */
  async restart(container: EngineContainer, signal: AbortSignal): Promise<void> {
    const nowMs = performance.now();
    const past = this.#past.get(container.Id);
    const calm = past === undefined || nowMs - past.lastAtMs > CALM_MS;
    const never = (container.HostConfig.RestartPolicy?.Name ?? "no") === "no";
    if (!never)
      this.#past.set(container.Id, {
        count: (past?.count ?? 0) + 1 + container.RestartCount,
        inRow: calm ? 1 : past.inRow + 1,
        lastAtMs: nowMs,
      });
    signal.throwIfAborted();
    await this.#scope.client.call({
      method: "POST",
      path: `/containers/${container.Id}/${never ? "kill" : "restart"}`,
      what: `restart ${container.Name.slice(1)}`,
      accept: [404, 409],
      timeoutMs: 10 * 60_000,
    });
  }
}
