import { type ExpressionWrapper, type SelectQueryBuilder, type SqlBool, sql } from "kysely";
import { storeProblem } from "./problems.ts";
import type { Tables } from "./tables.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;
const CURSOR_LENGTH_MAX = 2000;

/** Which part of a list: after the `next` of the page before, at most `limit` (50 when absent, 200 at most). */
export interface PageRequest {
  readonly after?: string;
  readonly limit?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it as `after` to get what follows; absent on the last page. */
  readonly next?: string;
}

/** What a list may show: everything, or what belongs to these teams (and jobs that the user began). */
export type Sight =
  | { readonly kind: "all" }
  | { readonly kind: "teams"; readonly teamIds: readonly string[]; readonly userId: string };

type Key = string | number;

interface Order<R> {
  /** Column that people sort by. */
  readonly by: keyof R & string;
  /** Unique column that decides between equals. */
  readonly id: keyof R & string;
  readonly direction: "asc" | "desc";
}

/** Reads one page of a query by keyset: rows added or removed meanwhile shift nothing. Throws STORE_CURSOR_INVALID. */
export async function readPage<R extends object>(
  query: SelectQueryBuilder<Tables, never, R>,
  order: Order<R>,
  page: PageRequest,
): Promise<Page<R>> {
  const limit = Math.min(Math.max(1, Math.trunc(page.limit ?? LIMIT_DEFAULT)), LIMIT_MAX);
  const sorted = query
    .orderBy(sql.ref(order.by), order.direction)
    .orderBy(sql.ref(order.id), order.direction)
    .limit(limit + 1);
  const rows = await (page.after === undefined ? sorted : sorted.where(beyond(order, page.after))).execute();
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, next: writeCursor([last[order.by] as Key, last[order.id] as Key]) };
}

/** Turns the rows of a page into what is handed out. */
export function mapPage<R, T>(page: Page<R>, change: (row: R) => T): Page<T> {
  return { ...page, items: page.items.map(change) };
}

function beyond<R>(order: Order<R>, after: string): ExpressionWrapper<Tables, never, SqlBool> {
  const [by, id] = readCursor(after);
  const sign = sql.raw(order.direction === "asc" ? ">" : "<");
  return sql<SqlBool>`(${sql.ref(order.by)}, ${sql.ref(order.id)}) ${sign} (${by}, ${id})` as never;
}

function writeCursor(key: readonly [Key, Key]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

function readCursor(text: string): readonly [Key, Key] {
  const invalid = () =>
    storeProblem("STORE_CURSOR_INVALID", "`after` does not come from an earlier page of this list", {
      hint: "begin again without it",
    });
  if (text.length > CURSOR_LENGTH_MAX) throw invalid();
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    throw invalid();
  }
  const isKey = (one: unknown): one is Key => typeof one === "string" || typeof one === "number";
  if (!Array.isArray(key) || key.length !== 2 || !isKey(key[0]) || !isKey(key[1])) throw invalid();
  return [key[0], key[1]];
}
