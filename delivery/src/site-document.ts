import type { Digest } from "@sampan/content";
import { isoNow, type Parts } from "./parts.ts";

/** A document that this site signed, as it is written to a stick. */
export interface SiteDocument<T> {
  readonly sequence: number;
  /** SHA-256 of the payload. */
  readonly digest: Digest;
  /** The file: one line. */
  readonly text: string;
  readonly payload: T;
}

/** Who speaks, in each document. */
export async function siteHead(parts: Parts) {
  const enterprise = String((await parts.store.settings.get("enterprise")) ?? "");
  return {
    schema: 1 as const,
    at: isoNow(parts),
    site: {
      id: parts.site.id,
      enterprise: cutWord(enterprise.replaceAll(/\p{Cc}/gu, " ")),
      keyId: parts.site.signer.keyId,
      publicKeyPem: parts.site.publicKeyPem,
    },
    productVersion: parts.productVersion,
  };
}

export async function signDocument<T extends { readonly sequence: number }>(
  parts: Parts,
  payloadType: string,
  payload: T,
): Promise<SiteDocument<T>> {
  const { signEnvelope, renderEnvelope } = parts.envelopes;
  const bytes = Buffer.from(JSON.stringify(payload));
  const envelope = await signEnvelope({ payloadType, payload: bytes }, [parts.site.signer]);
  return {
    sequence: payload.sequence,
    digest: parts.sha256Bytes(bytes),
    text: `${renderEnvelope(envelope)}\n`,
    payload,
  };
}

/** The words of a document are bounded; a person's may be longer. */
export function cutWord(text: string, lengthMax = 512): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}
