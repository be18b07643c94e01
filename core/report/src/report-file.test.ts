import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { type Digest, digestFromHex } from "@sampan/content";
import { EXIT, problemsOf } from "@sampan/problem";
import { expect, test } from "vitest";
import { PAGE_TEXTS } from "./page-texts.ts";
import { REPORT_PAYLOAD_TYPE, type Report, report } from "./report.ts";
import { type EnvelopeJson, readReportFile, renderReportJson, renderReportPage } from "./report-file.ts";
import { type OpenEnvelope, verifyReport } from "./verify-report.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
const AT = "2026-03-01T08:00:00.000Z";

const SAMPLE: Report = {
  schema: 1,
  id: "rec_1",
  site: { id: "site_1", keyId: digest("1") },
  productVersion: "0.1.0",
  team: "shop",
  app: { id: "app_1", name: "shop", title: "Books & <more>" },
  kind: "upgrade",
  template: { id: "tpl_1", name: "Shop" },
  from: { version: "2.9", digest: digest("a") },
  to: { version: "3.0", digest: digest("b") },
  images: [{ component: "web", name: "web:3.0", id: digest("c") }],
  modules: ["reviews"],
  parameters: [{ name: "greeting", title: "Greeting", value: `"><script>alert(1)</script>`, secret: false }],
  preflight: [
    { id: "disk", title: "Disk", state: "warn", wanted: "2 GiB", found: "unknown", remedy: "look" },
  ],
  plan: {
    digest: digest("d"),
    steps: [
      {
        id: "s1",
        kind: "instance.create",
        object: "web 1",
        why: "image changed",
        state: "succeeded",
        tookMs: 1500,
      },
      {
        id: "s2",
        kind: "something.new",
        object: "",
        why: "later",
        state: "failed",
        message: "it </script> broke",
      },
    ],
  },
  acceptance: [{ name: "the front answers", state: "passed", tookMs: 12 }],
  result: "returned",
  reason: "web was not ready",
  who: "ann",
  why: "the new release",
  startedAt: AT,
  endedAt: AT,
};

const invalid = problemsOf({ BUNDLE_SIGNATURE_INVALID: { status: 422, exit: EXIT.damaged, doc: "" } });

function keyPair() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { pem, id: keyIdOf(pem), sign: (bytes: Uint8Array) => sign(null, bytes, privateKey) };
}

function keyIdOf(pem: string): Digest {
  const der = createPublicKey(pem).export({ type: "spki", format: "der" });
  return digestFromHex(createHash("sha256").update(der).digest("hex"));
}

function encode(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
}

const open: OpenEnvelope = (bytes, keys) => {
  const envelope = JSON.parse(Buffer.from(bytes).toString()) as EnvelopeJson;
  const payload = Buffer.from(envelope.payload, "base64");
  const signed = encode(envelope.payloadType, payload);
  const byId = new Map(keys.map((pem) => [keyIdOf(pem), pem]));
  for (const { keyid, sig } of envelope.signatures) {
    const pem = byId.get(keyid);
    if (pem !== undefined && !verify(null, signed, pem, Buffer.from(sig, "base64")))
      throw invalid("BUNDLE_SIGNATURE_INVALID", "false", { why: `${keyid} did not sign it` });
  }
  const ids = envelope.signatures.map((one) => one.keyid);
  return {
    payloadType: envelope.payloadType,
    payload,
    trusted: ids.filter((id) => byId.has(id)),
    unknown: ids.filter((id) => !byId.has(id)),
  };
};

const site = keyPair();
const other = keyPair();

function envelopeOf(value: unknown = SAMPLE, type = REPORT_PAYLOAD_TYPE, key = site): EnvelopeJson {
  const payload = Buffer.from(JSON.stringify(value));
  const sig = key.sign(encode(type, payload)).toString("base64");
  return { payload: payload.toString("base64"), payloadType: type, signatures: [{ keyid: key.id, sig }] };
}

function countersigned(envelope: EnvelopeJson, key = other) {
  const bytes = encode(envelope.payloadType, Buffer.from(envelope.payload, "base64"));
  const signature = { keyId: key.id, publicKeyPem: key.pem, sig: key.sign(bytes).toString("base64") };
  return { name: "Bo <b>", remark: "all good", at: AT, user: "bo", signature };
}

const trustedKeys = [site.pem];

test("a report is verified from its JSON, from its page in either language, and from the bare envelope", () => {
  const envelope = envelopeOf();
  const countersignatures = [countersigned(envelope), { name: "Cy", at: AT, user: "cy" }];
  const signed = [{ signed: "valid" }, { signed: "none" }];
  const json = verifyReport(renderReportJson({ envelope, countersignatures }), { open, trustedKeys });
  expect(json).toMatchObject({ report: SAMPLE, keyIds: [site.id], countersignatures: signed });
  expect(json.page).toBeUndefined();
  for (const language of ["en", "zh"] as const) {
    const page = renderReportPage(SAMPLE, { envelope, countersignatures, language });
    expect(verifyReport(page, { open, trustedKeys })).toMatchObject({
      report: SAMPLE,
      countersignatures: signed,
      page: "same",
    });
  }
  expect(verifyReport(JSON.stringify(envelope), { open, trustedKeys })).toMatchObject({ report: SAMPLE });
});

