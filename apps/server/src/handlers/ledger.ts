import {
  historyOfSite,
  makeReceipt,
  makeSiteState,
  type SiteDocument,
  type SiteSummary,
  takeIn,
} from "@sampan/delivery";
import { LEDGER_FILE_BYTES_MAX } from "@sampan/ledger";
import type { LedgerSite } from "@sampan/store";
import { serverProblem } from "../http/problems.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { pageOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type LedgerNames =
  | "getSiteState"
  | "getSiteReceipt"
  | "addToLedger"
  | "listLedger"
  | "getLedgerSite"
  | "noteLedgerSite"
  | "removeLedgerSite";

/** What travels back: this site's own documents, and the ledger of others'. */
export function ledgerHandlers(parts: ServerParts): Pick<Handlers, LedgerNames> {
  const { sites, events } = parts.store;
  return {
    getSiteState: async () => documentView(await makeSiteState(parts)),
    getSiteReceipt: async ({ query }) => documentView(await makeReceipt(parts, { since: query.since })),
    addToLedger: async ({ body }, context) => {
      const taken = await takeIn(parts, await readText(body), { by: context.actor });
      return { ...taken, site: siteView(taken.site), remarks: [...taken.remarks] };
    },
    listLedger: async ({ query }) => await viewPage(await sites.list(pageOf(query)), siteView),
    getLedgerSite: async ({ params }) => {
      const site = await sites.get(params.id);
      const { receipt, imports, records } = await historyOfSite(parts, site.id);
      return { ...siteView(site), receipt, imports: [...imports], records: [...records] };
    },
    noteLedgerSite: async ({ params, body }) => siteView(await sites.setNotes(params.id, body.notes)),
    removeLedgerSite: async ({ params }, context) => {
      await sites.remove(params.id);
      const who = context.actor.name;
      await events.add({ what: "ledger.remove", who, outcome: "done", subject: params.id });
      return undefined;
    },
  };
}

function documentView({ sequence, digest, text }: SiteDocument<unknown>) {
  return { sequence, digest, text };
}

function siteView({ summary, ...site }: LedgerSite) {
  return { ...site, summary: { ...(summary as SiteSummary) } };
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > LEDGER_FILE_BYTES_MAX)
      throw serverProblem("API_TOO_LARGE", "the file is larger than any site state or receipt", {
        why: `more than ${LEDGER_FILE_BYTES_MAX} bytes came`,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
