import { verify } from "node:crypto";
import { type Digest, isDigest } from "@sampan/content";
import { Bug } from "@sampan/problem";
import { z } from "zod";
import { parseJson, renderCanonical } from "./canonical-json.ts";
import { keyId, readPublicKey, type Signer } from "./keys.ts";
import { LIMIT } from "./limits.ts";
import { bundleProblem } from "./problems.ts";

/** DSSE v1 (https://github.com/secure-systems-lab/dsse), canonical, Ed25519 only: SPEC.md section 5. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  /** Sorted by key ID. Empty: not signed. */
  readonly signatures: readonly EnvelopeSignature[];
}

export interface EnvelopeSignature {
  readonly keyId: Digest;
  readonly signature: Buffer;
}

/** Who vouches for an envelope, as seen by somebody who trusts some keys. Both empty: not signed. */
export interface SignatureReport {
  readonly state: "trusted" | "unknown" | "none";
  readonly trusted: readonly Digest[];
  readonly unknown: readonly Digest[];
}

const SIGNATURE_BYTES = 64;

const base64 = z
  .string()
  .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "is not base64");

const schema = z.strictObject({
  payload: base64,
  payloadType: z.string().max(LIMIT.textChars),
  signatures: z
    .array(
      z.strictObject({
        keyid: z.custom<Digest>(isDigest, "is not the sha256 digest of a key"),
        sig: base64.refine(
          (text) => Buffer.byteLength(text, "base64") === SIGNATURE_BYTES,
          "is not 64 bytes",
        ),
      }),
    )
    .max(LIMIT.signatures),
});

/** The bytes that are signed: DSSE's pre-authentication encoding. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, "utf8");
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/** Signs a payload with each signer; with none, the envelope says so. */
export async function signEnvelope(
  content: { readonly payloadType: string; readonly payload: Buffer },
  signers: readonly Signer[],
): Promise<Envelope> {
  const bytes = preAuthEncoding(content.payloadType, content.payload);
  const signatures = await Promise.all(
    signers.map(async (signer) => {
      const signature = Buffer.from(await signer.sign(bytes));
      if (signature.length !== SIGNATURE_BYTES)
        throw new Bug(`signer ${signer.keyId} made no Ed25519 signature`);
      return { keyId: signer.keyId, signature };
    }),
  );
  signatures.sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
  return { ...content, signatures };
}

export function renderEnvelope(envelope: Envelope): Buffer {
  return renderCanonical({
    payload: envelope.payload.toString("base64"),
    payloadType: envelope.payloadType,
    signatures: envelope.signatures.map(({ keyId, signature }) => ({
      keyid: keyId,
      sig: signature.toString("base64"),
    })),
  });
}

/** Reads an envelope's form; says nothing about its signatures. Throws BUNDLE_INVALID. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const parsed = schema.safeParse(parseJson(bytes));
  if (!parsed.success)
    throw bundleProblem("BUNDLE_INVALID", "the envelope is not in DSSE form", {
      faults: parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message })),
    });
  const envelope: Envelope = {
    payloadType: parsed.data.payloadType,
    payload: Buffer.from(parsed.data.payload, "base64"),
    signatures: parsed.data.signatures.map(({ keyid, sig }) => ({
      keyId: keyid,
      signature: Buffer.from(sig, "base64"),
    })),
  };
  const sorted = envelope.signatures.every(
    (item, index) => index === 0 || envelope.signatures[index - 1]!.keyId < item.keyId,
  );
  if (!sorted || !renderEnvelope(envelope).equals(bytes))
    throw bundleProblem("BUNDLE_INVALID", "the envelope is not canonical JSON", {
      why: "its keys or texts are in another form, or a key signed twice",
    });
  return envelope;
}

/**
 * Sorts the signatures into those of the given public keys (PEM) and others, which cannot be checked.
 * Throws BUNDLE_SIGNATURE_INVALID when one names a given key and does not verify; BUNDLE_KEY_INVALID.
 */
export function verifyEnvelope(envelope: Envelope, trustedKeys: readonly string[]): SignatureReport {
  const keys = new Map(trustedKeys.map((pem) => [keyId(pem), readPublicKey(pem)]));
  const bytes = preAuthEncoding(envelope.payloadType, envelope.payload);
  const trusted: Digest[] = [];
  const unknown: Digest[] = [];
  for (const item of envelope.signatures) {
    const key = keys.get(item.keyId);
    if (key === undefined) {
      unknown.push(item.keyId);
      continue;
    }
    if (!verify(null, bytes, key, item.signature))
      throw bundleProblem("BUNDLE_SIGNATURE_INVALID", "the bundle's signature is false", {
        why: `it names the trusted key ${item.keyId}, which did not sign these contents`,
        hint: "do not use this file; ask the publisher for it again, by another way",
      });
    trusted.push(item.keyId);
  }
  const state = trusted.length > 0 ? "trusted" : unknown.length > 0 ? "unknown" : "none";
  return { state, trusted, unknown };
}
