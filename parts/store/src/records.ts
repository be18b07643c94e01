import type { Digest } from "@sampan/content";
import type { App } from "@sampan/template";
import { absent } from "./absent.ts";
import { changedOfApp } from "./app-change.ts";
import type { AppValues } from "./apps.ts";
import { type Context, openJson, sealJson } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { fromJson, present, toJson } from "./row.ts";
import { inSight } from "./sight.ts";
import type { Tables } from "./tables.ts";

export type RecordKind =
  | "install"
  | "upgrade"
  | "rollback"
  | "edit"
  | "scale"
  | "modules"
  | "start"
  | "stop"
  | "remove"
  | "snapshot"
  | "restore";

export type RecordResult = "running" | "succeeded" | "failed" | "cancelled";

/** What the app was before: what a rollback goes back to. Sealed at rest. */
export interface Snapshot {
  readonly spec: App;
  readonly values: AppValues;
  readonly modules: Readonly<Record<string, boolean>>;
  readonly stopped: boolean;
  /** Of the installation that was changed. */
  readonly releaseDigest?: Digest;
  /** Of the same: what it called things, as it keeps it. */
  readonly names?: unknown;
  /** What the app was made into: what differs from it later was edited since. */
  readonly after?: App;
}

/** What was done to an app or an installation. */
export interface StoredRecord {
  readonly id: string;
  readonly appId: string;
  readonly installationId?: string;
  readonly kind: RecordKind;
  readonly fromRelease?: Digest;
  readonly toRelease?: Digest;
  readonly planId?: string;
  readonly rolloutId?: string;
  readonly rolloutState?: string;
  readonly hasSnapshot: boolean;
  /** What was decided per property, as core/plan words it. */
  readonly decisions: unknown;
  /** What was checked before it began, as core/plan words it. */
  readonly preflight?: unknown;
  /** The data that was captured before it, or put back by it. */
  readonly dataSnapshotId?: string;
  readonly result: RecordResult;
  readonly note?: string;
  /** User id, or `system`. */
  readonly who: string;
  readonly startedAt: string;
  readonly endedAt?: string;
}

type RecordInput = Pick<StoredRecord, "appId" | "kind" | "who"> &
  Partial<
    Pick<
      StoredRecord,
      | "installationId"
      | "fromRelease"
      | "toRelease"
      | "planId"
      | "rolloutId"
      | "rolloutState"
      | "decisions"
      | "preflight"
      | "dataSnapshotId"
      | "note"
    >
  > & { readonly snapshot?: Snapshot };

function toRecord(row: Tables["records"]): StoredRecord {
  const { sealedSnapshot, decisions, preflight, kind, result, ...rest } = present(row);
  return {
    ...rest,
    kind: kind as RecordKind,
    result: result as RecordResult,
    decisions: fromJson(decisions),
    ...(preflight === undefined ? {} : { preflight: fromJson(preflight) }),
    hasSnapshot: sealedSnapshot !== undefined,
  };
}

export const records = {
  /** Begins a record; its result is `running` until `end`. */
  begin(context: Context, record: RecordInput): Promise<StoredRecord> {
    return context.write(async (inside) => {
      const { snapshot, decisions, preflight, ...rest } = record;
      const row = await inside.db
        .insertInto("records")
        .values({
          ...rest,
          id: inside.newId(),
          sealedSnapshot: snapshot === undefined ? null : sealJson(inside, snapshot),
          decisions: toJson(decisions ?? []),
          preflight: preflight === undefined ? null : toJson(preflight),
          result: "running",
          startedAt: inside.now(),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await changedOfApp(inside, { noun: "record", id: row.id, act: "created", appId: row.appId });
      return toRecord(row);
    });
  },

  update(
    context: Context,
    id: string,
    change: Partial<
      Pick<
        StoredRecord,
        "planId" | "rolloutId" | "rolloutState" | "note" | "installationId" | "preflight" | "dataSnapshotId"
      >
    >,
  ): Promise<StoredRecord> {
    const { preflight, ...rest } = change;
    return write(context, id, preflight === undefined ? rest : { ...rest, preflight: toJson(preflight) });
  },

  end(
    context: Context,
    id: string,
    result: Exclude<RecordResult, "running">,
    more: Partial<Pick<StoredRecord, "rolloutState" | "note">> = {},
  ): Promise<StoredRecord> {
    return write(context, id, { ...more, result, endedAt: context.now() });
  },

  async get(context: Context, id: string): Promise<StoredRecord> {
    const row = await context.db.selectFrom("records").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("record", id);
    return toRecord(row);
  },

  /** Throws STORE_ABSENT when the record has none. */
  async snapshot(context: Context, id: string): Promise<Snapshot> {
    const row = await context.db
      .selectFrom("records")
      .select("sealedSnapshot")
      .where("id", "=", id)
      .executeTakeFirst();
    if (row?.sealedSnapshot === undefined || row.sealedSnapshot === null)
      throw absent("snapshot in record", id);
    return openJson<Snapshot>(context, row.sealedSnapshot);
  },

  /** Newest first. */
  async list(
    context: Context,
    sight: Sight,
    filter: { appId?: string; installationId?: string; result?: RecordResult } = {},
    page: PageRequest = {},
  ): Promise<Page<StoredRecord>> {
    let query = context.db
      .selectFrom("records")
      .selectAll()
      .where("appId", "in", (apps) =>
        apps.selectFrom("apps").select("apps.id").where(inSight(sight, "apps.teamId")),
      );
    if (filter.appId !== undefined) query = query.where("appId", "=", filter.appId);
    if (filter.installationId !== undefined)
      query = query.where("installationId", "=", filter.installationId);
    if (filter.result !== undefined) query = query.where("result", "=", filter.result);
    return mapPage(await readPage(query, { by: "startedAt", id: "id", direction: "desc" }, page), toRecord);
  },
};

function write(context: Context, id: string, change: Partial<Tables["records"]>): Promise<StoredRecord> {
  return context.write(async (inside) => {
    const row = await inside.db
      .updateTable("records")
      // The id makes an empty change valid SQL.
      .set({ id, ...change })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw absent("record", id);
    await changedOfApp(inside, { noun: "record", id, act: "updated", appId: row.appId });
    return toRecord(row);
  });
}
