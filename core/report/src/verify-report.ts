import type { Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import { reportProblem } from "./problems.ts";
import { type Countersignature, REPORT_PAYLOAD_TYPE, type Report, report } from "./report.ts";
import { type EnvelopeJson, parseJson, readReportFile, renderReportPage, unreadable } from "./report-file.ts";

/**
 * Opens a DSSE envelope (canonical JSON) for somebody who trusts these public keys (PEM). Throws a Problem when the envelope is
 * damaged, or a signature that names one of the keys is not its. `@sampan/bundle` has what it is made of.
 */
export type OpenEnvelope = (envelope: Uint8Array, trustedKeys: readonly string[]) => OpenedEnvelope;

export interface OpenedEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly trusted: readonly Digest[];
  readonly unknown: readonly Digest[];
}

export interface VerifiedReport {
  readonly report: Report;
  /** The given keys that signed it. */
  readonly keyIds: readonly Digest[];
  readonly countersignatures: readonly VerifiedCountersignature[];
  /** Whether the page shows what was signed; `differs` also when another version of the product made it. Absent for JSON. */
  readonly page?: "same" | "differs";
}

/** `valid`: the key that stands with it signed the report; whose key that is, its id has to be compared. `none`: the file says so, and nothing proves it. */
export type VerifiedCountersignature = Countersignature & { readonly signed: "valid" | "none" };

/**
 * Verifies the file of a report, JSON or page, for somebody who trusts these public keys (PEM), with no server at hand.
 * Throws REPORT_UNREADABLE, REPORT_NEWER, REPORT_UNTRUSTED, REPORT_FALSE, and what `open` throws of keys.
 */
export function verifyReport(
  text: string,
  { open, trustedKeys }: { readonly open: OpenEnvelope; readonly trustedKeys: readonly string[] },
): VerifiedReport {
  const file = readReportFile(text);
  const opened = openOrRefuse(file.envelope, { open, trustedKeys });
  if (opened.trusted.length === 0)
    throw reportProblem("REPORT_UNTRUSTED", "none of the given keys signed the report", {
      why: opened.unknown.length === 0 ? "nobody signed it" : `it is signed by ${opened.unknown.join(", ")}`,
      hint: "ask the site for its public key by another way, and compare the key IDs",
    });
  const said = parseReport(opened);
  const countersignatures = file.countersignatures.map((one) => ({
    ...one,
    signed: verifyCountersignature(file.envelope, one, open),
  }));
  const { language } = file;
  if (language === undefined) return { report: said, keyIds: opened.trusted, countersignatures };
  const page = renderReportPage(said, { ...file, language }) === text ? "same" : "differs";
  return { report: said, keyIds: opened.trusted, countersignatures, page };
}

/** What an envelope that was opened says. Throws REPORT_UNREADABLE, REPORT_NEWER. */
export function parseReport(opened: Pick<OpenedEnvelope, "payload" | "payloadType">): Report {
  if (opened.payloadType !== REPORT_PAYLOAD_TYPE)
    throw /^application\/vnd\.sampan\.report\.v\d+\+json$/.test(opened.payloadType)
      ? reportProblem("REPORT_NEWER", "the report is of a newer format", {
          why: `it says ${opened.payloadType}, and this version reads ${REPORT_PAYLOAD_TYPE}`,
          hint: "verify it with a newer version",
        })
      : unreadable(`it is signed as ${opened.payloadType}`);
  const parsed = report.safeParse(parseJson(new TextDecoder().decode(opened.payload)));
  if (parsed.success) return parsed.data;
  throw unreadable(
    "what was signed has not the form of a report",
    parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })),
  );
}

/** Whether a person's own key signed the report. Throws REPORT_FALSE when a signature is there and does not fit. */
export function verifyCountersignature(
  envelope: EnvelopeJson,
  { name, signature }: Pick<Countersignature, "name" | "signature">,
  open: OpenEnvelope,
): "valid" | "none" {
  if (signature === undefined) return "none";
  const own = { ...envelope, signatures: [{ keyid: signature.keyId, sig: signature.sig }] };
  const { trusted } = openOrRefuse(own, { open, trustedKeys: [signature.publicKeyPem] });
  if (trusted.includes(signature.keyId)) return "valid";
  throw falseSignature(`the signature of ${name} names another key than the one that stands with it`);
}

function openOrRefuse(
  envelope: EnvelopeJson,
  { open, trustedKeys }: { readonly open: OpenEnvelope; readonly trustedKeys: readonly string[] },
): OpenedEnvelope {
  try {
    return open(envelopeBytes(envelope), trustedKeys);
  } catch (error) {
    if (isProblem(error, "BUNDLE_SIGNATURE_INVALID")) throw falseSignature(error.why ?? error.message);
    if (isProblem(error, "BUNDLE_INVALID")) throw unreadable("its envelope is damaged", error.faults);
    throw error;
  }
}

/** Canonical JSON: keys sorted, no white space. */
export function envelopeBytes({ payload, payloadType, signatures }: EnvelopeJson): Uint8Array {
  const sorted = signatures.map(({ keyid, sig }) => ({ keyid, sig }));
  return new TextEncoder().encode(JSON.stringify({ payload, payloadType, signatures: sorted }));
}

function falseSignature(why: string) {
  return reportProblem("REPORT_FALSE", "a signature in the report is false", {
    why,
    hint: "do not use this file; ask the site for it again, by another way",
  });
}
