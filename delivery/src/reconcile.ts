import type { Desired, Plan } from "@sampan/plan";
import { isProblem } from "@sampan/problem";
import type { StoredApp, StoredRollout } from "@sampan/store";
import { planFor } from "./change.ts";
import type { Parts } from "./parts.ts";
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
  const open = await openRollouts(parts, appId);
  // The way back of a failed rollout is newer than that rollout, and comes first.
  const [newest, ...older] = open;
  if (newest !== undefined) {
    await runRollout(parts, newest, signal);
    const still = await openRollouts(parts, appId);
    return still.length > 0 && (older.length > 0 || still[0]?.id !== newest.id) ? "again" : "settled";
  }
  const app = await findApp(parts, appId);
  if (app === undefined) return "settled";
  const desired = await desiredOf(parts, app);
  if (desired === undefined) return "settled";
  const plan = await planFor(parts, desired, { failedJobs: "leave", signal });
  if (!changesAnything(plan)) return "settled";
  await heal(parts, desired, plan, signal);
  return "settled";
}

async function openRollouts(parts: Parts, appId: string): Promise<readonly StoredRollout[]> {
  return (await parts.store.rollouts.list({ kind: "all" }, { appId, open: true }, { limit: 50 })).items;
}

async function findApp(parts: Parts, appId: string): Promise<StoredApp | undefined> {
  try {
    return await parts.store.apps.get(appId);
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return undefined;
    throw error;
  }
}

/** What was last asked for. */
export async function desiredOf(
  parts: Pick<Parts, "store">,
  app: { readonly id: string; readonly generation: number },
): Promise<Desired | undefined> {
  const [last] = (await parts.store.plans.list(app.id, { limit: 1 })).items;
  return last === undefined || last.generation !== app.generation
    ? undefined
    : await parts.store.plans.desired(last.id);
}

/** Waiting alone mends nothing: an instance that keeps failing is the engine's to restart, and shown as failing. */
function changesAnything(plan: Plan): boolean {
  return plan.steps.some((step) => step.kind !== "instance.ready" && step.kind !== "instance.complete");
}

async function heal(parts: Parts, desired: Desired, plan: Plan, signal: AbortSignal): Promise<void> {
  const rollout = await parts.store.transaction(async (nouns) => {
    await nouns.plans.put(plan, desired);
    await nouns.events.add({
      what: "app.heal",
      who: "system",
      outcome: "begun",
      appId: desired.app.id,
      details: { steps: plan.steps.map((step) => `${step.kind}: ${step.why}`).slice(0, 50) },
    });
    return await nouns.rollouts.create({
      planId: plan.id,
      appId: desired.app.id,
      generation: desired.generation,
      state: "planned",
    });
  });
  await runRollout(parts, rollout, signal);
}
