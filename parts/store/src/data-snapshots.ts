import type { Digest } from "@sampan/content";
import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { storeProblem } from "./problems.ts";
import { fromJson, present, toJson } from "./row.ts";
import { inSight } from "./sight.ts";
import type { Tables } from "./tables.ts";

/** Why data was captured: before an upgrade, because a person asked, before data was put back, before a rollback, for a backup. */
export type DataSnapshotReason = Tables["dataSnapshots"]["reason"];

export type DataSnapshotState = Tables["dataSnapshots"]["state"];

/** A captured volume: a layer of the hold. */
export interface DataSnapshotVolume {
  /** The component's name when it was captured. */
  readonly component: string;
  readonly componentId: string;
  readonly volume: string;
  readonly diffId: Digest;
  /** Of its tar. */
  readonly sizeBytes: number;
}

/** Volumes of an app as they were at one time, kept in the hold as one image. Nothing but `remove` forgets it. */
export interface DataSnapshot {
  readonly id: string;
  /** The app may be gone. */
  readonly appId: string;
  readonly appName: string;
  readonly teamId: string;
  /** The record of what it was taken for; that may be gone with the app. */
  readonly recordId?: string;
  readonly reason: DataSnapshotReason;
  readonly note?: string;
  /** User id, or `system`. */
  readonly who: string;
  readonly state: DataSnapshotState;
  /** In the order in which they were first captured. */
  readonly volumes: readonly DataSnapshotVolume[];
  /** Once it is complete: the image of the hold whose layers are the volumes. */
  readonly imageId?: Digest;
  /** Of the volumes together. */
  readonly sizeBytes: number;
  /** Why it failed. */
  readonly message?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
}

function toDataSnapshot(row: Tables["dataSnapshots"]): DataSnapshot {
  const { volumes, ...rest } = present(row);
  return { ...rest, volumes: fromJson(volumes) };
}

export const dataSnapshots = {
  /**
   * Begins one; or goes on with the one of this id, which a crash or a failure has cut short, and which keeps its volumes. A
   * complete one is returned as it is. Throws STORE_TAKEN when the id is another app's, STORE_IN_USE when there is no such team.
   */
  begin(
    context: Context,
    snapshot: Pick<DataSnapshot, "id" | "appId" | "appName" | "teamId" | "reason" | "who"> &
      Partial<Pick<DataSnapshot, "recordId" | "note">>,
  ): Promise<DataSnapshot> {
    return context.write(async (inside) => {
      const { id, appId, teamId } = snapshot;
      const begun = await find(inside, id);
      if (begun !== undefined && begun.appId !== appId)
        throw storeProblem("STORE_TAKEN", `there is a data snapshot ${id} of another app`);
      if (begun?.state === "failed")
        return write(inside, id, { state: "taking", message: null, endedAt: null });
      if (begun !== undefined) return toDataSnapshot(begun);
      const row = await inside.db
        .insertInto("dataSnapshots")
        .values({ ...snapshot, state: "taking", volumes: "[]", sizeBytes: 0, startedAt: inside.now() })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "dataSnapshot", id, act: "created", teamId, appId });
      return toDataSnapshot(row);
    });
  },

  /**
   * Notes a captured volume; the same volume of the same component again takes the place of the one before. Throws
   * STORE_ABSENT, STORE_STALE when the snapshot is not being taken any more.
   */
  addVolume(context: Context, id: string, volume: DataSnapshotVolume): Promise<DataSnapshot> {
    return context.write(async (inside) => {
      const { volumes } = await taking(inside, id);
      const isSame = (one: DataSnapshotVolume) =>
        one.component === volume.component && one.volume === volume.volume;
      const next = volumes.some(isSame)
        ? volumes.map((one) => (isSame(one) ? volume : one))
        : [...volumes, volume];
      const sizeBytes = next.reduce((sum, one) => sum + one.sizeBytes, 0);
      return write(inside, id, { volumes: toJson(next), sizeBytes });
    });
  },

  /** Ends it well; again with the same image is no fault. Throws STORE_ABSENT, STORE_STALE when it has ended otherwise. */
  complete(context: Context, id: string, { imageId }: { readonly imageId: Digest }): Promise<DataSnapshot> {
    return context.write(async (inside) => {
      const before = await dataSnapshots.get(inside, id);
      if (before.state === "complete" && before.imageId === imageId) return before;
      await taking(inside, id);
      return write(inside, id, { state: "complete", imageId, endedAt: inside.now() });
    });
  },

  /** Ends it badly; failing again is no fault, and the first message stays. Throws STORE_ABSENT, STORE_STALE when it is complete. */
  fail(context: Context, id: string, message: string): Promise<DataSnapshot> {
    return context.write(async (inside) => {
      const before = await dataSnapshots.get(inside, id);
      if (before.state === "failed") return before;
      await taking(inside, id);
      return write(inside, id, { state: "failed", message, endedAt: inside.now() });
    });
  },

  async get(context: Context, id: string): Promise<DataSnapshot> {
    const row = await find(context, id);
    if (row === undefined) throw absent("data snapshot", id);
    return toDataSnapshot(row);
  },

  /** Newest first; those of apps that are gone too. */
  async list(
    context: Context,
    sight: Sight,
    filter: { appId?: string; recordId?: string; state?: DataSnapshotState } = {},
    page: PageRequest = {},
  ): Promise<Page<DataSnapshot>> {
    let query = context.db.selectFrom("dataSnapshots").selectAll().where(inSight(sight, "teamId"));
    if (filter.appId !== undefined) query = query.where("appId", "=", filter.appId);
    if (filter.recordId !== undefined) query = query.where("recordId", "=", filter.recordId);
    if (filter.state !== undefined) query = query.where("state", "=", filter.state);
    const order = { by: "startedAt", id: "id", direction: "desc" } as const;
    return mapPage(await readPage(query, order, page), toDataSnapshot);
  },

  /** Forgets it, also in the records that name it. What the hold keeps for it is the caller's to release. Throws STORE_ABSENT. */
  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const row = await inside.db
        .deleteFrom("dataSnapshots")
        .where("id", "=", id)
        .returning(["teamId", "appId"])
        .executeTakeFirst();
      if (row === undefined) throw absent("data snapshot", id);
      await inside.db
        .updateTable("records")
        .set({ dataSnapshotId: null })
        .where("dataSnapshotId", "=", id)
        .execute();
      inside.changed({ noun: "dataSnapshot", id, act: "removed", ...row });
    });
  },
};

function find(context: Context, id: string): Promise<Tables["dataSnapshots"] | undefined> {
  return context.db.selectFrom("dataSnapshots").selectAll().where("id", "=", id).executeTakeFirst();
}

async function taking(context: Context, id: string): Promise<DataSnapshot> {
  const snapshot = await dataSnapshots.get(context, id);
  if (snapshot.state !== "taking")
    throw storeProblem("STORE_STALE", `data snapshot ${id} is not being taken any more`, {
      why: `it is ${snapshot.state} since ${snapshot.endedAt}`,
      hint: "take a new one",
    });
  return snapshot;
}

async function write(
  context: Context,
  id: string,
  change: Partial<Tables["dataSnapshots"]>,
): Promise<DataSnapshot> {
  const row = await context.db
    .updateTable("dataSnapshots")
    .set(change)
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const { teamId, appId } = row;
  context.changed({ noun: "dataSnapshot", id, act: "updated", teamId, appId });
  return toDataSnapshot(row);
}
