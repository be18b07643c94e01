import type { Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import {
  countersignature,
  type EnvelopeJson,
  type Countersignature as FileCountersignature,
  type OpenEnvelope,
  type PageLanguage,
  parseReport,
  REPORT_PAYLOAD_TYPE,
  type Report,
  readReportFile,
  renderReportJson,
  renderReportPage,
  verifyCountersignature,
} from "@sampan/report";
import type { Countersignature, StoredReport } from "@sampan/store";
import { type Actor, isoNow, type Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import { isReported, type ReportedRecord, reportContent } from "./report-content.ts";

/**
 * Makes, signs and keeps the acceptance report of a record that has ended; the one that is kept already stays. Undefined for records
 * that are not reported.
 */
export async function keepReport(parts: Parts, recordId: string): Promise<StoredReport | undefined> {
  const kept = await findReport(parts, recordId);
  if (kept !== undefined) return kept;
  const record = await parts.store.records.get(recordId).catch(unlessAbsent);
  return record !== undefined && isReported(record) ? await makeReport(parts, record) : undefined;
}

async function makeReport(parts: Parts, record: ReportedRecord): Promise<StoredReport> {
  const { signEnvelope, renderEnvelope } = parts.envelopes;
  const payload = Buffer.from(JSON.stringify(await reportContent(parts, record)));
  const envelope = await signEnvelope({ payloadType: REPORT_PAYLOAD_TYPE, payload }, [parts.site.signer]);
  const { teamId } = await parts.store.apps.get(record.appId);
  const report = {
    recordId: record.id,
    appId: record.appId,
    teamId,
    envelope: String(renderEnvelope(envelope)),
  };
  try {
    return await parts.store.reports.put(report);
  } catch (error) {
    // Somebody else was quicker, with another version of the product.
    if (isProblem(error, "STORE_REPORT_KEPT")) return await parts.store.reports.get(record.id);
    throw error;
  }
}

async function findReport(parts: Pick<Parts, "store">, recordId: string): Promise<StoredReport | undefined> {
  return await parts.store.reports.get(recordId).catch(unlessAbsent);
}

function unlessAbsent(error: unknown): undefined {
  if (!isProblem(error, "STORE_ABSENT")) throw error;
}

/** A report, with what is in it. */
export interface ReportView {
  readonly stored: StoredReport;
  readonly envelope: EnvelopeJson;
  readonly payload: Report;
  /** As they stand in the file. */
  readonly countersignatures: readonly FileCountersignature[];
}

/** The report of a record; one that a crash prevented is made now. Throws REPORT_ABSENT. */
export async function reportOf(parts: Parts, recordId: string): Promise<ReportView> {
  const stored = await keepReport(parts, recordId);
  if (stored === undefined)
    throw deliveryProblem("REPORT_ABSENT", `there is no acceptance report of record ${recordId}`, {
      why: "reports are made of installs, upgrades and rollbacks, once they have ended",
      hint: "wait until it has ended, or choose another record: sampan record list",
    });
  return await viewOf(parts, stored);
}

async function viewOf(parts: Parts, stored: StoredReport): Promise<ReportView> {
  const { envelope } = readReportFile(stored.envelope);
  const payload = parseReport(parts.envelopes.parseEnvelope(Buffer.from(stored.envelope)));
  const countersignatures: FileCountersignature[] = [];
  for (const one of stored.countersignatures) countersignatures.push(await inFile(parts, one));
  return { stored, envelope, payload, countersignatures };
}

async function inFile(parts: Pick<Parts, "store">, one: Countersignature): Promise<FileCountersignature> {
  const { name, at, remark, userId, keyId, sig, publicKeyPem } = one;
  const user = await parts.store.users.get(userId).catch(unlessAbsent);
  return {
    name,
    at,
    ...(remark === undefined ? {} : { remark }),
    user: user?.name ?? userId,
    ...(keyId === undefined || sig === undefined || publicKeyPem === undefined
      ? {}
      : { signature: { keyId: keyId as Digest, publicKeyPem, sig } }),
  };
}

/** The file as JSON: envelope and countersignatures. */
export function reportJson({ envelope, countersignatures }: ReportView): string {
  return renderReportJson({ envelope, countersignatures });
}

/** The file as one page of HTML, which carries the same inside. */
export function reportPage(view: ReportView, language: PageLanguage): string {
  const { payload, envelope, countersignatures } = view;
  return renderReportPage(payload, { envelope, countersignatures, language });
}

export interface CountersignWish {
  readonly by: Actor;
  /** The person's. */
  readonly name: string;
  readonly remark?: string | undefined;
  /** Over the envelope's payload, as DSSE signs it, with a key of the person's own: Ed25519, base64. */
  readonly signature?: { readonly publicKeyPem: string; readonly sig: string } | undefined;
}

/** Puts a person's name under a report. Throws REPORT_ABSENT, COUNTERSIGNATURE_INVALID. */
export async function countersign(
  parts: Parts,
  recordId: string,
  wish: CountersignWish,
): Promise<ReportView> {
  const { stored, envelope } = await reportOf(parts, recordId);
  const { by, name, remark, signature } = wish;
  const parsed = countersignature.safeParse({
    name,
    ...(remark === undefined || remark === "" ? {} : { remark }),
    at: isoNow(parts),
    user: by.name,
    ...(signature === undefined
      ? {}
      : { signature: { ...signature, keyId: parts.envelopes.keyId(signature.publicKeyPem) } }),
  });
  if (!parsed.success)
    throw invalidCountersignature(
      "it cannot be kept like that",
      parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })),
    );
  try {
    verifyCountersignature(envelope, parsed.data, envelopeOpener(parts));
  } catch (error) {
    if (!isProblem(error)) throw error;
    throw invalidCountersignature(error.why ?? error.message);
  }
  const { signature: signed, user: _, remark: said, ...rest } = parsed.data;
  const one = { ...rest, ...(said === undefined ? {} : { remark: said }), ...signed, userId: by.userId };
  const kept = await parts.store.transaction(async (nouns) => {
    const { teamId, appId } = stored;
    const note = { what: "report.countersign", who: by.name, outcome: "done", teamId, appId };
    await nouns.events.add({ ...note, subject: recordId });
    return await nouns.reports.addCountersignature(recordId, one);
  });
  return await viewOf(parts, kept);
}

function envelopeOpener(parts: Pick<Parts, "envelopes">): OpenEnvelope {
  const { parseEnvelope, verifyEnvelope } = parts.envelopes;
  return (bytes, trustedKeys) => {
    const envelope = parseEnvelope(bytes);
    return { ...envelope, ...verifyEnvelope(envelope, trustedKeys) };
  };
}

function invalidCountersignature(
  why: string,
  faults: readonly { readonly path: string; readonly message: string }[] = [],
) {
  return deliveryProblem("COUNTERSIGNATURE_INVALID", "the report cannot be countersigned like that", {
    why,
    ...(faults.length === 0 ? {} : { faults }),
    hint: "sign this very report with your own Ed25519 key, and send the public key that belongs to it; or give your name alone",
  });
}
