import { deliveryProblem, type RestoredBackup } from "@sampan/delivery";
import type { ServerParts } from "./handlers/server-parts.ts";

/** Waits for the end of a rollout. Throws ROLLOUT_FAILED unless it ended well. */
export async function requireSucceeded(
  parts: ServerParts,
  { rolloutId, recordId }: Pick<RestoredBackup, "rolloutId" | "recordId">,
  signal: AbortSignal,
): Promise<void> {
  const { rollouts } = parts.store;
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  const onAbort = () => stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  stopped.catch(() => undefined);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { promise: changed, resolve } = Promise.withResolvers<void>();
      const forget = parts.store.watch(({ noun, id }) => {
        if (noun === "rollout" && id === rolloutId) resolve();
      });
      try {
        const { endedAt, state, reason } = await rollouts.get(rolloutId);
        if (endedAt !== undefined && state === "succeeded") return;
        if (endedAt !== undefined)
          throw deliveryProblem("ROLLOUT_FAILED", "the app was made, and did not come up", {
            why: reason ?? `its rollout is ${state}`,
            hint: `look at what was done: sampan record show ${recordId}`,
          });
        await Promise.race([changed, stopped]);
      } finally {
        forget();
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