test("a page whose words were changed says so, though its envelope is whole", () => {
  const page = renderReportPage(SAMPLE, { envelope: envelopeOf(), countersignatures: [], language: "en" });
  const changed = page.replace("Failed, and went back", "Succeeded, not went back");
  expect(verifyReport(changed, { open, trustedKeys })).toMatchObject({ page: "differs" });
});

const changedPayload = () => {
  const envelope = envelopeOf();
  return {
    ...envelope,
    payload: Buffer.from(JSON.stringify({ ...SAMPLE, result: "succeeded" })).toString("base64"),
  };
};
const falseCountersignature = () => {
  const envelope = envelopeOf();
  const countersignature = countersigned(envelopeOf({ ...SAMPLE, who: "eve" }));
  return renderReportJson({ envelope, countersignatures: [countersignature] });
};
const foreignCountersignature = () => {
  const envelope = envelopeOf();
  const one = countersigned(envelope);
  const signature = { ...one.signature, publicKeyPem: site.pem };
  return renderReportJson({ envelope, countersignatures: [{ ...one, signature }] });
};
const twoBlocks = () => {
  const page = renderReportPage(SAMPLE, { envelope: envelopeOf(), countersignatures: [], language: "en" });
  return page.replace("</body>", `${/<script[\s\S]*<\/script>/.exec(page)?.[0]}</body>`);
};

const BAD: readonly (readonly [string, () => string, string])[] = [
  ["a payload that was changed", () => JSON.stringify(changedPayload()), "REPORT_FALSE"],
  ["a countersignature over another report", falseCountersignature, "REPORT_FALSE"],
  ["a countersignature with somebody else's key", foreignCountersignature, "REPORT_FALSE"],
  [
    "a key that is not trusted",
    () => JSON.stringify(envelopeOf(SAMPLE, undefined, other)),
    "REPORT_UNTRUSTED",
  ],
  ["no signature", () => JSON.stringify({ ...envelopeOf(), signatures: [] }), "REPORT_UNTRUSTED"],
  ["another payload type", () => JSON.stringify(envelopeOf(SAMPLE, "text/plain")), "REPORT_UNREADABLE"],
  [
    "a newer payload type",
    () => JSON.stringify(envelopeOf(SAMPLE, "application/vnd.sampan.report.v2+json")),
    "REPORT_NEWER",
  ],
  ["a newer file", () => JSON.stringify({ format: "sampan-report/2", more: true }), "REPORT_NEWER"],
  ["what is no report", () => JSON.stringify(envelopeOf({ hello: 1 })), "REPORT_UNREADABLE"],
  [
    "an unknown field in the report",
    () => JSON.stringify(envelopeOf({ ...SAMPLE, extra: 1 })),
    "REPORT_UNREADABLE",
  ],
  ["no JSON", () => "hello", "REPORT_UNREADABLE"],
  ["an empty file", () => "", "REPORT_UNREADABLE"],
  ["JSON of another kind", () => "[1,2]", "REPORT_UNREADABLE"],
  ["a page without a report", () => "<!doctype html><p>hello", "REPORT_UNREADABLE"],
  ["a page with two reports", twoBlocks, "REPORT_UNREADABLE"],
  [
    "a page cut short",
    () =>
      renderReportPage(SAMPLE, { envelope: envelopeOf(), countersignatures: [], language: "en" }).slice(
        0,
        3000,
      ),
    "REPORT_UNREADABLE",
  ],
];

test.for(BAD)("%s is refused", ([, text, code]) => {
  const check = () => verifyReport(text(), { open, trustedKeys });
  expect(check).toThrow(expect.objectContaining({ code, hint: expect.stringMatching(/./) }));
});

test("the page escapes every value, and reaches for nothing", () => {
  const envelope = envelopeOf();
  const page = renderReportPage(SAMPLE, {
    envelope,
    countersignatures: [countersigned(envelope)],
    language: "zh",
  });
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toMatch(/https?:|src=|href=|@import|url\(|<b>|<more>/);
  expect(page).toContain("Books &amp; &lt;more&gt;");
  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(page).toContain("验收报告");
  expect(readReportFile(page)).toMatchObject({ envelope, language: "zh" });
});

test("both languages have the same words, and no other", () => {
  const keys = (value: object): unknown =>
    Object.entries(value).map(([key, one]) => [key, typeof one === "object" ? keys(one) : ""]);
  expect(keys(PAGE_TEXTS.zh)).toEqual(keys(PAGE_TEXTS.en));
});

test("the sample is a report", () => {
  expect(report.safeParse(SAMPLE).error).toBeUndefined();
});
