import { sql } from "kysely";
import type { Context } from "./context.ts";
import { type ImportRecord, toImport } from "./imports.ts";
import { type StoredReport, toReport } from "./reports.ts";
import { settings } from "./settings.ts";

const SEQUENCE = "site.sequence";

/** What a receipt tells: oldest first. */
export interface Told {
  readonly imports: readonly ImportRecord[];
  readonly reports: readonly StoredReport[];
  /** How many older ones there are beside. */
  readonly omitted: number;
}

/** The numbers of what this site writes of itself, and which of its receipts told what. No clock is asked: it may be set back. */
export const siteDocuments = {
  /** The next number, from 1. */
  next(context: Context): Promise<number> {
    return context.write(async (inside) => {
      const next = Number((await settings.get(inside, SEQUENCE)) ?? 0) + 1;
      await settings.set(inside, SEQUENCE, next);
      return next;
    });
  },

  /** Everything that no receipt told yet is told in this one. A report that was countersigned since is told again. */
  tell(context: Context, sequence: number): Promise<void> {
    return context.write(async (inside) => {
      await sql`INSERT OR IGNORE INTO told SELECT 'import', id, ${sequence} FROM imports`.execute(inside.db);
      await sql`INSERT OR IGNORE INTO told SELECT 'report', recordId, ${sequence} FROM reports`.execute(
        inside.db,
      );
    });
  },

  /** What receipts with a larger number than `since` told first; the newest of each kind, at most `limit`. */
  async told(
    context: Context,
    { since, limit }: { readonly since: number; readonly limit: number },
  ): Promise<Told> {
    const imports = context.db
      .selectFrom("imports")
      .innerJoin("told", (join) => join.onRef("told.id", "=", "imports.id").on("told.what", "=", "import"))
      .where("told.sequence", ">", since);
    const reports = context.db
      .selectFrom("reports")
      .innerJoin("told", (join) =>
        join.onRef("told.id", "=", "reports.recordId").on("told.what", "=", "report"),
      )
      .where("told.sequence", ">", since);
    const count = (all: { readonly n: number | string | bigint }) => Math.max(0, Number(all.n) - limit);
    const countAll = context.db.fn.countAll().as("n");
    const newestImports = await imports
      .selectAll("imports")
      .orderBy("importedAt", "desc")
      .orderBy("imports.id", "desc")
      .limit(limit)
      .execute();
    const newestReports = await reports
      .selectAll("reports")
      .orderBy("createdAt", "desc")
      .orderBy("recordId", "desc")
      .limit(limit)
      .execute();
    return {
      imports: newestImports.map(toImport).reverse(),
      reports: newestReports.map(toReport).reverse(),
      omitted:
        count(await imports.select(countAll).executeTakeFirstOrThrow()) +
        count(await reports.select(countAll).executeTakeFirstOrThrow()),
    };
  },
};
