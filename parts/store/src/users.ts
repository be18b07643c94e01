import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import { present } from "./row.ts";
import type { Tables } from "./tables.ts";

export interface User {
  readonly id: string;
  /** What they log in with: unique whatever its case. */
  readonly name: string;
  readonly title?: string;
  /** Administrator of the enterprise. */
  readonly administrator: boolean;
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastSeenAt?: string;
}

function toUser(row: Tables["users"]): User {
  const { passwordHash: _, administrator, disabled, ...rest } = present(row);
  return { ...rest, administrator: administrator === 1, disabled: disabled === 1 };
}

export const users = {
  /** Throws STORE_TAKEN. */
  create(
    context: Context,
    user: { name: string; title?: string; passwordHash: string; administrator: boolean },
  ): Promise<User> {
    return context.write(async (inside) => {
      const now = inside.now();
      const row = await inside.db
        .insertInto("users")
        .values({
          ...user,
          id: inside.newId(),
          administrator: user.administrator ? 1 : 0,
          disabled: 0,
          createdAt: now,
          updatedAt: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "user", id: row.id, act: "created" });
      return toUser(row);
    });
  },

  async get(context: Context, id: string): Promise<User> {
    const row = await context.db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw absent("user", id);
    return toUser(row);
  },

  /** For login: the user of that name with the password hash. */
  async findByName(
    context: Context,
    name: string,
  ): Promise<{ readonly user: User; readonly passwordHash: string } | undefined> {
    const row = await context.db.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
    return row === undefined ? undefined : { user: toUser(row), passwordHash: row.passwordHash };
  },

  async list(context: Context, page: PageRequest = {}): Promise<Page<User>> {
    const query = context.db.selectFrom("users").selectAll();
    return mapPage(await readPage(query, { by: "name", id: "id", direction: "asc" }, page), toUser);
  },

  /** Zero means that the first run has not made its administrator yet. */
  async count(context: Context): Promise<number> {
    const { n } = await context.db
      .selectFrom("users")
      .select((eb) => eb.fn.countAll<number>().as("n"))
      .executeTakeFirstOrThrow();
    return n;
  },

  /** A new password, or being disabled, ends all sessions and tokens of the user. Throws STORE_ABSENT, STORE_TAKEN. */
  update(
    context: Context,
    id: string,
    change: {
      name?: string;
      title?: string;
      passwordHash?: string;
      administrator?: boolean;
      disabled?: boolean;
    },
  ): Promise<User> {
    return context.write(async (inside) => {
      const { administrator, disabled, ...rest } = change;
      const row = await inside.db
        .updateTable("users")
        .set({
          ...rest,
          ...(administrator === undefined ? {} : { administrator: administrator ? 1 : 0 }),
          ...(disabled === undefined ? {} : { disabled: disabled ? 1 : 0 }),
          updatedAt: inside.now(),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw absent("user", id);
      if (change.passwordHash !== undefined || change.disabled === true)
        await inside.db.deleteFrom("tokens").where("userId", "=", id).execute();
      inside.changed({ noun: "user", id, act: "updated" });
      return toUser(row);
    });
  },

  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db.deleteFrom("users").where("id", "=", id).executeTakeFirst();
      if (numDeletedRows === 0n) throw absent("user", id);
      inside.changed({ noun: "user", id, act: "removed" });
    });
  },
};
