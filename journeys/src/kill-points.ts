import { setTimeout as sleep } from "node:timers/promises";
import type { SampanServer } from "./sampan-server.ts";

/** How a request ended that the server was killed under: it had said yes, or the connection broke first. */
export type Outcome = "accepted" | "lost";

/** Begins an act, kills the server after a while, and starts it again. A refusal before the kill is thrown. */
export async function killDuring(
  server: SampanServer,
  afterMs: number,
  begin: () => Promise<unknown>,
): Promise<Outcome> {
  let killed = false;
  const asked = begin().then(
    () => "accepted" as const,
    (error: unknown) => {
      if (!killed) throw error;
      return "lost" as const;
    },
  );
  asked.catch(() => undefined);
  await sleep(afterMs);
  killed = true;
  await server.kill();
  const outcome = await asked;
  await server.start();
  return outcome;
}

export async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}
