import { expect, test } from "vitest";
import { identityOf, readLedgerFile, requirePinnedKey } from "./read-ledger-file.ts";
import { RECEIPT_PAYLOAD_TYPE } from "./receipt.ts";
import { renderReceipt, renderSiteState } from "./render-documents.ts";
import { SITE_STATE_PAYLOAD_TYPE, siteState } from "./site-state.ts";
import {
  AT,
  digest,
  fileOf,
  options,
  receiptFile,
  sampleReceipt,
  sampleState,
  stateFile,
  testKey,
} from "./test-documents.ts";

const key = testKey();
const other = testKey();

test("a site state and a receipt are read back as they were signed, with or without a line end", () => {
  for (const end of ["", "\n"]) {
    const state = readLedgerFile(stateFile(key) + end, options);
    expect(state).toMatchObject({ kind: "state", state: sampleState(key) });
    expect(identityOf(state)).toMatchObject({ id: "site_1", keyId: key.id });
    const receipt = readLedgerFile(receiptFile(key) + end, options);
    expect(receipt).toMatchObject({ kind: "receipt", receipt: sampleReceipt(key) });
    expect(identityOf(receipt)).toMatchObject({ id: "site_1", keyId: key.id });
  }
});

function changed(text: string, change: (value: Record<string, unknown>) => unknown): string {
  const envelope = JSON.parse(text) as { payload: string };
  const value = JSON.parse(Buffer.from(envelope.payload, "base64").toString());
  const payload = Buffer.from(JSON.stringify(change(value))).toString("base64");
  return JSON.stringify({ ...envelope, payload });
}

const state = (value: unknown, type = SITE_STATE_PAYLOAD_TYPE, by = key) => fileOf(value, { type, key: by });
const sample = sampleState(key);

const BAD: readonly (readonly [string, () => string, string])[] = [
  [
    "a state that was changed",
    () => changed(stateFile(key), (one) => ({ ...one, sequence: 9 })),
    "LEDGER_FALSE",
  ],
  [
    "a receipt that was changed",
    () => changed(receiptFile(key), (one) => ({ ...one, records: [] })),
    "LEDGER_FALSE",
  ],
  [
    "no signature",
    () => JSON.stringify({ ...JSON.parse(stateFile(key)), signatures: [] }),
    "LEDGER_UNSIGNED",
  ],
  [
    "another key's signature",
    () => state(sampleState(key), SITE_STATE_PAYLOAD_TYPE, other),
    "LEDGER_UNSIGNED",
  ],
  [
    "a key id that is not of the key in it",
    () => state({ ...sample, site: { ...sample.site, publicKeyPem: other.pem } }),
    "LEDGER_UNREADABLE",
  ],
  [
    "a public key that is none",
    () => state({ ...sample, site: { ...sample.site, publicKeyPem: "none" } }),
    "LEDGER_UNREADABLE",
  ],
  ["a newer state", () => state({ schema: 2 }, "application/vnd.sampan.site-state.v2+json"), "LEDGER_NEWER"],
  ["a newer receipt", () => state({}, "application/vnd.sampan.receipt.v12+json"), "LEDGER_NEWER"],
  ["an acceptance report", () => state(sample, "application/vnd.sampan.report.v1+json"), "LEDGER_UNREADABLE"],
  ["a state that says to be a receipt", () => state(sample, RECEIPT_PAYLOAD_TYPE), "LEDGER_UNREADABLE"],
  ["an unknown field", () => state({ ...sample, extra: 1 }), "LEDGER_UNREADABLE"],
  ["a sequence that is no number", () => state({ ...sample, sequence: "7" }), "LEDGER_UNREADABLE"],
  ["a sequence of 0", () => state({ ...sample, sequence: 0 }), "LEDGER_UNREADABLE"],
  [
    "more layers than an image has",
    () => state({ ...sample, images: [{ ...sample.images[0], layers: Array(1025).fill(digest("c")) }] }),
    "LEDGER_UNREADABLE",
  ],
  [
    "a payload that is no JSON",
    () => JSON.stringify({ ...JSON.parse(stateFile(key)), payload: "aGVsbG8=" }),
    "LEDGER_UNREADABLE",
  ],
  ["a file cut short", () => stateFile(key).slice(0, 300), "LEDGER_UNREADABLE"],
  ["no JSON", () => "hello", "LEDGER_UNREADABLE"],
  ["an empty file", () => "", "LEDGER_UNREADABLE"],
  ["a file that is too large", () => " ".repeat(32 * 1024 * 1024 + 1), "LEDGER_UNREADABLE"],
];

test.for(BAD)("%s is refused", ([, text, code]) => {
  const check = () => readLedgerFile(text(), options);
  expect(check).toThrow(expect.objectContaining({ code, hint: expect.stringMatching(/./) }));
});

test("a site that is known by one key is refused with another, and the way out is said", () => {
  const { site } = sample;
  expect(() => requirePinnedKey(site, { keyId: key.id })).not.toThrow();
  expect(() => requirePinnedKey(site, { keyId: other.id })).toThrow(
    expect.objectContaining({
      code: "LEDGER_KEY_CHANGED",
      hint: expect.stringContaining("sampan ledger remove site_1"),
    }),
  );
});

test("a problem that is not of the file is not hidden", () => {
  const open = () => {
    throw new Error("out of memory");
  };
  expect(() => readLedgerFile(stateFile(key), { ...options, open })).toThrow("out of memory");
});

test("both are shown as text", () => {
  expect(renderSiteState(sample).replaceAll(key.id, "KEY")).toMatchInlineSnapshot(`
    "site state 7 of Harbour (site_1), 2026-03-01T08:00:00.000Z, Sampan 0.1.0
    key KEY
    engine docker 20.10, linux/?
    hold 1 images, 4.0 MB kept, 5000.0 MB free
    imports 90.0 MB of layers a second
    holds Shop 2.9  sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    runs Shop 2.9 in default/shop (installed)"
  `);
  expect(renderReceipt(sampleReceipt(key)).replaceAll(key.id, "KEY")).toMatchInlineSnapshot(`
    "receipt 8 of Harbour (site_1), 2026-03-01T08:00:00.000Z
    key KEY
    2026-03-01T08:00:00.000Z  ann took in shop-2.9.sampan: Shop 2.9
    2026-03-01T08:00:00.000Z  ann: upgrade of Shop in default/shop, 2.8 → 2.9, succeeded; 1 of 1 checks passed; accepted by Li Wei with a key"
  `);
  const silent = { ...sample, engine: { driver: "docker", reachable: false }, rates: {} };
  expect(siteState.safeParse(silent).error).toBeUndefined();
  expect(renderSiteState(silent)).toContain("engine does not answer");
  expect(renderReceipt({ ...sampleReceipt(key), since: 3, omitted: 2 })).toMatch(
    new RegExp(`${AT}, what came after 3[\\s\\S]*2 older ones were left out`),
  );
});
