import type { App, ParameterValue } from "@sampan/template";
import { absent } from "./absent.ts";
import { type Context, openJson, sealJson } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { storeProblem } from "./problems.ts";
import { fromJson, present, toJson } from "./row.ts";
import { mentions } from "./search.ts";
import { inSight } from "./sight.ts";
import type { Tables } from "./tables.ts";

/** What a site adds to the spec; sealed at rest. */
export interface AppValues {
  /** Answers to the app's parameters. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** Values made once at install, by the key that `resolve` gives them. */
  readonly generated: Readonly<Record<string, string>>;
  /** Ports of the machine that were given to exposed ports, by the key that `resolve` gives them. */
  readonly hostPorts: Readonly<Record<string, number>>;
}

/** An app without its text and values: what lists show. */
export interface AppSummary {
  readonly id: string;
  readonly teamId: string;
  /** Unique in the team. */
  readonly name: string;
  /** Unique at the site. */
  readonly slug: string;
  readonly title?: string;
  /** Modules that were switched on or off here. */
  readonly modules: Readonly<Record<string, boolean>>;
  /** From 1; grows by one with each change of what should run. */
  readonly generation: number;
  readonly stopped: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface StoredApp extends AppSummary {
  readonly spec: App;
  readonly values: AppValues;
}

const summaryColumns = [
  "id",
  "teamId",
  "name",
  "slug",
  "title",
  "modules",
  "generation",
  "stopped",
  "createdAt",
  "updatedAt",
] as const;

type SummaryRow = Pick<Tables["apps"], (typeof summaryColumns)[number]>;

function toSummary(row: SummaryRow): AppSummary {
  const { modules, stopped, ...rest } = present(row);
  return { ...rest, modules: fromJson(modules), stopped: stopped === 1 };
}

function toApp(context: Context, row: Tables["apps"]): StoredApp {
  const { sealedSpec, sealedValues, ...summary } = row;
  return {
    ...toSummary(summary),
    spec: openJson<App>(context, sealedSpec),
    values: openJson<AppValues>(context, sealedValues),
  };
}

export const apps = {
  /** Throws STORE_TAKEN, STORE_IN_USE (no such team). */
  create(
    context: Context,
    app: {
      /** Made when absent. */
      id?: string;
      /** 1 when absent; an app that the engine runs already goes on from there. */
      generation?: number;
      teamId: string;
      name: string;
      slug: string;
      title?: string;
      spec: App;
      values: AppValues;
      modules?: Readonly<Record<string, boolean>>;
    },
  ): Promise<StoredApp> {
    return context.write(async (inside) => {
      const { spec, values, modules, ...rest } = app;
      const now = inside.now();
      const row = await inside.db
        .insertInto("apps")
        .values({
          ...rest,
          id: rest.id ?? inside.newId(),
          sealedSpec: sealJson(inside, spec),
          sealedValues: sealJson(inside, values),
          modules: toJson(modules ?? {}),
          generation: rest.generation ?? 1,
          stopped: 0,
          createdAt: now,
          updatedAt: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "app", id: row.id, act: "created", teamId: row.teamId, appId: row.id });
      return toApp(inside, row);
    });
  },

  async get(context: Context, id: string): Promise<StoredApp> {
    const row = await context.db.selectFrom("apps").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("app", id);
    return toApp(context, row);
  },

  async findByName(context: Context, teamId: string, name: string): Promise<StoredApp | undefined> {
    const row = await context.db
      .selectFrom("apps")
      .selectAll()
      .where("teamId", "=", teamId)
      .where("name", "=", name)
      .executeTakeFirst();
    return row === undefined ? undefined : toApp(context, row);
  },

  async list(
    context: Context,
    sight: Sight,
    filter: { teamId?: string; name?: string; search?: string } = {},
    page: PageRequest = {},
  ): Promise<Page<AppSummary>> {
    let query = context.db.selectFrom("apps").select(summaryColumns).where(inSight(sight, "teamId"));
    if (filter.teamId !== undefined) query = query.where("teamId", "=", filter.teamId);
    if (filter.name !== undefined) query = query.where("name", "=", filter.name);
    if (filter.search !== undefined) query = query.where(mentions(filter.search, ["name", "title"]));
    return mapPage(await readPage(query, { by: "name", id: "id", direction: "asc" }, page), toSummary);
  },

  /**
   * Changes what should run: the generation grows by one. Throws STORE_STALE when it is not `expectedGeneration` any more,
   * STORE_ABSENT, STORE_TAKEN.
   */
  update(
    context: Context,
    id: string,
    expectedGeneration: number,
    change: {
      name?: string;
      title?: string;
      spec?: App;
      values?: AppValues;
      modules?: Readonly<Record<string, boolean>>;
      stopped?: boolean;
    },
  ): Promise<StoredApp> {
    return context.write(async (inside) => {
      const { spec, values, modules, stopped, ...rest } = change;
      const row = await inside.db
        .updateTable("apps")
        .set({
          ...rest,
          ...(spec === undefined ? {} : { sealedSpec: sealJson(inside, spec) }),
          ...(values === undefined ? {} : { sealedValues: sealJson(inside, values) }),
          ...(modules === undefined ? {} : { modules: toJson(modules) }),
          ...(stopped === undefined ? {} : { stopped: stopped ? 1 : 0 }),
          generation: expectedGeneration + 1,
          updatedAt: inside.now(),
        })
        .where("id", "=", id)
        .where("generation", "=", expectedGeneration)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw await whyNotUpdated(inside, id, expectedGeneration);
      inside.changed({ noun: "app", id, act: "updated", teamId: row.teamId, appId: id });
      return toApp(inside, row);
    });
  },

  /** Forgets the app with its installations, plans, rollouts and records. What runs is the caller's to stop first. */
  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const row = await inside.db
        .deleteFrom("apps")
        .where("id", "=", id)
        .returning("teamId")
        .executeTakeFirst();
      if (row === undefined) throw absent("app", id);
      inside.changed({ noun: "app", id, act: "removed", teamId: row.teamId, appId: id });
    });
  },
};

async function whyNotUpdated(context: Context, id: string, expectedGeneration: number) {
  const now = await context.db
    .selectFrom("apps")
    .select("generation")
    .where("id", "=", id)
    .executeTakeFirst();
  if (now === undefined) return absent("app", id);
  return storeProblem("STORE_STALE", "the app was changed meanwhile", {
    why: `it is at generation ${now.generation}, and the change was made for ${expectedGeneration}`,
    hint: "look at it again, and repeat the change",
  });
}
