import { absent } from "./absent.ts";
import { changedOfApp } from "./app-change.ts";
import { type Context, openJson, sealJson } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import type { Tables } from "./tables.ts";

/** What somebody has entered for a publish that is not done yet. It may hold secrets: sealed at rest. */
export interface PublishDraft {
  readonly id: string;
  readonly appId: string;
  readonly startedBy: string;
  readonly document: unknown;
  readonly createdAt: string;
  readonly updatedAt: string;
}

function toDraft(context: Context, row: Tables["publishDrafts"]): PublishDraft {
  const { sealedDocument, ...rest } = row;
  return { ...rest, document: openJson(context, sealedDocument) };
}

export const publishDrafts = {
  create(
    context: Context,
    draft: { appId: string; startedBy: string; document: unknown },
  ): Promise<PublishDraft> {
    return context.write(async (inside) => {
      const now = inside.now();
      const { document, ...rest } = draft;
      const row = await inside.db
        .insertInto("publishDrafts")
        .values({
          ...rest,
          id: inside.newId(),
          sealedDocument: sealJson(inside, document),
          createdAt: now,
          updatedAt: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await changedOfApp(inside, { noun: "draft", id: row.id, act: "created", appId: row.appId });
      return toDraft(inside, row);
    });
  },

  async get(context: Context, id: string): Promise<PublishDraft> {
    const row = await context.db
      .selectFrom("publishDrafts")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw absent("draft", id);
    return toDraft(context, row);
  },

  /** Last touched first. */
  async list(context: Context, appId: string, page: PageRequest = {}): Promise<Page<PublishDraft>> {
    const query = context.db.selectFrom("publishDrafts").selectAll().where("appId", "=", appId);
    const order = { by: "updatedAt", id: "id", direction: "desc" } as const;
    return mapPage(await readPage(query, order, page), (row: Tables["publishDrafts"]) =>
      toDraft(context, row),
    );
  },

  update(context: Context, id: string, document: unknown): Promise<PublishDraft> {
    return context.write(async (inside) => {
      const row = await inside.db
        .updateTable("publishDrafts")
        .set({ sealedDocument: sealJson(inside, document), updatedAt: inside.now() })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw absent("draft", id);
      await changedOfApp(inside, { noun: "draft", id, act: "updated", appId: row.appId });
      return toDraft(inside, row);
    });
  },

  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const row = await inside.db
        .deleteFrom("publishDrafts")
        .where("id", "=", id)
        .returning("appId")
        .executeTakeFirst();
      if (row === undefined) throw absent("draft", id);
      await changedOfApp(inside, { noun: "draft", id, act: "removed", appId: row.appId });
    });
  },
};
