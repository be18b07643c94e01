import type { DataSnapshotReason, StoredApp } from "@sampan/store";
import { type Changed, type ChangeOptions, change } from "./change.ts";
import { dropLostReferences, usableSnapshot } from "./data-content.ts";
import { capturedBy } from "./data-rows.ts";
import {
  captureWish,
  componentsWithData,
  type DataPreview,
  dataPreview,
  dataRemarks,
  type RestoreChoice,
  remarksOfOff,
  restoreWish,
} from "./data-wish.ts";
import { snapshotsInUse } from "./drop-old-snapshots.ts";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

export interface DataChanged extends Changed {
  /** What is captured by it; absent when nothing is. */
  readonly snapshotId?: string;
  readonly data?: DataPreview;
  readonly remarks: readonly string[];
}

export interface SnapshotWish {
  readonly by: Actor;
  readonly app: StoredApp;
  /** All that have data when absent. */
  readonly components?: readonly string[] | undefined;
  /** Made when absent. */
  readonly snapshotId?: string;
  /** `request` when absent. */
  readonly reason?: DataSnapshotReason;
}

/**
 * Captures the data of an app as it is now: a change of which nothing remains but the snapshot. What fails leaves the app as it was.
 * Throws DATA_ABSENT when there is nothing to capture, PLAN_DATA_ABSENT, PLAN_DATA_UNSEEN.
 */
export async function takeSnapshot(
  parts: Parts,
  wish: SnapshotWish,
  options: ChangeOptions,
): Promise<DataChanged> {
  const { app, by } = wish;
  const chosen = captureWish(parts, app, wish.components ?? "all");
  if (chosen === undefined) throw nothingToCapture(app);
  const capture = wish.snapshotId === undefined ? chosen : { ...chosen, snapshotId: wish.snapshotId };
  const reason = wish.reason === undefined ? {} : { captureReason: wish.reason };
  const asked = { kind: "snapshot", by, app, spec: app.spec, onFailure: "return", ...reason } as const;
  const preview = await change(parts, { ...asked, data: { capture } }, { ...options, dryRun: true });
  if (capturedBy(preview.plan) === undefined) throw nothingToCapture(app);
  const done =
    options.dryRun === true ? preview : await change(parts, { ...asked, data: { capture } }, options);
  return await toldOf(parts, done, wish.components === undefined ? remarksOfOff(app) : []);
}

function nothingToCapture(app: StoredApp) {
  return deliveryProblem("DATA_ABSENT", `${app.name} has no data that could be captured`, {
    why:
      componentsWithData(app).length === 0
        ? "no component of it has a volume of its own that lasts"
        : "its volumes do not exist yet: it never ran",
    hint: "its settings are in its records, and go with a backup",
  });
}

export interface RestoreWish extends RestoreChoice {
  readonly by: Actor;
  readonly app: StoredApp;
  readonly snapshotId: string;
  /** Whether what is there is captured first; yes when absent. */
  readonly captureFirst?: boolean;
}

/**
 * Puts data back into the app that it came from. What cannot be finished goes back, with the data that was there when it was captured
 * first. Throws DATA_SNAPSHOT_UNUSABLE, NOT_FOUND, PLAN_DATA_UNSEEN.
 */
export async function restoreSnapshot(
  parts: Parts,
  wish: RestoreWish,
  options: ChangeOptions,
): Promise<DataChanged> {
  const { app, by } = wish;
  const snapshot = await usableSnapshot(parts, wish.snapshotId);
  if (snapshot.appId !== app.id)
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", `the data snapshot is not of ${app.name}`, {
      why: `it was taken of ${snapshot.appName}`,
      hint: "data goes back into the app that it came from; a backup makes another app of it",
    });
  const { components, volumes, captureFirst } = wish;
  const capturable = captureFirst === false ? undefined : componentsWithData(app);
  const { restore, remarks } = restoreWish(app.spec, snapshot, { components, volumes, capturable });
  const capture = captureFirst === false ? undefined : captureOfRestored(parts, app, restore.volumes);
  const done = await change(
    parts,
    {
      kind: "restore",
      by,
      app,
      spec: app.spec,
      data: { restore, ...(capture === undefined ? {} : { capture }) },
      onFailure: "return",
      ...(capture === undefined ? {} : { restoreOnReturn: true }),
    },
    options,
  );
  return await toldOf(parts, done, remarks);
}

/** The data that is about to be replaced, in an app as it will be: also of what was off, whose volumes stayed. */
export function captureOfRestored(
  parts: Pick<Parts, "newId">,
  app: Pick<StoredApp, "spec" | "modules">,
  volumes: readonly { readonly component: string }[],
) {
  const replaced = new Set(volumes.map((one) => one.component));
  const wish = captureWish(parts, app, "all");
  const components = wish?.components.filter((name) => replaced.has(name)) ?? [];
  return wish === undefined || components.length === 0 ? undefined : { ...wish, components };
}

async function toldOf(parts: Parts, done: Changed, remarks: readonly string[]): Promise<DataChanged> {
  const data = await dataPreview(parts, done.plan);
  const snapshotId = capturedBy(done.plan);
  return {
    ...done,
    ...(data === undefined ? {} : { data }),
    ...(snapshotId === undefined ? {} : { snapshotId }),
    remarks: [...dataRemarks(data), ...remarks],
  };
}

/** Forgets a data snapshot; its room is freed by the next pruning. Throws DATA_SNAPSHOT_IN_USE while a rollout needs it, STORE_ABSENT. */
export async function removeSnapshot(
  parts: Pick<Parts, "store" | "hold">,
  wish: { readonly by: Actor; readonly snapshotId: string },
): Promise<void> {
  const { by, snapshotId } = wish;
  await parts.store.transaction(async (nouns) => {
    const { appId, teamId, appName } = await nouns.dataSnapshots.get(snapshotId);
    if ((await snapshotsInUse(nouns, appId)).has(snapshotId))
      throw deliveryProblem("DATA_SNAPSHOT_IN_USE", `the data snapshot of ${appName} is being used`, {
        why: "a rollout captures into it, puts it back, or may have to",
        hint: "wait until the rollout has ended",
      });
    await nouns.dataSnapshots.remove(snapshotId);
    const what = { what: "snapshot.remove", who: by.name, outcome: "done" };
    await nouns.events.add({ ...what, teamId, appId, subject: snapshotId });
  });
  await dropLostReferences(parts);
}
