import { RECEIPT_PAYLOAD_TYPE, type Receipt } from "@sampan/ledger";
import type { ImportRecord, StoredReport } from "@sampan/store";
import { findRelease, findTemplate } from "./library.ts";
import type { Parts } from "./parts.ts";
import { keepReport, reportOf } from "./report.ts";
import { cutWord, type SiteDocument, signDocument, siteHead } from "./site-document.ts";
import { STATE_MADE } from "./site-state.ts";

/** Of each kind, in one receipt. */
const TOLD_MAX = 2000;

/**
 * What arrived at this site, what was done with it and who accepted it, signed. `since`: without what documents up to this number told.
 */
export async function makeReceipt(
  parts: Parts,
  { since }: { readonly since: number },
): Promise<SiteDocument<Receipt>> {
  await keepLateReports(parts);
  const { sequence, told } = await parts.store.transaction(async (nouns) => {
    const next = await nouns.siteDocuments.next();
    await nouns.siteDocuments.tell(next);
    return { sequence: next, told: await nouns.siteDocuments.told({ since, limit: TOLD_MAX }) };
  });
  const state = (await parts.store.settings.get(STATE_MADE)) as Receipt["state"];
  const imports: Receipt["imports"] = [];
  for (const one of told.imports) imports.push(await importOf(parts, one));
  const records: Receipt["records"] = [];
  for (const one of told.reports) records.push(await recordOf(parts, one));
  return await signDocument<Receipt>(parts, RECEIPT_PAYLOAD_TYPE, {
    ...(await siteHead(parts)),
    sequence,
    since,
    ...(state === undefined ? {} : { state }),
    imports,
    records,
    omitted: told.omitted,
  });
}

/** A crash may have come between the end of a record and its report. */
async function keepLateReports(parts: Parts): Promise<void> {
  const { items } = await parts.store.records.list({ kind: "all" }, {}, { limit: 200 });
  for (const { id } of items) await keepReport(parts, id);
}

async function importOf(parts: Parts, one: ImportRecord): Promise<Receipt["imports"][number]> {
  const { id, bundleDigest, fileName, sizeBytes, signer, who, importedAt } = one;
  const releases: Receipt["imports"][number]["releases"] = [];
  for (const digest of one.releases) {
    const found = await findRelease(parts, digest);
    const template = found && (await findTemplate(parts.store, found.templateId));
    releases.push({ digest, templateName: cutWord(template?.name ?? "?"), version: found?.version ?? "?" });
  }
  return {
    id,
    bundle: bundleDigest,
    fileName: cutWord(fileName),
    sizeBytes,
    releases,
    ...(signer === undefined ? {} : { signer }),
    who: cutWord(who),
    at: importedAt,
  };
}

async function recordOf(parts: Parts, stored: StoredReport): Promise<Receipt["records"][number]> {
  const { payload, countersignatures } = await reportOf(parts, stored.recordId);
  const { id, kind, team, app, template, from, to, result, reason, who, why, startedAt, endedAt } = payload;
  return {
    id,
    kind,
    team,
    app: { id: app.id, name: app.name },
    ...(template === undefined ? {} : { template }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    result,
    ...(reason === undefined ? {} : { reason }),
    who,
    ...(why === undefined ? {} : { why }),
    startedAt,
    endedAt,
    acceptance: payload.acceptance.map(({ name, state }) => ({ name, state })),
    countersignatures: countersignatures.map(({ name, at, remark, signature }) => ({
      name,
      at,
      ...(remark === undefined ? {} : { remark }),
      signed: signature !== undefined,
    })),
    report: parts.sha256(stored.envelope),
  };
}
