import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { present } from "./row.ts";
import { inSight } from "./sight.ts";

export interface Team {
  readonly id: string;
  readonly name: string;
  readonly title?: string;
  readonly createdAt: string;
}

export type TeamRole = "administrator" | "developer" | "viewer";

export interface Member {
  readonly userId: string;
  readonly userName: string;
  readonly role: TeamRole;
  readonly createdAt: string;
}

export const teams = {
  /** Throws STORE_TAKEN. */
  create(context: Context, team: { name: string; title?: string }): Promise<Team> {
    return context.write(async (inside) => {
      const row = await inside.db
        .insertInto("teams")
        .values({ ...team, id: inside.newId(), createdAt: inside.now() })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "team", id: row.id, act: "created", teamId: row.id });
      return present(row);
    });
  },

  async get(context: Context, id: string): Promise<Team> {
    const row = await context.db.selectFrom("teams").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("team", id);
    return present(row);
  },

  async findByName(context: Context, name: string): Promise<Team | undefined> {
    const row = await context.db.selectFrom("teams").selectAll().where("name", "=", name).executeTakeFirst();
    return row === undefined ? undefined : present(row);
  },

  async list(context: Context, sight: Sight, page: PageRequest = {}): Promise<Page<Team>> {
    const query = context.db.selectFrom("teams").selectAll().where(inSight(sight, "id"));
    return mapPage(await readPage(query, { by: "name", id: "id", direction: "asc" }, page), present);
  },

  update(context: Context, id: string, change: { name?: string; title?: string }): Promise<Team> {
    return context.write(async (inside) => {
      const before = await teams.get(inside, id);
      const row = await inside.db
        .updateTable("teams")
        .set({ name: before.name, ...change })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "team", id, act: "updated", teamId: id });
      return present(row);
    });
  },

  /** Throws STORE_IN_USE while the team has apps, templates or data snapshots. */
  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db.deleteFrom("teams").where("id", "=", id).executeTakeFirst();
      if (numDeletedRows === 0n) throw absent("team", id);
      inside.changed({ noun: "team", id, act: "removed", teamId: id });
    });
  },

  /** Adds a member, or gives one another role. Throws STORE_IN_USE when team or user is absent. */
  setMember(context: Context, teamId: string, userId: string, role: TeamRole): Promise<void> {
    return context.write(async (inside) => {
      await inside.db
        .insertInto("members")
        .values({ teamId, userId, role, createdAt: inside.now() })
        .onConflict((conflict) => conflict.columns(["teamId", "userId"]).doUpdateSet({ role }))
        .execute();
      inside.changed({ noun: "team", id: teamId, act: "updated", teamId });
    });
  },

  removeMember(context: Context, teamId: string, userId: string): Promise<void> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db
        .deleteFrom("members")
        .where("teamId", "=", teamId)
        .where("userId", "=", userId)
        .executeTakeFirst();
      if (numDeletedRows === 0n) throw absent("member", userId);
      inside.changed({ noun: "team", id: teamId, act: "updated", teamId });
    });
  },

  async members(context: Context, teamId: string, page: PageRequest = {}): Promise<Page<Member>> {
    const query = context.db
      .selectFrom("members")
      .innerJoin("users", "users.id", "members.userId")
      .select(["members.userId", "users.name as userName", "members.role", "members.createdAt"])
      .where("members.teamId", "=", teamId);
    return readPage(query, { by: "userName", id: "userId", direction: "asc" }, page);
  },

  /** The user's role in each of their teams, by team id: what permissions are decided from. */
  async rolesOf(context: Context, userId: string): Promise<Readonly<Record<string, TeamRole>>> {
    const rows = await context.db
      .selectFrom("members")
      .select(["teamId", "role"])
      .where("userId", "=", userId)
      .execute();
    return Object.fromEntries(rows.map((row) => [row.teamId, row.role]));
  },
};
