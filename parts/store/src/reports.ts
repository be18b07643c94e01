import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage, type Sight } from "./page.ts";
import { storeProblem } from "./problems.ts";
import { fromJson, toJson } from "./row.ts";
import { inSight } from "./sight.ts";
import type { Tables } from "./tables.ts";

const ENVELOPE_LENGTH_MAX = 16 * 1024 * 1024;
const COUNTERSIGNATURES_MAX = 100;

/** A person's word that they accept what a report says; with a key of their own, also a signature. */
export interface Countersignature {
  readonly name: string;
  readonly userId: string;
  /** ISO time. */
  readonly at: string;
  readonly remark?: string;
  readonly keyId?: string;
  readonly sig?: string;
  readonly publicKeyPem?: string;
}

/** An acceptance report: what the site says of an install, upgrade or rollback. It outlives the record and the app. */
export interface StoredReport {
  readonly recordId: string;
  readonly appId: string;
  readonly teamId: string;
  /** Text of a signed DSSE envelope, kept to the byte. */
  readonly envelope: string;
  /** In the order in which they came. */
  readonly countersignatures: readonly Countersignature[];
  readonly createdAt: string;
}

export function toReport(row: Tables["reports"]): StoredReport {
  return { ...row, countersignatures: fromJson(row.countersignatures) };
}

export const reports = {
  /**
   * Keeps the report of a record, once: the same envelope again changes nothing, another one throws STORE_REPORT_KEPT. At most
   * 16 MiB: STORE_TOO_LARGE.
   */
  put(
    context: Context,
    report: Pick<StoredReport, "recordId" | "appId" | "teamId" | "envelope">,
  ): Promise<StoredReport> {
    return context.write(async (inside) => {
      if (report.envelope.length > ENVELOPE_LENGTH_MAX)
        throw storeProblem("STORE_TOO_LARGE", "an acceptance report is too large to be kept", {
          why: `it has ${report.envelope.length} characters; ${ENVELOPE_LENGTH_MAX} are allowed`,
        });
      const { recordId, appId, teamId } = report;
      const kept = await find(inside, recordId);
      if (kept?.envelope === report.envelope) return toReport(kept);
      if (kept !== undefined)
        throw storeProblem("STORE_REPORT_KEPT", `record ${recordId} has an acceptance report already`, {
          why: `it was made at ${kept.createdAt}, and it is not the same`,
        });
      const row = await inside.db
        .insertInto("reports")
        .values({ ...report, countersignatures: "[]", createdAt: inside.now() })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "report", id: recordId, act: "created", teamId, appId });
      return toReport(row);
    });
  },

  /** Throws STORE_ABSENT when the record has none. */
  async get(context: Context, recordId: string): Promise<StoredReport> {
    const row = await find(context, recordId);
    if (row === undefined) throw absent("acceptance report of record", recordId);
    return toReport(row);
  },

  /** Adds one at the end; a person may sign again. Throws STORE_ABSENT, STORE_TOO_LARGE after the hundredth. */
  addCountersignature(context: Context, recordId: string, one: Countersignature): Promise<StoredReport> {
    return context.write(async (inside) => {
      const { countersignatures } = await reports.get(inside, recordId);
      if (countersignatures.length >= COUNTERSIGNATURES_MAX)
        throw storeProblem("STORE_TOO_LARGE", "the acceptance report has too many countersignatures", {
          why: `it has ${countersignatures.length}, and no more are kept`,
        });
      const row = await inside.db
        .updateTable("reports")
        .set({ countersignatures: toJson([...countersignatures, one]) })
        .where("recordId", "=", recordId)
        .returningAll()
        .executeTakeFirstOrThrow();
      // The next receipt tells it once more.
      await inside.db.deleteFrom("told").where("what", "=", "report").where("id", "=", recordId).execute();
      const { teamId, appId } = row;
      inside.changed({ noun: "report", id: recordId, act: "updated", teamId, appId });
      return toReport(row);
    });
  },

  /** Newest first. */
  async list(
    context: Context,
    sight: Sight,
    filter: { appId?: string } = {},
    page: PageRequest = {},
  ): Promise<Page<StoredReport>> {
    let query = context.db.selectFrom("reports").selectAll().where(inSight(sight, "teamId"));
    if (filter.appId !== undefined) query = query.where("appId", "=", filter.appId);
    const order = { by: "createdAt", id: "recordId", direction: "desc" } as const;
    return mapPage(await readPage(query, order, page), toReport);
  },
};

function find(context: Context, recordId: string): Promise<Tables["reports"] | undefined> {
  return context.db.selectFrom("reports").selectAll().where("recordId", "=", recordId).executeTakeFirst();
}
