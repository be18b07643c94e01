import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { fromJson, present, toJson } from "./row.ts";
import { inSight } from "./sight.ts";
import type { Tables } from "./tables.ts";

/** Who did what, when, to what: the audit log. Never holds a secret. */
export interface AuditEvent {
  readonly seq: number;
  readonly at: string;
  /** Noun and verb, such as `app.scale`. */
  readonly what: string;
  /** User id, or `system`. */
  readonly who: string;
  readonly teamId?: string;
  readonly appId?: string;
  /** Id of what it was done to, where that is not the app. */
  readonly subject?: string;
  /** `done`, `refused`, `failed` or what the verb says. */
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const DETAILS_SIZE_MAX = 64 * 1024;

function toEvent(
  row: Tables["events"] extends infer E ? { [K in keyof E]: K extends "seq" ? number : E[K] } : never,
) {
  const { details, ...rest } = present(row);
  return { ...rest, details: fromJson<Record<string, unknown>>(details) } as AuditEvent;
}

export const events = {
  add(
    context: Context,
    event: Pick<AuditEvent, "what" | "who" | "outcome"> &
      Partial<Pick<AuditEvent, "teamId" | "appId" | "subject" | "details">>,
  ): Promise<void> {
    return context.write(async (inside) => {
      const { seq } = await inside.db
        .insertInto("events")
        .values({ ...event, at: inside.now(), details: toJson(event.details ?? {}, DETAILS_SIZE_MAX) })
        .returning("seq")
        .executeTakeFirstOrThrow();
      inside.changed({
        noun: "event",
        id: String(seq),
        act: "created",
        ...(event.teamId === undefined ? {} : { teamId: event.teamId }),
        ...(event.appId === undefined ? {} : { appId: event.appId }),
      });
    });
  },

  /** Newest first. Events of no team are only for those who see everything. */
  async list(
    context: Context,
    sight: Sight,
    filter: {
      appId?: string;
      teamId?: string;
      who?: string;
      what?: string;
      since?: string;
      until?: string;
    } = {},
    page: PageRequest = {},
  ): Promise<Page<AuditEvent>> {
    let query = context.db.selectFrom("events").selectAll().where(inSight(sight, "teamId"));
    for (const column of ["appId", "teamId", "who", "what"] as const) {
      const value = filter[column];
      if (value !== undefined) query = query.where(column, "=", value);
    }
    if (filter.since !== undefined) query = query.where("at", ">=", filter.since);
    if (filter.until !== undefined) query = query.where("at", "<", filter.until);
    return mapPage(await readPage(query, { by: "seq", id: "seq", direction: "desc" }, page), toEvent);
  },

  /** Drops events older than `before` and all but the newest `rowsMax`; returns how many went. */
  prune(context: Context, keep: { before?: string; rowsMax?: number }): Promise<number> {
    return context.write(async (inside) => {
      let dropped = 0n;
      if (keep.before !== undefined)
        dropped += (await inside.db.deleteFrom("events").where("at", "<", keep.before).executeTakeFirst())
          .numDeletedRows;
      if (keep.rowsMax !== undefined) {
        const oldestKept = inside.db
          .selectFrom("events")
          .select("seq")
          .orderBy("seq", "desc")
          .offset(Math.max(0, keep.rowsMax))
          .limit(1);
        dropped += (await inside.db.deleteFrom("events").where("seq", "<=", oldestKept).executeTakeFirst())
          .numDeletedRows;
      }
      return Number(dropped);
    });
  },
};
