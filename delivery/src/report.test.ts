import { generateKeyPair, parseEnvelope, preAuthEncoding, signerOf, verifyEnvelope } from "@sampan/bundle";
import { type OpenEnvelope, verifyReport } from "@sampan/report";
import { crashing } from "@sampan/runtime";
import { expect, test } from "vitest";
import { updateApp } from "./apps.ts";
import { install } from "./install.ts";
import { countersign, keepReport, reportJson, reportOf, reportPage } from "./report.ts";
import { rollback } from "./rollback.ts";
import { shelve } from "./test-shop.ts";
import { ann, type TestSite, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

const asked = {
  parameters: {
    greeting: { type: "string", title: "Greeting", default: "hello" },
    password: { type: "password", required: true },
  },
} as const;

async function installed(site: TestSite): Promise<string> {
  const release = await shelve(site, "2.9", asked);
  const parameters = { password: "MARK-secret", greeting: "<i>hi</i>" };
  const wish = { by: ann, release, teamId: site.teamId, parameters };
  const { recordId = "" } = await install(site.parts, wish, { note: "first" });
  await site.settle();
  return recordId;
}

async function upgraded(site: TestSite): Promise<string> {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" }, { appId: app.id });
  const release = await shelve(site, "3.0", asked);
  const wish = {
    by: ann,
    app,
    installation: items[0]!,
    release,
    decisions: {},
    onFailure: "return" as const,
  };
  const { recordId = "" } = await upgrade(site.parts, wish, { note: "the new one" });
  await site.settle();
  return recordId;
}

const open: OpenEnvelope = (bytes, keys) => {
  const envelope = parseEnvelope(bytes);
  return { ...envelope, ...verifyEnvelope(envelope, keys) };
};

async function kept(site: TestSite, recordId: string) {
  return (await site.parts.store.reports.get(recordId)).envelope;
}

test("an install is reported by itself: what runs, how it was asked for, checked and accepted; signed, with no secret", async () => {
  const site = await testSite();
  const recordId = await installed(site);
  const { payload } = await reportOf(site.parts, recordId);
  expect(payload).toMatchObject({
    id: recordId,
    kind: "install",
    app: { name: "shop" },
    team: "shop",
    site: { id: "site_test" },
    template: { name: "Shop" },
    to: { version: "2.9" },
    who: "ann",
    why: "first",
    result: "succeeded",
    acceptance: [{ name: "the front answers", state: "passed" }],
    parameters: [
      { name: "greeting", value: "<i>hi</i>", secret: false },
      { name: "password", secret: true },
    ],
  });
  expect(payload.images.map((one) => one.component)).toEqual(["db", "web"]);
  expect(payload.plan.steps.every((step) => step.state === "succeeded")).toBe(true);
  expect(payload.preflight.map((check) => check.id)).toContain("memory");
  expect(await kept(site, recordId)).not.toBe("");
  expect(JSON.stringify(payload)).not.toContain("MARK-secret");
});

test("report and page are verified with the site's public key alone", async () => {
  const site = await testSite();
  const view = await reportOf(site.parts, await installed(site));
  const trustedKeys = [site.parts.site.publicKeyPem];
  expect(verifyReport(reportJson(view), { open, trustedKeys }).report).toEqual(view.payload);
  for (const language of ["en", "zh"] as const)
    expect(verifyReport(reportPage(view, language), { open, trustedKeys })).toMatchObject({ page: "same" });
  const stranger = { open, trustedKeys: [generateKeyPair().publicKey] };
  expect(() => verifyReport(reportJson(view), stranger)).toThrow(
    expect.objectContaining({ code: "REPORT_UNTRUSTED" }),
  );
});

test("an upgrade that went back is reported as such, and so is the way back", async () => {
  const site = await testSite();
  await installed(site);
  site.engine.script({ image: "web:3.0" }, crashing());
  const failed = await upgraded(site);
  const { payload } = await reportOf(site.parts, failed);
  expect(payload).toMatchObject({ result: "returned", from: { version: "2.9" }, to: { version: "3.0" } });
  expect(payload.reason).toContain("went back");
  expect(payload.plan.steps.some((step) => step.state === "failed")).toBe(true);
  const { items } = await site.parts.store.records.list({ kind: "all" });
  const back = items.find((record) => record.kind === "rollback")!;
  expect((await reportOf(site.parts, back.id)).payload).toMatchObject({
    kind: "rollback",
    result: "succeeded",
    to: { version: "2.9" },
  });
});

test("a report that a crash prevented is made later, and says what was then, not what is now", async () => {
  const site = await testSite();
  const recordId = await installed(site);
  const first = await kept(site, recordId);
  const app = await site.app("shop");
  await updateApp(site.parts, { by: ann, app, answers: { parameters: { greeting: "later" } } }, {});
  await site.settle();
  const { reports } = site.parts.store;
  const forgetful = { ...reports, get: async () => await reports.get("none") };
  const put: string[] = [];
  const store = {
    ...site.parts.store,
    reports: { ...forgetful, put: async (report: { envelope: string }) => put.push(report.envelope) },
  } as unknown as typeof site.parts.store;
  await keepReport({ ...site.parts, store }, recordId);
  expect(put).toEqual([first]);
});

test("what a program said at length is cut, so that the report can be read again", async () => {
  const site = await testSite();
  const recordId = await installed(site);
  const { store } = site.parts;
  const put: string[] = [];
  const talkative = {
    ...store,
    reports: {
      ...store.reports,
      get: async () => await store.reports.get("none"),
      put: async (report: { envelope: string }) => put.push(report.envelope),
    },
    rollouts: {
      ...store.rollouts,
      steps: async (id: string) =>
        (await store.rollouts.steps(id)).map((step) => ({ ...step, message: "x".repeat(20_000) })),
    },
  } as unknown as typeof store;
  await keepReport({ ...site.parts, store: talkative }, recordId);
  const trustedKeys = [site.parts.site.publicKeyPem];
  const { report } = verifyReport(put[0] ?? "", { open, trustedKeys });
  expect(report.plan.steps[0]?.message).toHaveLength(16_384);
});

test("a report is made once: again, also by a newer version of the product, it is the one that is kept", async () => {
  const site = await testSite();
  const recordId = await installed(site);
  const first = await kept(site, recordId);
  const again = await keepReport({ ...site.parts, productVersion: "9.9" }, recordId);
  expect(again?.envelope).toBe(first);
});

test("a person countersigns with their name, or with a key of their own as well", async () => {
  const site = await testSite();
  const recordId = await installed(site);
  const { publicKey, privateKey } = generateKeyPair();
  const { envelope } = await reportOf(site.parts, recordId);
  const bytes = preAuthEncoding(envelope.payloadType, Buffer.from(envelope.payload, "base64"));
  const sig = Buffer.from(await signerOf(privateKey).sign(bytes)).toString("base64");
  await countersign(site.parts, recordId, { by: ann, name: "Ann A.", remark: "as agreed" });
  const wish = { by: ann, name: "Bo <b>", signature: { publicKeyPem: publicKey, sig } };
  const view = await countersign(site.parts, recordId, wish);
  const trustedKeys = [site.parts.site.publicKeyPem];
  const { countersignatures } = verifyReport(reportPage(view, "zh"), { open, trustedKeys });
  expect(countersignatures).toMatchObject([
    { name: "Ann A.", remark: "as agreed", signed: "none" },
    { name: "Bo <b>", signed: "valid" },
  ]);
  expect(await kept(site, recordId)).toBe(view.stored.envelope);
});

test("a countersignature that is not of this report, or not of the key, is refused and not kept", async () => {
  const site = await testSite();
  const recordId = await installed(site);
  const { publicKey, privateKey } = generateKeyPair();
  const sig = Buffer.from(await signerOf(privateKey).sign(Buffer.from("another text"))).toString("base64");
  const bad = [
    { by: ann, name: "Bo", signature: { publicKeyPem: publicKey, sig } },
    { by: ann, name: "Bo", signature: { publicKeyPem: publicKey, sig: "no base64" } },
    { by: ann, name: "Bo", signature: { publicKeyPem: publicKey, sig: "" } },
    { by: ann, name: "  " },
    { by: ann, name: "B".repeat(500) },
  ];
  for (const wish of bad)
    await expect(countersign(site.parts, recordId, wish)).rejects.toMatchObject({
      code: "COUNTERSIGNATURE_INVALID",
      hint: expect.stringContaining("sign this very report"),
    });
  const noKey = { by: ann, name: "Bo", signature: { publicKeyPem: "hello", sig } };
  await expect(countersign(site.parts, recordId, noKey)).rejects.toMatchObject({
    code: "BUNDLE_KEY_INVALID",
  });
  expect((await site.parts.store.reports.get(recordId)).countersignatures).toEqual([]);
});

test("what is no install, upgrade or rollback, or has not ended, has no report", async () => {
  const site = await testSite();
  await installed(site);
  const app = await site.app("shop");
  const edit = await updateApp(site.parts, { by: ann, app, answers: { parameters: { greeting: "x" } } }, {});
  await site.settle();
  const { items } = await site.parts.store.records.list({ kind: "all" });
  const wish = { by: ann, app: await site.app("shop"), record: items[0]!, removeAdded: false, keepEdits: [] };
  const open = await rollback(site.parts, wish, {});
  for (const id of [edit.recordId, open.recordId, "no-such-record"])
    await expect(reportOf(site.parts, id ?? "")).rejects.toMatchObject({ code: "REPORT_ABSENT" });
});
