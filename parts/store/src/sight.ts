import { type Expression, type SqlBool, sql } from "kysely";
import type { Sight } from "./page.ts";

type Condition = Expression<SqlBool>;

/** The condition that keeps a list within what its reader may see. `column` holds the team's id. */
export function inSight(sight: Sight, column: string): Condition {
  // One bound value however many teams there are, and an empty list is simply false.
  return sight.kind === "all"
    ? sql<SqlBool>`1`
    : sql<SqlBool>`${sql.ref(column)} IN (SELECT value FROM json_each(${JSON.stringify(sight.teamIds)}))`;
}

/** Templates of the enterprise are everybody's. */
export function templatesInSight(sight: Sight): Condition {
  return sql<SqlBool>`(scope = 'enterprise' OR ${inSight(sight, "teamId")})`;
}

/** Jobs of one's teams, and those that one began. */
export function jobsInSight(sight: Sight): Condition {
  return sight.kind === "all"
    ? sql<SqlBool>`1`
    : sql<SqlBool>`(startedBy = ${sight.userId} OR ${inSight(sight, "teamId")})`;
}
