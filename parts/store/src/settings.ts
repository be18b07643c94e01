import type { Context } from "./context.ts";
import { fromJson, toJson } from "./row.ts";

/** Small facts about the whole: JSON by key. No secrets. */
export const settings = {
  async get(context: Context, key: string): Promise<unknown> {
    const row = await context.db
      .selectFrom("settings")
      .select("value")
      .where("key", "=", key)
      .executeTakeFirst();
    return row === undefined ? undefined : fromJson(row.value);
  },

  async set(context: Context, key: string, value: unknown): Promise<void> {
    const row = { value: toJson(value), updatedAt: context.now() };
    await context.write(async (inside) => {
      await inside.db
        .insertInto("settings")
        .values({ key, ...row })
        .onConflict((conflict) => conflict.column("key").doUpdateSet(row))
        .execute();
      inside.changed({ noun: "setting", id: key, act: "updated" });
    });
  },

  async remove(context: Context, key: string): Promise<void> {
    await context.write(async (inside) => {
      await inside.db.deleteFrom("settings").where("key", "=", key).execute();
      inside.changed({ noun: "setting", id: key, act: "removed" });
    });
  },
};
