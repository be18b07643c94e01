import type { Desired, Plan } from "@sampan/plan";
import { absent } from "./absent.ts";
import { changedOfApp } from "./app-change.ts";
import { type Context, openJson, sealJson } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import { fromJson, toJson } from "./row.ts";

export const plans = {
  /** Keeps a plan with what it was made for. The desired holds secrets, so it is sealed. */
  put(context: Context, plan: Plan, desired: Desired): Promise<void> {
    return context.write(async (inside) => {
      await inside.db
        .insertInto("plans")
        .values({
          id: plan.id,
          appId: plan.app.id,
          generation: plan.generation,
          plan: toJson(plan),
          sealedDesired: sealJson(inside, desired),
          createdAt: plan.createdAt,
        })
        .execute();
      await changedOfApp(inside, { noun: "plan", id: plan.id, act: "created", appId: plan.app.id });
    });
  },

  async get(context: Context, id: string): Promise<Plan> {
    const row = await context.db.selectFrom("plans").select("plan").where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("plan", id);
    return fromJson<Plan>(row.plan);
  },

  async desired(context: Context, id: string): Promise<Desired> {
    const row = await context.db
      .selectFrom("plans")
      .select("sealedDesired")
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw absent("plan", id);
    return openJson<Desired>(context, row.sealedDesired);
  },

  /** Newest first. */
  async list(context: Context, appId: string, page: PageRequest = {}): Promise<Page<Plan>> {
    const query = context.db
      .selectFrom("plans")
      .select(["id", "plan", "createdAt"])
      .where("appId", "=", appId);
    const order = { by: "createdAt", id: "id", direction: "desc" } as const;
    return mapPage(await readPage(query, order, page), (row: { plan: string }) => fromJson<Plan>(row.plan));
  },

  /** Drops plans made before `before` that no rollout or record refers to, but never the newest of an app; returns how many. */
  prune(context: Context, before: string): Promise<number> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db
        .deleteFrom("plans")
        .where("createdAt", "<", before)
        .where(({ eb, exists, not, selectFrom }) =>
          eb.and([
            exists(
              selectFrom("plans as newer")
                .select("newer.id")
                .whereRef("newer.appId", "=", "plans.appId")
                .whereRef("newer.createdAt", ">", "plans.createdAt"),
            ),
            not(
              exists(
                selectFrom("rollouts").select("rollouts.id").whereRef("rollouts.planId", "=", "plans.id"),
              ),
            ),
            not(
              exists(selectFrom("records").select("records.id").whereRef("records.planId", "=", "plans.id")),
            ),
          ]),
        )
        .executeTakeFirst();
      return Number(numDeletedRows);
    });
  },
};
