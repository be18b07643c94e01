import { absent } from "./absent.ts";
import { changedOfApp } from "./app-change.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { present } from "./row.ts";
import { inSight } from "./sight.ts";

/** One attempt at a plan. */
export interface StoredRollout {
  readonly id: string;
  readonly planId: string;
  readonly appId: string;
  readonly generation: number;
  /** A state of the machine in core/plan. */
  readonly state: string;
  readonly reason?: string;
  readonly startedAt: string;
  readonly updatedAt: string;
  /** Present once nothing more will happen. */
  readonly endedAt?: string;
}

export interface StoredStep {
  readonly stepId: string;
  readonly state: "running" | "succeeded" | "failed" | "skipped";
  readonly message?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
}

const MESSAGE_LENGTH_MAX = 8192;

export const rollouts = {
  /** Throws STORE_IN_USE when plan or app is absent. */
  create(
    context: Context,
    rollout: Pick<StoredRollout, "planId" | "appId" | "generation" | "state">,
  ): Promise<StoredRollout> {
    return context.write(async (inside) => {
      const now = inside.now();
      const row = await inside.db
        .insertInto("rollouts")
        .values({ ...rollout, id: inside.newId(), startedAt: now, updatedAt: now })
        .returningAll()
        .executeTakeFirstOrThrow();
      await changedOfApp(inside, { noun: "rollout", id: row.id, act: "created", appId: row.appId });
      return present(row);
    });
  },

  async get(context: Context, id: string): Promise<StoredRollout> {
    const row = await context.db.selectFrom("rollouts").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("rollout", id);
    return present(row);
  },

  /** Newest first; `open` gives only those that have not ended: what a restarted server has to look after. */
  async list(
    context: Context,
    sight: Sight,
    filter: { appId?: string; open?: true } = {},
    page: PageRequest = {},
  ): Promise<Page<StoredRollout>> {
    let query = context.db
      .selectFrom("rollouts")
      .selectAll()
      .where("appId", "in", (apps) =>
        apps.selectFrom("apps").select("apps.id").where(inSight(sight, "apps.teamId")),
      );
    if (filter.appId !== undefined) query = query.where("appId", "=", filter.appId);
    if (filter.open === true) query = query.where("endedAt", "is", null);
    return mapPage(await readPage(query, { by: "startedAt", id: "id", direction: "desc" }, page), present);
  },

  /** Moves it to another state; `ended` when that is a last one. An ended rollout does not move: STORE_ABSENT. */
  move(
    context: Context,
    id: string,
    to: { state: string; reason?: string; ended?: boolean },
  ): Promise<StoredRollout> {
    return context.write(async (inside) => {
      const now = inside.now();
      const row = await inside.db
        .updateTable("rollouts")
        .set({
          state: to.state,
          ...(to.reason === undefined ? {} : { reason: to.reason.slice(0, MESSAGE_LENGTH_MAX) }),
          updatedAt: now,
          ...(to.ended === true ? { endedAt: now } : {}),
        })
        .where("id", "=", id)
        .where("endedAt", "is", null)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw absent("open rollout", id);
      await changedOfApp(inside, { noun: "rollout", id, act: "updated", appId: row.appId });
      return present(row);
    });
  },

  /** Notes that a step begins, or begins again. Durable when it returns. */
  beginStep(context: Context, rolloutId: string, step: { stepId: string; ordinal: number }): Promise<void> {
    return noteStep(context, rolloutId, { ...step, state: "running" });
  },

  /** Notes how a step ended. Durable when it returns, so the next one may begin. */
  endStep(
    context: Context,
    rolloutId: string,
    step: { stepId: string; ordinal: number; state: "succeeded" | "failed" | "skipped"; message?: string },
  ): Promise<void> {
    return noteStep(context, rolloutId, step);
  },

  /** Drops rollouts with their steps that ended before `before` and that no record refers to; returns how many. */
  prune(context: Context, before: string): Promise<number> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db
        .deleteFrom("rollouts")
        .where("endedAt", "<", before)
        .where(({ exists, not, selectFrom }) =>
          not(
            exists(
              selectFrom("records").select("records.id").whereRef("records.rolloutId", "=", "rollouts.id"),
            ),
          ),
        )
        .executeTakeFirst();
      return Number(numDeletedRows);
    });
  },

  /** In the order of the plan. */
  async steps(context: Context, rolloutId: string): Promise<readonly StoredStep[]> {
    const rows = await context.db
      .selectFrom("rolloutSteps")
      .select(["stepId", "state", "message", "startedAt", "endedAt"])
      .where("rolloutId", "=", rolloutId)
      .orderBy("ordinal")
      .execute();
    return rows.map(present);
  },
};

function noteStep(
  context: Context,
  rolloutId: string,
  step: { stepId: string; ordinal: number; state: StoredStep["state"]; message?: string },
): Promise<void> {
  return context.write(async (inside) => {
    const now = inside.now();
    const running = step.state === "running";
    const columns = {
      state: step.state,
      message: step.message?.slice(0, MESSAGE_LENGTH_MAX) ?? null,
      endedAt: running ? null : now,
    };
    await inside.db
      .insertInto("rolloutSteps")
      .values({ rolloutId, stepId: step.stepId, ordinal: step.ordinal, ...columns, startedAt: now })
      .onConflict((conflict) =>
        conflict
          .columns(["rolloutId", "stepId"])
          .doUpdateSet(running ? { ...columns, startedAt: now } : columns),
      )
      .execute();
    const { appId } = await rollouts.get(inside, rolloutId);
    await changedOfApp(inside, { noun: "rollout", id: rolloutId, act: "updated", appId });
  });
}
