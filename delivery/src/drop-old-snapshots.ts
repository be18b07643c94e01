import type { DataSnapshot, Nouns } from "@sampan/store";
import { dropLostReferences } from "./data-content.ts";
import { capturedBy, restoredBy } from "./data-rows.ts";
import type { Parts } from "./parts.ts";

/** What was taken by itself goes when there is enough that is newer; what a person asked for stays until a person removes it. */
const BY_HAND: ReadonlySet<string> = new Set(["request", "backup"]);

/** Keeps as many of an app's own snapshots as the policy says; those that a rollout under way uses stay. The room is freed by pruning. */
export async function dropOldSnapshots(parts: Pick<Parts, "store" | "hold">, appId: string): Promise<void> {
  const { snapshotsKept } = await parts.store.policy.get();
  const dropped = await parts.store.transaction(async (nouns) => {
    const inUse = await snapshotsInUse(nouns, appId);
    const own = (await snapshotsOf(nouns, appId)).filter((one) => !BY_HAND.has(one.reason));
    const last = own.filter((one) => one.state === "complete")[snapshotsKept - 1];
    const older = last === undefined ? [] : own.slice(own.indexOf(last) + 1);
    const goes = older.filter((one) => one.state !== "taking" && !inUse.has(one.id));
    for (const { id } of goes) await nouns.dataSnapshots.remove(id);
    return goes.length;
  });
  if (dropped > 0) await dropLostReferences(parts);
}

/** Those that an open rollout of the app captures into or puts back. */
export async function snapshotsInUse(nouns: Nouns, appId: string): Promise<ReadonlySet<string>> {
  const { items } = await nouns.rollouts.list({ kind: "all" }, { appId, open: true }, { limit: 50 });
  const used = new Set<string>();
  for (const { planId } of items) {
    const plan = await nouns.plans.get(planId);
    for (const id of [capturedBy(plan), restoredBy(plan)]) if (id !== undefined) used.add(id);
  }
  return used;
}

/** Newest first. */
async function snapshotsOf(nouns: Nouns, appId: string): Promise<readonly DataSnapshot[]> {
  const all: DataSnapshot[] = [];
  let after: string | undefined;
  do {
    const page = after === undefined ? { limit: 200 } : { limit: 200, after };
    const { items, next } = await nouns.dataSnapshots.list({ kind: "all" }, { appId }, page);
    all.push(...items);
    after = next;
  } while (after !== undefined);
  return all;
}
