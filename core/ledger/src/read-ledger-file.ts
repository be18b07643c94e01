import type { Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import type { OpenEnvelope, OpenedEnvelope } from "@sampan/report";
import type { z } from "zod";
import type { SiteIdentity } from "./basics.ts";
import { ledgerProblem } from "./problems.ts";
import { RECEIPT_PAYLOAD_TYPE, type Receipt, receipt } from "./receipt.ts";
import { SITE_STATE_PAYLOAD_TYPE, type SiteState, siteState } from "./site-state.ts";

/** Of a file, in bytes. */
export const LEDGER_FILE_BYTES_MAX = 32 * 1024 * 1024;

export interface ReadOptions {
  readonly open: OpenEnvelope;
  /** The id of a public key (PEM). Throws a Problem when it is none. */
  readonly keyId: (publicKeyPem: string) => Digest;
}

/** A document that the key in it signed. */
export type LedgerDocument =
  | { readonly kind: "state"; readonly payload: Uint8Array; readonly state: SiteState }
  | { readonly kind: "receipt"; readonly payload: Uint8Array; readonly receipt: Receipt };

/**
 * Reads a site state or receipt, and proves that the key that it names made it. Whose key that is has to be compared by another way, or
 * with what is pinned (`requirePinnedKey`). Throws LEDGER_UNREADABLE, LEDGER_NEWER, LEDGER_UNSIGNED, LEDGER_FALSE.
 */
export function readLedgerFile(text: string, options: ReadOptions): LedgerDocument {
  if (text.length > LEDGER_FILE_BYTES_MAX)
    throw unreadable(`it is larger than ${LEDGER_FILE_BYTES_MAX} bytes`);
  const bytes = new TextEncoder().encode(text.trim());
  const opened = openOrRefuse(bytes, [], options);
  const document = parseDocument(opened);
  requireSigned(bytes, identityOf(document), options);
  return document;
}

export function identityOf(document: LedgerDocument): SiteIdentity {
  return document.kind === "state" ? document.state.site : document.receipt.site;
}

/** Throws LEDGER_KEY_CHANGED when a site that is known by one key signed with another. */
export function requirePinnedKey(
  { id, enterprise, keyId }: SiteIdentity,
  pinned: { readonly keyId: string },
): void {
  if (keyId === pinned.keyId) return;
  throw ledgerProblem("LEDGER_KEY_CHANGED", `the site ${enterprise} (${id}) has another key than before`, {
    why: `its files were signed by ${pinned.keyId}, and this one is signed by ${keyId}`,
    hint: `ask the site by another way whether its key was made anew; if so: sampan ledger remove ${id}, and add the file again`,
  });
}

function requireSigned(bytes: Uint8Array, { keyId, publicKeyPem }: SiteIdentity, options: ReadOptions): void {
  if (keyIdOrRefuse(publicKeyPem, options) !== keyId)
    throw unreadable("the key id in it is not of the public key in it");
  const { trusted } = openOrRefuse(bytes, [publicKeyPem], options);
  if (trusted.includes(keyId)) return;
  throw ledgerProblem("LEDGER_UNSIGNED", "the file is not signed by the key that it names", {
    why: `it names ${keyId}, and that key has not signed it`,
    hint: "let the site write it again: sampan site state -o FILE",
  });
}

function keyIdOrRefuse(publicKeyPem: string, { keyId }: ReadOptions): Digest {
  try {
    return keyId(publicKeyPem);
  } catch (error) {
    if (!isProblem(error)) throw error;
    throw unreadable("the public key in it is none");
  }
}

function openOrRefuse(
  bytes: Uint8Array,
  trustedKeys: readonly string[],
  { open }: ReadOptions,
): OpenedEnvelope {
  try {
    return open(bytes, trustedKeys);
  } catch (error) {
    if (isProblem(error, "BUNDLE_SIGNATURE_INVALID"))
      throw ledgerProblem("LEDGER_FALSE", "the signature in the file is false", {
        why: error.why ?? error.message,
        hint: "do not use this file; ask the site for it again, by another way",
      });
    if (isProblem(error, "BUNDLE_INVALID"))
      throw unreadable("it is no signed document, or it was cut", error.faults);
    throw error;
  }
}

function parseDocument({ payloadType, payload }: OpenedEnvelope): LedgerDocument {
  switch (payloadType) {
    case SITE_STATE_PAYLOAD_TYPE:
      return { kind: "state", payload, state: parsePayload(siteState, payload) };
    case RECEIPT_PAYLOAD_TYPE:
      return { kind: "receipt", payload, receipt: parsePayload(receipt, payload) };
    default:
      throw /^application\/vnd\.sampan\.(?:site-state|receipt)\.v\d+\+json$/.test(payloadType)
        ? ledgerProblem("LEDGER_NEWER", "the file is of a newer format", {
            why: `it says ${payloadType}, and this version reads v1`,
            hint: "take it in with a newer version",
          })
        : unreadable(`it is signed as ${payloadType}`);
  }
}

function parsePayload<T>(schema: z.ZodType<T>, payload: Uint8Array): T {
  const parsed = schema.safeParse(jsonOf(payload));
  if (parsed.success) return parsed.data;
  throw unreadable(
    "what was signed has not the form that it should have",
    parsed.error.issues.slice(0, 100).map(({ path, message }) => ({ path: path.join("."), message })),
  );
}

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw unreadable("what was signed is no JSON");
  }
}

function unreadable(
  why: string,
  faults: readonly { readonly path: string; readonly message: string }[] = [],
) {
  return ledgerProblem("LEDGER_UNREADABLE", "this is neither a site state nor a receipt", {
    why,
    ...(faults.length === 0 ? {} : { faults }),
    hint: "let the site write it again: sampan site state -o FILE; sampan site receipt -o FILE",
  });
}
