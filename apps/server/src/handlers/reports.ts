import { countersign, type ReportView, reportOf, reportPage } from "@sampan/delivery";
import { isProblem } from "@sampan/problem";
import type { RequestContext } from "../http/context.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { allowedRecord } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

/** Acceptance reports: what the site vouches for, and whose names stand under it. */
export function reportHandlers(
  parts: ServerParts,
): Pick<Handlers, "getReport" | "getReportPage" | "countersignReport"> {
  return {
    getReport: async ({ params }, context) => {
      await allowReport(parts, context, params.id);
      return reportView(await reportOf(parts, params.id));
    },
    getReportPage: async ({ params, query }, context) => {
      await allowReport(parts, context, params.id);
      const page = Buffer.from(reportPage(await reportOf(parts, params.id), query.lang));
      return {
        sizeBytes: page.byteLength,
        contentType: "text/html; charset=utf-8",
        name: `report-${params.id}.html`,
        async *read({ start, end }) {
          yield page.subarray(start, end);
        },
      };
    },
    countersignReport: async ({ params, body }, context) => {
      await allowReport(parts, context, params.id);
      const { name, remark, signature } = body;
      return reportView(await countersign(parts, params.id, { by: context.actor, name, remark, signature }));
    },
  };
}

/** A report outlives its record, and the app: then its own team says who may see it. */
async function allowReport(parts: ServerParts, context: RequestContext, recordId: string): Promise<void> {
  const kept = await parts.store.reports.get(recordId).catch((error: unknown) => {
    if (!isProblem(error, "STORE_ABSENT")) throw error;
  });
  if (kept === undefined) await allowedRecord(parts, context, recordId);
  else context.allow(kept.teamId);
}

function reportView({ envelope, payload, countersignatures }: ReportView) {
  return { envelope, payload, countersignatures: countersignatures.map((one) => ({ ...one })) };
}
