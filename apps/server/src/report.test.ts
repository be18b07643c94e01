import { sign } from "node:crypto";
import { generateKeyPair, parseEnvelope, preAuthEncoding, verifyEnvelope } from "@sampan/bundle";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  call,
  type Person,
  rolloutEnd,
  runApp,
  smallApp,
  type TestServer,
  testServer,
} from "./test-server.ts";
import { type Installed, installShop, KEY, publishShop, shopApp } from "./test-shop.ts";

let server: TestServer;
let shop: Installed;
let viewer: Person;

beforeAll(async () => {
  server = await testServer();
  viewer = await server.person("viewer", "viewer");
  const { digest } = await publishShop(server, shopApp("maker", "1.0"), { version: "1.0" });
  shop = await installShop(server, digest, "shop");
});

afterAll(() => server.end());

const client = () => server.admin.client;
const of = () => ({ params: { id: shop.recordId } });
const bytesOf = (envelope: object) => Buffer.from(JSON.stringify(envelope));

test("an install leaves a report of what was checked and accepted, signed by the site", async () => {
  const record = await client().getRecord(of());
  expect(record).toMatchObject({ kind: "install", reportAvailable: true, onFailure: "hold" });
  expect(record.checks).toMatchObject([
    { name: "the front answers", state: "passed", tookMs: expect.any(Number) },
  ]);
  const { envelope, payload, countersignatures } = await client().getReport(of());
  expect(payload).toMatchObject({ kind: "install", result: "succeeded", who: "root" });
  expect(JSON.stringify(payload)).not.toContain(KEY);
  expect(countersignatures).toEqual([]);
  const { publicKeyPem, keyId } = await client().getSite();
  const parsed = parseEnvelope(bytesOf(envelope));
  expect(verifyEnvelope(parsed, [publicKeyPem])).toMatchObject({ state: "trusted", trusted: [keyId] });
  expect(JSON.parse(String(parsed.payload))).toEqual(payload);
});

test("the report is one page, in two languages, that runs nothing and fetches nothing", async () => {
  const page = async (lang: string) =>
    await call(server.url, "GET", `/records/${shop.recordId}/report.html?lang=${lang}`, {
      token: viewer.token,
    });
  const english = await page("en");
  expect(english.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(english.headers.get("content-security-policy")).toContain("default-src 'none'");
  const text = await english.text();
  expect(text).toContain("Acceptance report");
  expect(text).not.toMatch(/(?:src|href)=/);
  expect(await (await page("zh")).text()).toContain("验收报告");
  const other = await page("fr");
  expect([other.status, await other.json()]).toMatchObject([400, { code: "API_INVALID" }]);
});

test("a person puts a name under it, with a key of their own or without; a signature of something else is refused", async () => {
  const name = "王工";
  const noted = await client().countersignReport({ ...of(), body: { name, remark: "收到" } });
  expect(noted.countersignatures).toMatchObject([{ name, remark: "收到", user: "root" }]);
  const { publicKey: publicKeyPem, privateKey } = generateKeyPair();
  const { payloadType, payload } = parseEnvelope(bytesOf(noted.envelope));
  const signed = (bytes: Uint8Array) => ({
    publicKeyPem,
    sig: sign(null, preAuthEncoding(payloadType, bytes), privateKey).toString("base64"),
  });
  const good = await client().countersignReport({ ...of(), body: { name, signature: signed(payload) } });
  expect(good.countersignatures[1]).toMatchObject({ name, signature: { publicKeyPem } });
  const asked = [
    { name, signature: signed(Buffer.from("{}")) },
    { name, signature: { publicKeyPem, sig: "none" } },
  ];
  for (const body of asked)
    await expect(client().countersignReport({ ...of(), body })).rejects.toMatchObject({
      code: "COUNTERSIGNATURE_INVALID",
    });
  await expect(client().countersignReport({ ...of(), body: { name: " " } })).rejects.toMatchObject({
    code: "API_INVALID",
  });
  await expect(viewer.client.countersignReport({ ...of(), body: { name } })).rejects.toMatchObject({
    code: "API_FORBIDDEN",
  });
  const page = await client().getReportPage({ ...of(), query: { lang: "en" } });
  expect(await page.text()).toContain(name);
  expect((await client().getReport(of())).countersignatures).toHaveLength(2);
});

test("what is no install, upgrade or rollback has no report", async () => {
  const appId = await runApp(server, smallApp("plain"));
  const [record] = (await client().listRecords({ query: { app: appId } })).items;
  const params = { id: record?.id ?? "" };
  expect(await client().getRecord({ params })).toMatchObject({ kind: "edit", reportAvailable: false });
  await expect(client().getReport({ params })).rejects.toMatchObject({ code: "REPORT_ABSENT" });
});

test("two records of an app are compared, and of two apps they are not", async () => {
  const scale = { params: { id: shop.appId, component: "web" }, body: { replicas: 2 } };
  const scaled = await client().scaleComponent(scale);
  await rolloutEnd(server, scaled.rolloutId ?? "");
  const { changes } = await client().diffRecords({
    params: { id: shop.recordId, other: scaled.recordId ?? "" },
  });
  expect(changes).toMatchObject([{ path: "components.web.replicas", after: 2 }]);
  const other = (await client().listRecords()).items.find((one) => one.appId !== shop.appId);
  await expect(
    client().diffRecords({ params: { id: shop.recordId, other: other?.id ?? "" } }),
  ).rejects.toMatchObject({ code: "RECORDS_UNLIKE" });
});
