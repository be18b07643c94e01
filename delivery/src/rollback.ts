import { type DataWish, planReturn } from "@sampan/plan";
import type { AppValues, Snapshot, StoredApp, StoredRecord } from "@sampan/store";
import type { App } from "@sampan/template";
import { type Change, type ChangeOptions, change } from "./change.ts";
import { usableSnapshot } from "./data-content.ts";
import { captureOfRestored } from "./data-snapshots.ts";
import { componentsWithData, dataPreview, dataRemarks, restoreWish } from "./data-wish.ts";
import { desiredOf } from "./desired-of.ts";
import { type Pins, pinsOf } from "./images.ts";
import type { KeptNames } from "./merge-base.ts";
import { changeByMerge, type MergedChange } from "./merge-change.ts";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import type { RecordDetails } from "./records.ts";

export interface RollbackWish {
  readonly by: Actor;
  readonly app: StoredApp;
  readonly record: StoredRecord;
  /** Components that the upgrade added go too; they stay when false. */
  readonly removeAdded: boolean;
  /** Paths of edits made since that are kept; the others would be lost. */
  readonly keepEdits: readonly string[];
  /** Data goes back too: `record`, as it was captured before the record; else the id of a data snapshot. Volumes stay when absent. */
  readonly restoreData?: string;
  /** Whether data that is replaced is captured first; yes when absent. */
  readonly captureFirst?: boolean;
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

/**
 * Goes back to what was before a record: another change, planned and carried out like any. Volumes stay as they are, unless data is to go
 * back too. Throws ROLLBACK_IMPOSSIBLE, DATA_SNAPSHOT_UNUSABLE.
 */
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
  const back = backTo(app, snapshot, record);
  const data = await dataBack(parts, wish, { spec: returned.app, modules: snapshot.modules });
  const merged = {
    app: returned.app,
    changes: returned.changes,
    pulledIn: [],
    remarks: [
      ...returned.stays.map((name) => `${name} was added since and stays; --remove-added removes it`),
      ...data.remarks,
    ],
  };
  const done = await changeByMerge(
    parts,
    merged,
    {
      ...back,
      ...data.change,
      pins: await pinsBefore(parts, record, snapshot),
      by: wish.by,
      onFailure: "hold",
    },
    options,
  );
  return { ...done, remarks: [...done.remarks, ...dataRemarks(await dataPreview(parts, done.plan))] };
}

/** What is done with data on the way back. When nothing is, it is said what could be. */
async function dataBack(
  parts: Parts,
  { app, record, restoreData, captureFirst }: RollbackWish,
  after: Pick<StoredApp, "spec" | "modules">,
): Promise<{
  readonly change: Pick<Change, "data" | "restoreOnReturn">;
  readonly remarks: readonly string[];
}> {
  const kept = record.dataSnapshotId;
  if (restoreData === undefined) {
    const snapshot = kept === undefined ? undefined : await parts.store.dataSnapshots.get(kept);
    if (snapshot?.state !== "complete") return { change: {}, remarks: [] };
    const remark = `data stays as it is; as it was captured before (${snapshot.startedAt}), --restore-data puts it back`;
    return { change: {}, remarks: [remark] };
  }
  const id = restoreData === "record" ? kept : restoreData;
  if (id === undefined)
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", "the record holds no data to put back", {
      why: "nothing was captured before it, or that was removed since",
      hint: "choose a data snapshot (sampan snapshot list), or roll back without data",
    });
  const snapshot = await usableSnapshot(parts, id);
  if (snapshot.appId !== app.id)
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", `the data snapshot is not of ${app.name}`, {
      why: `it was taken of ${snapshot.appName}`,
    });
  const capturable = captureFirst === false ? undefined : componentsWithData(after);
  const { restore, remarks } = restoreWish(after.spec, snapshot, { capturable });
  const capture = captureFirst === false ? undefined : captureOfRestored(parts, after, restore.volumes);
  const data = { restore, ...(capture === undefined ? {} : { capture }) };
  return { change: { data, ...(capture === undefined ? {} : { restoreOnReturn: true }) }, remarks };
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

/** What failed goes back by itself, to exactly what was: what it added goes too. Data goes back where that was asked for, and captured. */
export async function returnToSnapshot(parts: Parts, record: StoredRecord, reason: string): Promise<void> {
  const app = await parts.store.apps.get(record.appId);
  const snapshot = await parts.store.records.snapshot(record.id);
  const restore = await dataToReturn(parts, record, snapshot.spec);
  await change(
    parts,
    {
      ...(restore === undefined ? {} : { data: { restore } }),
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

/** When it failed before all was captured, nothing had touched the data yet. */
async function dataToReturn(parts: Parts, record: StoredRecord, spec: App): Promise<DataWish["restore"]> {
  const details = record.decisions as RecordDetails;
  if (details.restoreOnReturn !== true || record.dataSnapshotId === undefined) return undefined;
  const { state } = await parts.store.dataSnapshots.get(record.dataSnapshotId);
  if (state !== "complete") return undefined;
  return restoreWish(spec, await usableSnapshot(parts, record.dataSnapshotId)).restore;
}

const NOTE_LENGTH_MAX = 4000;

/** What names of images stood for before the record: a name may have been given to another image since. */
async function pinsBefore(parts: Parts, record: StoredRecord, snapshot: Snapshot): Promise<Pins> {
  if (record.planId === undefined) return {};
  const { generation } = await parts.store.plans.get(record.planId);
  const desired = await desiredOf(parts, { id: record.appId, generation: generation - 1 });
  return desired === undefined ? {} : pinsOf(snapshot.spec, desired);
}

function backTo(app: StoredApp, snapshot: Snapshot, record: StoredRecord) {
  const { installationId } = record;
  const digest = snapshot.releaseDigest;
  return {
    kind: "rollback" as const,
    app,
    values: valuesBack(app.values, snapshot.values),
    modulesBack: snapshot.modules,
    stopped: snapshot.stopped,
    ...(installationId === undefined || digest === undefined
      ? {}
      : {
          installation: {
            id: installationId,
            templateId: "",
            releaseDigest: digest,
            ...(snapshot.names === undefined ? {} : { names: snapshot.names as KeptNames }),
          },
          toRelease: digest,
        }),
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
