import type { Digest } from "@sampan/content";
import { absent } from "./absent.ts";
import { changedOfApp } from "./app-change.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { fromJson, present, toJson } from "./row.ts";
import { inSight } from "./sight.ts";
import type { Tables } from "./tables.ts";

/** A release running in an app: the unit of upgrade and rollback. */
export interface Installation {
  readonly id: string;
  readonly appId: string;
  readonly templateId: string;
  readonly releaseDigest: Digest;
  /** What it was before the last upgrade or rollback. */
  readonly previousDigest?: Digest;
  readonly modules: Readonly<Record<string, boolean>>;
  /** Names in the release to names here, as core/plan's merge words them. */
  readonly names: unknown;
  /** Ids of the app's components that came with it. */
  readonly components: readonly string[];
  /** Decided by delivery, such as `installing`, `installed`, `upgrading`, `failed`. */
  readonly state: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

function toInstallation(row: Tables["installations"]): Installation {
  const { modules, components, names, ...rest } = present(row);
  return { ...rest, modules: fromJson(modules), components: fromJson(components), names: fromJson(names) };
}

export const installations = {
  /** Its id is made here when absent. Throws STORE_IN_USE when app, template or release is absent. */
  create(
    context: Context,
    installation: Pick<
      Installation,
      "appId" | "templateId" | "releaseDigest" | "modules" | "components" | "names" | "state"
    > & {
      /** Made when absent. */
      readonly id?: string;
    },
  ): Promise<Installation> {
    return context.write(async (inside) => {
      const now = inside.now();
      const row = await inside.db
        .insertInto("installations")
        .values({
          ...installation,
          id: installation.id ?? inside.newId(),
          modules: toJson(installation.modules),
          components: toJson(installation.components),
          names: toJson(installation.names),
          createdAt: now,
          updatedAt: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await changedOfApp(inside, { noun: "installation", id: row.id, act: "created", appId: row.appId });
      return toInstallation(row);
    });
  },

  async get(context: Context, id: string): Promise<Installation> {
    const row = await context.db
      .selectFrom("installations")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw absent("installation", id);
    return toInstallation(row);
  },

  async list(
    context: Context,
    sight: Sight,
    filter: { appId?: string; templateId?: string; releaseDigest?: Digest } = {},
    page: PageRequest = {},
  ): Promise<Page<Installation>> {
    let query = context.db
      .selectFrom("installations")
      .selectAll()
      .where("appId", "in", (apps) =>
        apps.selectFrom("apps").select("apps.id").where(inSight(sight, "apps.teamId")),
      );
    if (filter.appId !== undefined) query = query.where("appId", "=", filter.appId);
    if (filter.templateId !== undefined) query = query.where("templateId", "=", filter.templateId);
    if (filter.releaseDigest !== undefined) query = query.where("releaseDigest", "=", filter.releaseDigest);
    return mapPage(
      await readPage(query, { by: "createdAt", id: "id", direction: "asc" }, page),
      toInstallation,
    );
  },

  /** A new `releaseDigest` moves the one before into `previousDigest`. */
  update(
    context: Context,
    id: string,
    change: Partial<Pick<Installation, "releaseDigest" | "modules" | "components" | "names" | "state">>,
  ): Promise<Installation> {
    return context.write(async (inside) => {
      const before = await installations.get(inside, id);
      const { modules, components, names, ...rest } = change;
      const moved = change.releaseDigest !== undefined && change.releaseDigest !== before.releaseDigest;
      const row = await inside.db
        .updateTable("installations")
        .set({
          ...rest,
          ...(moved ? { previousDigest: before.releaseDigest } : {}),
          ...(modules === undefined ? {} : { modules: toJson(modules) }),
          ...(components === undefined ? {} : { components: toJson(components) }),
          ...(names === undefined ? {} : { names: toJson(names) }),
          updatedAt: inside.now(),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await changedOfApp(inside, { noun: "installation", id, act: "updated", appId: row.appId });
      return toInstallation(row);
    });
  },

  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const row = await inside.db
        .deleteFrom("installations")
        .where("id", "=", id)
        .returning("appId")
        .executeTakeFirst();
      if (row === undefined) throw absent("installation", id);
      await changedOfApp(inside, { noun: "installation", id, act: "removed", appId: row.appId });
    });
  },
};
