import type { Digest } from "@sampan/content";
import { type SqlBool, sql } from "kysely";
import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { fromJson, present, toJson } from "./row.ts";
import { mentions } from "./search.ts";
import { templatesInSight } from "./sight.ts";
import type { Tables } from "./tables.ts";

export interface StoredTemplate {
  readonly id: string;
  readonly name: string;
  /** `team`: only the team's members see and install it. */
  readonly scope: "team" | "enterprise";
  readonly teamId?: string;
  readonly tags: readonly string[];
  readonly summary?: string;
  readonly logo?: { readonly digest: Digest; readonly mediaType: string };
  readonly origin: "published" | "imported";
  readonly createdAt: string;
  readonly updatedAt: string;
}

type TemplateInput = Omit<StoredTemplate, "createdAt" | "updatedAt">;

function toTemplate(row: Tables["templates"]): StoredTemplate {
  const { tags, logo, ...rest } = present(row);
  return { ...rest, tags: fromJson(tags), ...(logo === undefined ? {} : { logo: fromJson(logo) }) };
}

export const templates = {
  /** Creates it, or takes over name, scope, tags, summary and logo when it is known. Its origin stays what it was. */
  put(context: Context, template: TemplateInput): Promise<StoredTemplate> {
    return context.write(async (inside) => {
      const now = inside.now();
      const { id, origin, tags, logo, ...rest } = template;
      const columns = {
        name: rest.name,
        scope: rest.scope,
        teamId: rest.teamId ?? null,
        summary: rest.summary ?? null,
        tags: toJson(tags),
        logo: logo === undefined ? null : toJson(logo),
        updatedAt: now,
      };
      const row = await inside.db
        .insertInto("templates")
        .values({ id, origin, ...columns, createdAt: now })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(columns))
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({
        noun: "template",
        id,
        act: row.createdAt === now ? "created" : "updated",
        ...(row.teamId === null ? {} : { teamId: row.teamId }),
      });
      return toTemplate(row);
    });
  },

  async get(context: Context, id: string): Promise<StoredTemplate> {
    const row = await context.db.selectFrom("templates").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("template", id);
    return toTemplate(row);
  },

  /** The library: templates of the enterprise, and of the teams in sight. `search` looks in name and summary. */
  async list(
    context: Context,
    sight: Sight,
    filter: { scope?: "team" | "enterprise"; teamId?: string; tag?: string; search?: string } = {},
    page: PageRequest = {},
  ): Promise<Page<StoredTemplate>> {
    let query = context.db.selectFrom("templates").selectAll().where(templatesInSight(sight));
    if (filter.scope !== undefined) query = query.where("scope", "=", filter.scope);
    if (filter.teamId !== undefined) query = query.where("teamId", "=", filter.teamId);
    if (filter.tag !== undefined) query = query.where(hasTag(filter.tag));
    if (filter.search !== undefined) query = query.where(mentions(filter.search, ["name", "summary"]));
    return mapPage(await readPage(query, { by: "name", id: "id", direction: "asc" }, page), toTemplate);
  },

  /** Forgets the template and its releases. Throws STORE_IN_USE while one of them is installed. */
  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const row = await inside.db
        .deleteFrom("templates")
        .where("id", "=", id)
        .returning("teamId")
        .executeTakeFirst();
      if (row === undefined) throw absent("template", id);
      inside.changed({
        noun: "template",
        id,
        act: "removed",
        ...(row.teamId === null ? {} : { teamId: row.teamId }),
      });
    });
  },
};

function hasTag(tag: string) {
  return sql<SqlBool>`EXISTS (SELECT 1 FROM json_each(templates.tags) WHERE value = ${tag})`;
}
