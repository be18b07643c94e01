import { type Desired, isEnded, type Plan, type RolloutState } from "@sampan/plan";
import { isProblem } from "@sampan/problem";
import type { StoredApp, StoredRollout } from "@sampan/store";
import { planFor } from "./change.ts";
import { desiredOf } from "./desired-of.ts";
import type { Parts } from "./parts.ts";
import { recordOfRollout } from "./records.ts";
import { runRollout } from "./rollout.ts";

/**
 * One pass over an app: what is under way is brought to its end; else what runs is compared with what is desired, and a difference
 * is mended. Says whether it should be looked at again at once.
 */
export async function reconcile(
  parts: Parts,
  appId: string,
  signal: AbortSignal,
): Promise<"again" | "settled"> {
  const [first] = await openRollouts(parts, appId);
  if (first !== undefined) {
    await runRollout(parts, first, signal);
    const [next] = await openRollouts(parts, appId);
    return next === undefined || (next.id === first.id && next.state === first.state) ? "settled" : "again";
  }
  const app = await findApp(parts, appId);
  if (app === undefined) return "settled";
  const desired = await desiredOf(parts, app);
  if (desired === undefined || !(await mayMend(parts, app))) return "settled";
  const plan = await planFor(parts, desired, { failedJobs: "leave", signal });
  if (changesAnything(plan)) await mend(parts, { app, desired, plan }, signal);
  return "settled";
}

/** The way back of a failed rollout comes before that rollout, which waits for it. */
async function openRollouts(parts: Parts, appId: string): Promise<readonly StoredRollout[]> {
  const { items } = await parts.store.rollouts.list({ kind: "all" }, { appId, open: true }, { limit: 50 });
  return items.toSorted((a, b) => b.generation - a.generation);
}

async function findApp(parts: Parts, appId: string): Promise<StoredApp | undefined> {
  try {
    return await parts.store.apps.get(appId);
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return undefined;
    throw error;
  }
}

const PAUSE_FIRST_MS = 10_000;
const PAUSE_LAST_MS = 1_800_000;
const REMEMBERED_MS = 3_600_000;

/**
 * Only what was reached once is kept up: a change that failed or was cancelled stays for somebody to look at, and is not finished
 * behind their back. What breaks again and again is mended less and less often.
 */
async function mayMend(parts: Parts, app: StoredApp): Promise<boolean> {
  const { ended, isReached } = await endedRollouts(parts, app);
  const [newest] = ended;
  if (newest === undefined || !isReached) return false;
  const now = parts.nowMs();
  // The clock may have been set back: what ended in the future says nothing about when to go on.
  const sinceMs = ended.map((one) => now - Date.parse(one.endedAt ?? "")).filter((ms) => ms >= 0);
  const rememberedMs = Math.min(REMEMBERED_MS, now - parts.startedMs);
  const lately = sinceMs.filter((ms) => ms < rememberedMs).length;
  const isFirst =
    lately === 0 || (ended.length === 1 && (await recordOfRollout(parts, newest)) !== undefined);
  if (isFirst) return true;
  return Math.min(...sinceMs) >= Math.min(PAUSE_FIRST_MS * 2 ** (lately - 1), PAUSE_LAST_MS);
}

/** The newest rollouts of the app's generation, and whether one of all of them succeeded. */
async function endedRollouts(
  parts: Parts,
  app: StoredApp,
): Promise<{ readonly ended: readonly StoredRollout[]; readonly isReached: boolean }> {
  const sight = { kind: "all" } as const;
  const isOurs = (one: StoredRollout) =>
    one.generation === app.generation && isEnded(one.state as RolloutState);
  const succeeded = (one: StoredRollout) => isOurs(one) && one.state === "succeeded";
  let page = await parts.store.rollouts.list(sight, { appId: app.id }, { limit: 100 });
  const ended = page.items.filter(isOurs);
  let isReached = page.items.some(succeeded);
  while (!isReached && page.next !== undefined) {
    page = await parts.store.rollouts.list(sight, { appId: app.id }, { limit: 200, after: page.next });
    isReached = page.items.some(succeeded);
  }
  return { ended, isReached };
}

/** Waiting alone mends nothing: an instance that keeps failing is the engine's to restart, and shown as failing. */
function changesAnything(plan: Plan): boolean {
  return plan.steps.some((step) => step.kind !== "instance.ready" && step.kind !== "instance.complete");
}

async function mend(
  parts: Parts,
  { app, desired, plan }: { readonly app: StoredApp; readonly desired: Desired; readonly plan: Plan },
  signal: AbortSignal,
): Promise<void> {
  const rollout = await parts.store.transaction(async (nouns) => {
    // Somebody may have asked for a change since the app was read: that comes first.
    if ((await nouns.apps.get(app.id)).generation !== app.generation) return undefined;
    await nouns.plans.put(plan, desired);
    await nouns.events.add({
      what: "app.heal",
      who: "system",
      outcome: "begun",
      teamId: app.teamId,
      appId: app.id,
      details: { steps: plan.steps.map((step) => `${step.kind}: ${step.why}`).slice(0, 50) },
    });
    return await nouns.rollouts.create({
      planId: plan.id,
      appId: app.id,
      generation: desired.generation,
      state: "planned",
    });
  });
  if (rollout !== undefined) await runRollout(parts, rollout, signal);
}
