import { truncate } from "node:fs/promises";
import { expect, test } from "vitest";
import { setRunning } from "./apps.ts";
import { type BackupWish, backUp } from "./backup.ts";
import { removeSnapshot, takeSnapshot } from "./data-snapshots.ts";
import { importRelease } from "./import.ts";
import { install } from "./install.ts";
import { type RestoreBackupWish, restoreBackup } from "./restore-backup.ts";
import { backUpNow, carried, PASSPHRASE, trusting, wishOf } from "./test-backup.ts";
import { dataReferences, fill, held, snapshotsOf } from "./test-data.ts";
import { publishShop, runShop, shop } from "./test-shop.ts";
import { ann, quiet, running, type TestSite, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

const ALL_RUN = ["db 1 ready", "web 1 ready", "web 2 ready"];

/** A vendor publishes its shop and installs it from the library, with orders in its database. */
async function installedShop() {
  const site = await testSite();
  await runShop(site);
  const { digest } = await publishShop(site, "shop", "2.9");
  const wish = { by: ann, release: digest, teamId: site.teamId, appName: "live" };
  const { appId = "" } = await install(site.parts, wish, { note: "test" });
  await site.settle();
  fill(site, appId, { "/orders": "one\ntwo\n" });
  return { site, appId, digest };
}

/** All that a site remembers and could have changed. */
async function rememberedBy({ parts: { store, hold } }: TestSite): Promise<unknown> {
  const all = { kind: "all" } as const;
  return [
    (await store.apps.list(all)).items,
    (await store.templates.list(all)).items,
    (await store.dataSnapshots.list(all)).items,
    (await store.records.list(all)).items,
    await hold.listReferences("", { limit: 100 }),
  ];
}

test("an app crosses to another site as a backup: the same releases, secrets and data; and can be upgraded there", async () => {
  const { site: vendor, appId, digest } = await installedShop();
  const before = await vendor.app("live");
  const backup = await backUpNow(vendor, appId, { note: "before the move" });
  expect(backup.file.state).toBe("whole");
  expect(backup.remarks.join("\n")).toContain("not sealed");
  expect(await snapshotsOf(vendor)).toMatchObject([{ reason: "backup", state: "complete" }]);
  expect(await running(vendor, appId)).toEqual(ALL_RUN);

  const site = await trusting(vendor);
  const done = await restoreBackup(site.parts, wishOf(site, await carried(vendor, site, backup)), quiet);
  await site.settle();
  expect(await running(site, done.appId)).toEqual(ALL_RUN);
  expect(held(site, done.appId)).toEqual(held(vendor, appId));
  const after = await site.app("live");
  expect(after.values).toEqual(before.values);
  expect(Object.values(after.spec.components).map((one) => one.id)).toEqual(
    Object.values(before.spec.components).map((one) => one.id),
  );
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  expect(items).toMatchObject([{ releaseDigest: digest, state: "installed", appId: done.appId }]);
  expect(Object.values(after.spec.components).map((one) => one.installation)).toEqual(
    Array.from({ length: 2 }, () => items[0]?.id),
  );
  const record = await site.parts.store.records.get(done.recordId);
  expect(record).toMatchObject({ kind: "install", result: "succeeded" });
  expect(record.note).toContain("restored from a backup of live, made at site site_test by ann");
  const library = (await site.parts.store.templates.list({ kind: "all" })).items;
  expect(library.map((one) => one.id)).toEqual(["shop-template"]);

  const inputs = { protect: [], now: site.clock.now() + 1e9, keepYoungerThanMs: 0 };
  await site.parts.hold.executePrune(await site.parts.hold.planPrune(inputs));
  const again = { by: ann, app: after, installation: items[0]!, release: digest, decisions: {} };
  const upgraded = await upgrade(site.parts, { ...again, onFailure: "return" }, { dryRun: true });
  expect(upgraded.changes.filter((one) => one.action !== "keep")).toEqual([]);
});

test("nothing of the app's settings can be read in a backup", async () => {
  const { site, appId } = await installedShop();
  const { values } = await site.app("live");
  const [secret = ""] = Object.values(values.generated);
  expect(secret).not.toBe("");
  const backup = await backUpNow(site, appId);
  const path = site.files.contentPath(backup.file.id, backup.file.name);
  const bundle = await site.parts.bundles.openBundle(path);
  const [sealed] = bundle.document.blobs.filter((one) => one.role === "backup/app");
  expect(Buffer.from(await bundle.read(sealed!.digest)).includes(secret)).toBe(false);
  for (const release of bundle.document.releases)
    expect(Buffer.from(await bundle.read(release.digest)).includes(secret)).toBe(false);
  await bundle.close();
});

test("a backup comes back at its own site beside the app, under another name, with data of its own", async () => {
  const { site, appId } = await installedShop();
  const backup = await backUpNow(site, appId);
  const path = await carried(site, site, backup);
  const refused = await rememberedBy(site);
  await expect(restoreBackup(site.parts, wishOf(site, path), quiet)).rejects.toMatchObject({
    code: "APP_EXISTS",
  });
  expect(await rememberedBy(site)).toEqual(refused);
  const done = await restoreBackup(site.parts, wishOf(site, path, { appName: "copy" }), quiet);
  await site.settle();
  fill(site, appId, { "/orders": "three" });
  expect(held(site, done.appId)).toEqual({ "/orders": "one\ntwo\n" });
  expect(await running(site, done.appId)).toEqual(ALL_RUN);
});

test("an app that was never published is backed up too, stopped as it was, with a snapshot that was chosen", async () => {
  const vendor = await testSite();
  const appId = await runShop(vendor);
  fill(vendor, appId, { "/orders": "old" });
  const taken = await takeSnapshot(vendor.parts, { by: ann, app: await vendor.app("shop") }, {});
  await vendor.settle();
  fill(vendor, appId, { "/orders": "new" });
  await setRunning(vendor.parts, { by: ann, app: await vendor.app("shop"), running: false }, {});
  await vendor.settle();
  const backup = await backUpNow(vendor, appId, { snapshot: taken.snapshotId });
  expect(backup.remarks.at(-1)).toContain("its data is as it was at");
  expect(await snapshotsOf(vendor)).toHaveLength(1);

  const site = await trusting(vendor);
  const done = await restoreBackup(site.parts, wishOf(site, await carried(vendor, site, backup)), quiet);
  await site.settle();
  expect(await running(site, done.appId)).toEqual([]);
  expect(held(site, done.appId)).toEqual({ "/orders": "old" });
  await setRunning(site.parts, { by: ann, app: await site.app("shop"), running: true }, {});
  await site.settle();
  expect(await running(site, done.appId)).toEqual(ALL_RUN);
});

test("an app without data is backed up without any", async () => {
  const { web } = shop().components;
  const vendor = await testSite();
  const appId = await runShop(vendor, shop("2.9", { components: { web: { ...web!, needs: [] } } }));
  const backup = await backUpNow(vendor, appId);
  expect(backup.snapshotId).toBeUndefined();
  const site = await trusting(vendor);
  const done = await restoreBackup(site.parts, wishOf(site, await carried(vendor, site, backup)), quiet);
  await site.settle();
  expect(await running(site, done.appId)).toEqual(["web 1 ready", "web 2 ready"]);
});

test("what is no backup, is cut off, is signed by nobody known, or does not open with the passphrase changes nothing", async () => {
  const { site: vendor, appId } = await installedShop();
  const backup = await backUpNow(vendor, appId);
  const site = await trusting(vendor);
  const path = await carried(vendor, site, backup);
  const before = await rememberedBy(site);
  const check = async (code: string, wish: RestoreBackupWish, at = site) => {
    await expect(restoreBackup(at.parts, wish, quiet)).rejects.toMatchObject({ code });
  };
  await check("IDENTITY_PASSPHRASE_WRONG", wishOf(site, path, { passphrase: "another passphrase" }));
  await check("TEMPLATE_INVALID", wishOf(site, path, { appName: "No Name" }));
  const stranger = await testSite();
  await check("BUNDLE_UNTRUSTED", wishOf(stranger, path), stranger);
  await truncate(path, backup.file.sizeBytes - 5000);
  await check("BUNDLE_TRUNCATED", wishOf(site, path));
  expect(await rememberedBy(site)).toEqual(before);
});

test("a backup that is imported brings its releases into the library, and says what it is", async () => {
  const { site: vendor, appId, digest } = await installedShop();
  const backup = await backUpNow(vendor, appId);
  const site = await trusting(vendor);
  const path = await carried(vendor, site, backup);
  const given = { path, fileName: "b.sampan", scope: "team" as const, teamId: site.teamId };
  const imported = await importRelease(site.parts, { ...given, allowUnsigned: false, by: ann }, quiet);
  expect(imported.releases.map((one) => one.digest)).toEqual([digest]);
  expect(imported.remarks.join("\n")).toContain("sampan backup restore");
  expect((await site.parts.store.apps.list({ kind: "all" })).items).toEqual([]);
});

test("restoring that is begun again after it was done makes no second app", async () => {
  const { site: vendor, appId } = await installedShop();
  const backup = await backUpNow(vendor, appId);
  const site = await trusting(vendor);
  const wish = wishOf(site, await carried(vendor, site, backup));
  const first = await restoreBackup(site.parts, wish, quiet);
  expect(await restoreBackup(site.parts, wish, quiet)).toEqual(first);
  await site.settle();
  expect((await site.parts.store.apps.list({ kind: "all" })).items).toHaveLength(1);
  expect(await dataReferences(site)).toHaveLength(1);
});

test("a backup that is begun again goes on with the snapshot that it took; one that is cancelled leaves no file", async () => {
  const { site, appId } = await installedShop();
  const newSnapshotId = site.parts.newId("snp");
  const cancel = new AbortController();
  const wish: BackupWish = { by: ann, appId, passphrase: PASSPHRASE, newSnapshotId, fileId: "bdl_again" };
  const options = { signal: cancel.signal, onProgress: () => cancel.abort(new Error("cancelled")) };
  await expect(backUp(site.parts, site.files, wish, options)).rejects.toThrow("cancelled");
  expect(await site.files.list()).toEqual([]);
  await site.settle();
  const backup = await backUpNow(site, appId, { newSnapshotId });
  expect(backup.snapshotId).toBe(newSnapshotId);
  expect(await snapshotsOf(site)).toHaveLength(1);
  await removeSnapshot(site.parts, { by: ann, snapshotId: newSnapshotId });
  await expect(backUpNow(site, appId, { snapshot: newSnapshotId })).rejects.toMatchObject({
    code: "STORE_ABSENT",
  });
});
