import { isProblem } from "@sampan/problem";
import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import { present } from "./row.ts";
import type { Tables } from "./tables.ts";
import { type User, users } from "./users.ts";

/** A browser's session or an API token. Only the hash of its text is kept. */
export interface Token {
  readonly id: string;
  readonly userId: string;
  readonly kind: "session" | "token";
  readonly label: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
}

/** Use is noted at this grain, so that reading does not write each time. */
const USE_GRAIN_MS = 60_000;

function toToken(row: Tables["tokens"]): Token {
  const { hash: _, ...rest } = present(row);
  return rest;
}

export const tokens = {
  create(
    context: Context,
    token: { userId: string; kind: "session" | "token"; hash: string; label: string; expiresAt?: string },
  ): Promise<Token> {
    return context.write(async (inside) => {
      const row = await inside.db
        .insertInto("tokens")
        .values({ ...token, id: inside.newId(), createdAt: inside.now() })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toToken(row);
    });
  },

  /**
   * The token with this hash and its user, unless it has expired or the user is disabled; notes the use, to the minute. A full disk
   * keeps it from being noted, and nobody from looking.
   */
  async use(
    context: Context,
    hash: string,
  ): Promise<{ readonly token: Token; readonly user: User } | undefined> {
    const now = context.now();
    const row = await context.db.selectFrom("tokens").selectAll().where("hash", "=", hash).executeTakeFirst();
    if (row === undefined || (row.expiresAt !== null && row.expiresAt <= now)) return undefined;
    const user = await users.get(context, row.userId);
    if (user.disabled) return undefined;
    const grainAgo = new Date(Date.parse(now) - USE_GRAIN_MS).toISOString();
    if (row.lastUsedAt === null || row.lastUsedAt < grainAgo)
      await noteUse(context, { tokenId: row.id, userId: user.id, at: now });
    return { token: toToken(row), user };
  },

  async list(
    context: Context,
    userId: string,
    kind: "session" | "token",
    page: PageRequest = {},
  ): Promise<Page<Token>> {
    const query = context.db
      .selectFrom("tokens")
      .selectAll()
      .where("userId", "=", userId)
      .where("kind", "=", kind);
    return mapPage(await readPage(query, { by: "createdAt", id: "id", direction: "desc" }, page), toToken);
  },

  /** Ends one session or token of the user. Throws STORE_ABSENT. */
  remove(context: Context, userId: string, id: string): Promise<void> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db
        .deleteFrom("tokens")
        .where("id", "=", id)
        .where("userId", "=", userId)
        .executeTakeFirst();
      if (numDeletedRows === 0n) throw absent("token", id);
    });
  },

  /** Drops those that have expired; returns how many. */
  removeExpired(context: Context): Promise<number> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db
        .deleteFrom("tokens")
        .where("expiresAt", "<=", inside.now())
        .executeTakeFirst();
      return Number(numDeletedRows);
    });
  },
};

async function noteUse(
  context: Context,
  { tokenId, userId, at }: { readonly tokenId: string; readonly userId: string; readonly at: string },
): Promise<void> {
  try {
    await context.write(async (inside) => {
      await inside.db.updateTable("tokens").set({ lastUsedAt: at }).where("id", "=", tokenId).execute();
      await inside.db.updateTable("users").set({ lastSeenAt: at }).where("id", "=", userId).execute();
    });
  } catch (error) {
    if (!isProblem(error, "STORE_NO_SPACE")) throw error;
  }
}
