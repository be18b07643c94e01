import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jobEnd, type TestServer, testServer } from "./test-server.ts";
import { dataOf, installShop, KEY, publishShop, shopApp } from "./test-shop.ts";

const PASSPHRASE = "MARK-passphrase-4b1d";

let here: TestServer;
let there: TestServer;

beforeAll(async () => {
  here = await testServer();
  there = await testServer();
});

afterAll(async () => {
  await here.end();
  await there.end();
});

/** Carries a file from one server to another, as a person with a stick does. */
async function carry(fileId: string): Promise<string> {
  const reply = await here.admin.client.downloadBundle({ params: { id: fileId } });
  const bytes = new Uint8Array(await reply.arrayBuffer());
  const { client } = there.admin;
  const body = { name: "backup.sampan", sizeBytes: bytes.byteLength, teamId: there.teamId };
  const { id } = await client.startUpload({ body });
  await client.appendUpload({ params: { id }, query: { offset: 0 }, body: bytes });
  return id;
}

test("an app is backed up into a file and made again at another site, with its data, answers and release", async () => {
  const { digest } = await publishShop(here, shopApp("maker", "1.0"), { version: "1.0" });
  const { appId } = await installShop(here, digest, "shop");
  dataOf(here, appId).set("/orders", "one");
  const started = await here.admin.client.backUpApp({
    params: { id: appId },
    body: { passphrase: PASSPHRASE, note: "before the move" },
  });
  const made = (await jobEnd(here, started.jobId)) as { fileId: string; snapshotId: string };
  expect(made.snapshotId).toMatch(/^snp_/);
  dataOf(here, appId).set("/orders", "one, two");

  const source = { fileId: await carry(made.fileId) };
  const restore = async (body: object) => {
    const wish = { source, teamId: there.teamId, passphrase: PASSPHRASE, ...body };
    const { jobId } = await there.admin.client.restoreBackup({ body: wish });
    return (await jobEnd(there, jobId)) as { appId: string; appName: string };
  };
  expect(await there.admin.client.inspectBundle({ body: source })).toMatchObject({
    backup: true,
    signatures: [{ trusted: false }],
  });
  await expect(restore({})).rejects.toThrow(/^BUNDLE_/);
  const { publicKeyPem } = await here.admin.client.getSite();
  await there.admin.client.trustKey({ body: { name: "here", publicKeyPem } });
  await expect(restore({ passphrase: "another one entirely" })).rejects.toThrow("IDENTITY_PASSPHRASE_WRONG");
  expect((await there.admin.client.listApps()).items).toEqual([]);

  const restored = await restore({ appName: "shop-again" });
  expect(restored.appName).toBe("shop-again");
  expect(dataOf(there, restored.appId).get("/orders")).toBe("one");
  expect((await there.parts.store.apps.get(restored.appId)).values.parameters).toMatchObject({ key: KEY });
  const { items } = await there.admin.client.listInstallations();
  expect(items).toMatchObject([{ appName: "shop-again", releaseDigest: digest, version: "1.0" }]);
  expect((await there.admin.client.listTemplates()).items.map((one) => one.name)).toEqual(["Shop"]);
});

test("whoever may only look does not take away the data of the team in a backup", async () => {
  const viewer = await here.person("looks", "viewer");
  const developer = await here.person("develops", "developer");
  const files = (await here.admin.client.listBundles()).items.filter(({ teamId }) => teamId === here.teamId);
  const [backup] = files;
  expect(backup?.name).toContain("backup");
  const params = { id: backup?.id ?? "" };
  await expect(viewer.client.downloadBundle({ params })).rejects.toMatchObject({ code: "API_FORBIDDEN" });
  expect((await developer.client.downloadBundle({ params })).status).toBe(200);
});

test("the passphrase is in no log, no job and no file", async () => {
  for (const server of [here, there]) {
    expect(server.log.filter((line) => line.includes(PASSPHRASE))).toEqual([]);
    const jobs = (await server.admin.client.listJobs()).items;
    const logs = await Promise.all(jobs.map(({ id }) => server.admin.client.getJobLog({ params: { id } })));
    expect(JSON.stringify([jobs, logs])).not.toContain(PASSPHRASE);
    const folder = join(server.folder, "data");
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      expect(bytes.includes(PASSPHRASE), entry.name).toBe(false);
    }
  }
});

test("a passphrase that is too short, a snapshot of another app and a file that is not there are refused at once", async () => {
  const { items } = await here.admin.client.listApps({ query: { name: "maker" } });
  const params = { id: items[0]?.id ?? "" };
  const back = (body: { passphrase: string; snapshot?: string }) =>
    here.admin.client.backUpApp({ params, body });
  await expect(back({ passphrase: "short" })).rejects.toMatchObject({ code: "API_INVALID" });
  await expect(back({ passphrase: PASSPHRASE, snapshot: "none" })).rejects.toMatchObject({
    code: "STORE_ABSENT",
  });
  const [taken] = (await here.admin.client.listSnapshots()).items;
  const { jobId } = await back({ passphrase: PASSPHRASE, snapshot: taken?.id ?? "" });
  await expect(jobEnd(here, jobId)).rejects.toThrow("DATA_SNAPSHOT_UNUSABLE");
  const source = { fileId: "bdl_none" };
  const wish = { source, teamId: here.teamId, passphrase: PASSPHRASE };
  await expect(here.admin.client.restoreBackup({ body: wish })).rejects.toMatchObject({
    code: "BUNDLE_FILE_ABSENT",
  });
});
