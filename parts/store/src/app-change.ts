import type { Change } from "./change.ts";
import type { Context } from "./context.ts";

/** Tells of a change of something that belongs to an app, with the app's team, so that those who may see it are told. */
export async function changedOfApp(
  context: Context,
  change: Pick<Change, "noun" | "id" | "act"> & { readonly appId: string },
): Promise<void> {
  const app = await context.db
    .selectFrom("apps")
    .select("teamId")
    .where("id", "=", change.appId)
    .executeTakeFirst();
  context.changed(app === undefined ? change : { ...change, teamId: app.teamId });
}
