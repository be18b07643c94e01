import { planReturn } from "@sampan/plan";
import type { AppValues, Snapshot, StoredApp, StoredRecord } from "@sampan/store";
import { type Change, type ChangeOptions, change } from "./change.ts";
import { desiredOf } from "./desired-of.ts";
import { type Pins, pinsOf } from "./images.ts";
import { changeByMerge, type MergedChange } from "./merge-change.ts";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

export interface RollbackWish {
  readonly by: Actor;
  readonly app: StoredApp;
  readonly record: StoredRecord;
  /** Components that the upgrade added go too; they stay when false. */
  readonly removeAdded: boolean;
  /** Paths of edits made since that are kept; the others would be lost. */
  readonly keepEdits: readonly string[];
}

/** Whether what a record did can be undone. */
export function rollbackVerdict(
  record: StoredRecord,
): { readonly possible: true } | { readonly possible: false; readonly reason: string } {
  if (!record.hasSnapshot) return { possible: false, reason: "there was nothing before it" };
  if (record.result === "running") return { possible: false, reason: "it is still under way" };
  if (record.kind === "remove") return { possible: false, reason: "the app was removed" };
  return { possible: true };
}

/** Goes back to what was before a record: another change, planned and carried out like any. Volumes stay as they are. */
export async function rollback(
  parts: Parts,
  wish: RollbackWish,
  options: ChangeOptions,
): Promise<MergedChange> {
  const { app, record } = wish;
  const verdict = rollbackVerdict(record);
  if (!verdict.possible)
    throw deliveryProblem("ROLLBACK_IMPOSSIBLE", "the record cannot be rolled back", {
      why: verdict.reason,
      hint: "sampan record list shows which can",
    });
  const snapshot = await parts.store.records.snapshot(record.id);
  const installation = record.installationId;
  const added = Object.keys(app.spec.components).filter((name) => isAdded(app, snapshot, name, installation));
  const returned = planReturn({
    snapshot: snapshot.spec,
    site: app.spec,
    decisions: Object.fromEntries(wish.keepEdits.map((path) => [path, "keep" as const])),
    ...(snapshot.after === undefined ? {} : { after: snapshot.after }),
    ...(installation === undefined ? {} : { installation }),
    ...(wish.removeAdded ? { remove: added } : {}),
  });
  const merged = {
    app: returned.app,
    changes: returned.changes,
    pulledIn: [],
    remarks: returned.stays.map((name) => `${name} was added since and stays; --remove-added removes it`),
  };
  return await changeByMerge(
    parts,
    merged,
    {
      ...backTo(app, snapshot, record),
      pins: await pinsBefore(parts, record, snapshot),
      by: wish.by,
      onFailure: "hold",
    },
    options,
  );
}

/** Whether the component came after the snapshot, with the same installation. */
function isAdded(
  app: StoredApp,
  snapshot: Snapshot,
  name: string,
  installation: string | undefined,
): boolean {
  const component = app.spec.components[name];
  if (installation !== undefined && component?.installation !== installation) return false;
  return !Object.values(snapshot.spec.components).some(
    (before) => before.id === component?.id && before.installation === component?.installation,
  );
}

/** An upgrade that failed goes back by itself, to exactly what was: what it added goes too. */
export async function returnToSnapshot(parts: Parts, record: StoredRecord, reason: string): Promise<void> {
  const app = await parts.store.apps.get(record.appId);
  const snapshot = await parts.store.records.snapshot(record.id);
  await change(
    parts,
    {
      ...backTo(app, snapshot, record),
      pins: await pinsBefore(parts, record, snapshot),
      spec: snapshot.spec,
      by: { userId: "system", name: "system" },
      onFailure: "hold",
      returns: record.rolloutId ?? "",
    },
    { note: `went back by itself: ${reason}`.slice(0, NOTE_LENGTH_MAX) },
  );
}

const NOTE_LENGTH_MAX = 4000;

/** What names of images stood for before the record: a name may have been given to another image since. */
async function pinsBefore(parts: Parts, record: StoredRecord, snapshot: Snapshot): Promise<Pins> {
  if (record.planId === undefined) return {};
  const { generation } = await parts.store.plans.get(record.planId);
  const desired = await desiredOf(parts, { id: record.appId, generation: generation - 1 });
  return desired === undefined ? {} : pinsOf(snapshot.spec, desired);
}

function backTo(app: StoredApp, snapshot: Snapshot, record: StoredRecord): Omit<Change, "spec" | "by"> {
  const { installationId } = record;
  const digest = snapshot.releaseDigest;
  return {
    kind: "rollback",
    app,
    values: valuesBack(app.values, snapshot.values),
    modules: snapshot.modules,
    stopped: snapshot.stopped,
    ...(installationId === undefined || digest === undefined
      ? {}
      : { installation: { id: installationId, templateId: "", releaseDigest: digest }, toRelease: digest }),
    ...(record.toRelease === undefined ? {} : { fromRelease: record.toRelease }),
  };
}

/** Answers return; secrets and ports that were made since are kept, because what stays may use them. */
function valuesBack(now: AppValues, before: AppValues): AppValues {
  return {
    parameters: { ...now.parameters, ...before.parameters },
    generated: { ...now.generated, ...before.generated },
    hostPorts: { ...now.hostPorts, ...before.hostPorts },
  };
}
