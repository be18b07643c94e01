import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { type Digest, digestFromHex } from "@sampan/content";
import { EXIT, problemsOf } from "@sampan/problem";
import type { OpenEnvelope } from "@sampan/report";
import type { ReadOptions } from "./read-ledger-file.ts";
import { RECEIPT_PAYLOAD_TYPE, type Receipt } from "./receipt.ts";
import { SITE_STATE_PAYLOAD_TYPE, type SiteState } from "./site-state.ts";

/** For tests: sample documents, and DSSE as the bundle room does it. */

export const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
export const AT = "2026-03-01T08:00:00.000Z";

const invalid = problemsOf({
  BUNDLE_SIGNATURE_INVALID: { status: 422, exit: EXIT.damaged, doc: "" },
  BUNDLE_INVALID: { status: 422, exit: EXIT.damaged, doc: "" },
  BUNDLE_KEY_INVALID: { status: 422, exit: EXIT.damaged, doc: "" },
});

export interface TestKey {
  readonly pem: string;
  readonly id: Digest;
  sign(bytes: Uint8Array): Buffer;
}

export function testKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { pem, id: keyIdOf(pem), sign: (bytes) => sign(null, bytes, privateKey) };
}

function keyIdOf(pem: string): Digest {
  try {
    const der = createPublicKey(pem).export({ type: "spki", format: "der" });
    return digestFromHex(createHash("sha256").update(der).digest("hex"));
  } catch {
    throw invalid("BUNDLE_KEY_INVALID", "no key");
  }
}

function encode(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
}

interface EnvelopeJson {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly keyid: Digest; readonly sig: string }[];
}

function parseEnvelope(bytes: Uint8Array): EnvelopeJson {
  try {
    const envelope = JSON.parse(Buffer.from(bytes).toString()) as EnvelopeJson;
    if (Array.isArray(envelope.signatures)) return envelope;
  } catch {
    // Said below.
  }
  throw invalid("BUNDLE_INVALID", "no envelope");
}

const open: OpenEnvelope = (bytes, keys) => {
  const { payload: base64, payloadType, signatures } = parseEnvelope(bytes);
  const payload = Buffer.from(base64, "base64");
  const byId = new Map(keys.map((pem) => [keyIdOf(pem), pem]));
  for (const { keyid, sig } of signatures) {
    const pem = byId.get(keyid);
    if (pem !== undefined && !verify(null, encode(payloadType, payload), pem, Buffer.from(sig, "base64")))
      throw invalid("BUNDLE_SIGNATURE_INVALID", "false", { why: `${keyid} did not sign it` });
  }
  const ids = signatures.map(({ keyid }) => keyid);
  return {
    payloadType,
    payload,
    trusted: ids.filter((id) => byId.has(id)),
    unknown: ids.filter((id) => !byId.has(id)),
  };
};

export const options: ReadOptions = { open, keyId: keyIdOf };

export function fileOf(
  value: unknown,
  { type, key }: { readonly type: string; readonly key: TestKey },
): string {
  const payload = Buffer.from(JSON.stringify(value));
  const sig = key.sign(encode(type, payload)).toString("base64");
  return JSON.stringify({
    payload: payload.toString("base64"),
    payloadType: type,
    signatures: [{ keyid: key.id, sig }],
  });
}

export function stateFile(key: TestKey, change: Partial<SiteState> = {}): string {
  return fileOf({ ...sampleState(key), ...change }, { type: SITE_STATE_PAYLOAD_TYPE, key });
}

export function receiptFile(key: TestKey, change: Partial<Receipt> = {}): string {
  return fileOf({ ...sampleReceipt(key), ...change }, { type: RECEIPT_PAYLOAD_TYPE, key });
}

function identity(key: TestKey) {
  return { id: "site_1", enterprise: "Harbour", keyId: key.id, publicKeyPem: key.pem };
}

export function sampleState(key: TestKey): SiteState {
  return {
    schema: 1,
    sequence: 7,
    at: AT,
    site: identity(key),
    productVersion: "0.1.0",
    engine: { driver: "docker", reachable: true, name: "docker", version: "20.10", os: "linux" },
    hold: { images: 1, layers: 2, pieces: 3, storedBytes: 4_000_000, freeBytes: 5_000_000_000 },
    releases: [
      {
        digest: digest("a"),
        templateId: "tpl",
        templateName: "Shop",
        version: "2.9",
        images: [digest("b")],
      },
    ],
    images: [{ id: digest("b"), os: "linux", architecture: "amd64", layers: [digest("c")] }],
    apps: [
      {
        id: "app_1",
        name: "shop",
        team: "default",
        stopped: false,
        spec: { name: "shop", components: {} },
        answered: ["http_port"],
        modules: { reviews: true },
        installations: [
          {
            id: "ins_1",
            templateId: "tpl",
            templateName: "Shop",
            release: digest("a"),
            version: "2.9",
            state: "installed",
            names: {},
          },
        ],
      },
    ],
    rates: { importBytesPerSecond: 90_000_000 },
    policy: { noteRequired: true, captureBeforeUpgrade: false, snapshotsKept: 10 },
  };
}

export function sampleReceipt(key: TestKey): Receipt {
  return {
    schema: 1,
    sequence: 8,
    since: 0,
    at: AT,
    site: identity(key),
    productVersion: "0.1.0",
    state: { sequence: 7, digest: digest("d") },
    imports: [
      {
        id: "imp_1",
        bundle: digest("e"),
        fileName: "shop-2.9.sampan",
        sizeBytes: 100,
        releases: [{ digest: digest("a"), templateName: "Shop", version: "2.9" }],
        who: "ann",
        at: AT,
      },
    ],
    records: [
      {
        id: "rec_1",
        kind: "upgrade",
        team: "default",
        app: { id: "app_1", name: "shop" },
        template: { id: "tpl", name: "Shop" },
        from: { version: "2.8", digest: digest("f") },
        to: { version: "2.9", digest: digest("a") },
        result: "succeeded",
        who: "ann",
        startedAt: AT,
        endedAt: AT,
        acceptance: [{ name: "the front answers", state: "passed" }],
        countersignatures: [{ name: "Li Wei", at: AT, signed: true }],
        report: digest("9"),
      },
    ],
    omitted: 0,
  };
}
