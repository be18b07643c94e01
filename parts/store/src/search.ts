import { type ExpressionWrapper, type SqlBool, sql } from "kysely";
import type { Tables } from "./tables.ts";

/** Rows in which one of the columns holds the text, whatever its case; `%` and `_` in it stand for themselves. */
export function mentions(
  text: string,
  columns: readonly string[],
): ExpressionWrapper<Tables, never, SqlBool> {
  const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  const tests = columns.map((column) => sql<SqlBool>`${sql.ref(column)} LIKE ${pattern} ESCAPE '\\'`);
  return sql<SqlBool>`(${sql.join(tests, sql` OR `)})` as never;
}
