import { afterAll, beforeAll, expect, test } from "vitest";
import { call, jobEnd, type TestServer, testServer } from "./test-server.ts";
import { publishShop, shopApp } from "./test-shop.ts";

let here: TestServer;
let there: TestServer;

beforeAll(async () => {
  here = await testServer();
  there = await testServer();
});

afterAll(async () => {
  await here?.end();
  await there?.end();
});

const VOLUME_BYTES_MIN = 16 * 1024 ** 2;

test("a release is exported in volumes, planned so, and each is taken in for what it is", async () => {
  const { digest } = await publishShop(here, shopApp("maker", "1.0"), { version: "1.0" });
  const { client, token } = here.admin;
  const wish = { releases: [digest], volumeSizeBytes: VOLUME_BYTES_MIN };
  expect(await client.planExport({ body: wish })).toMatchObject({ volumeCount: 1 });
  const started = await client.exportBundle({ body: wish });
  const made = (await jobEnd(here, started.jobId)) as { fileId: string; files: unknown[] };
  const file = { fileId: made.fileId, name: "Shop-1.0.vol01.sampan", sha256: expect.any(String) };
  expect(made.files).toEqual([{ ...file, sizeBytes: expect.any(Number) }]);
  expect(await client.getBundle({ params: { id: made.fileId } })).toMatchObject({ name: file.name });
  const small = { ...wish, volumeSizeBytes: VOLUME_BYTES_MIN - 1 };
  for (const path of ["/bundles/export", "/bundles/export/plan"])
    expect((await call(here.url, "POST", path, { token, body: small })).status).toBe(400);

  const reply = await client.downloadBundle({ params: { id: made.fileId } });
  const bytes = new Uint8Array(await reply.arrayBuffer());
  const site = there.admin.client;
  await site.trustKey({ body: { name: "here", publicKeyPem: (await client.getSite()).publicKeyPem } });
  const { id } = await site.startUpload({ body: { name: file.name, sizeBytes: bytes.byteLength } });
  await site.appendUpload({ params: { id }, query: { offset: 0 }, body: bytes });
  const part = { kind: "volume", number: 1, volumes: 1 };
  expect(await site.inspectBundle({ body: { fileId: id } })).toMatchObject({
    part,
    releases: [{ templateName: "Shop", version: "1.0", held: false }],
  });
  const { jobId } = await site.importBundle({ body: { source: { fileId: id } } });
  expect(await jobEnd(there, jobId)).toMatchObject({
    complete: true,
    missing: [],
    part,
    releases: [{ digest, version: "1.0" }],
  });
});
