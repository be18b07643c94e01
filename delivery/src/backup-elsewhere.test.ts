import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type BackupWish, backUp } from "./backup.ts";
import { install } from "./install.ts";
import { publish } from "./publish.ts";
import { type RestoreBackupWish, restoreBackup } from "./restore-backup.ts";
import { runShop, shop } from "./test-shop.ts";
import { ann, quiet, running, type TestSite, testSite } from "./test-site.ts";

const PASSPHRASE = "a boat for the far shore";

/** While the backup waits for its snapshot, the site goes on. */
async function backUpNow(site: TestSite, appId: string, change: Partial<BackupWish> = {}) {
  const wish: BackupWish = {
    by: ann,
    appId,
    passphrase: PASSPHRASE,
    newSnapshotId: site.parts.newId("snp"),
    fileId: site.parts.newId("bdl"),
    ...change,
  };
  const going: Promise<void>[] = [];
  const parts = { ...site.parts, wake: () => void going.push(site.settle()) };
  const made = await backUp(parts, site.files, wish, quiet);
  await Promise.all(going);
  return made;
}

async function carried(from: TestSite, to: TestSite, backup: Awaited<ReturnType<typeof backUpNow>>) {
  const path = join(to.folder, "stick", backup.file.name);
  await copyFile(from.files.contentPath(backup.file.id, backup.file.name), path);
  return path;
}

async function trusting(vendor: TestSite): Promise<TestSite> {
  const site = await testSite();
  await site.parts.store.trustedKeys.put({
    keyId: vendor.parts.site.signer.keyId,
    name: "vendor",
    publicKeyPem: vendor.parts.site.publicKeyPem,
    addedBy: "ann",
  });
  return site;
}

function wishOf(site: TestSite, path: string, change: Partial<RestoreBackupWish> = {}): RestoreBackupWish {
  return {
    by: ann,
    path,
    fileName: "backup.sampan",
    teamId: site.teamId,
    newAppId: site.parts.newId("app"),
    passphrase: PASSPHRASE,
    allowUnsigned: false,
    ...change,
  };
}

test("a backup comes up on a machine that lacks something of what the app declares, when a person says so", async () => {
  const site = await testSite();
  const appId = await runShop(site, shop("2.9", { preflight: { memory: "1GiB" } }));
  const other = await trusting(site);
  const capabilities = async () => ({
    ...(await other.parts.driver.capabilities()),
    memoryBytes: 512 * 1024 ** 2,
  });
  const parts = { ...other.parts, driver: { ...other.parts.driver, capabilities } };
  const path = await carried(site, other, await backUpNow(site, appId));
  await expect(restoreBackup(parts, wishOf(other, path), quiet)).rejects.toMatchObject({
    code: "PREFLIGHT_FAILED",
  });
  const made = await restoreBackup(parts, wishOf(other, path, { ignorePreflight: true }), quiet);
  await other.settle();
  expect(await running(other, made.appId)).toContain("db 1 ready");
});

test("a release of a template that is about backups comes with the backup of its app", async () => {
  const site = await testSite();
  const id = await runShop(site, shop("2.9", { name: "backup" }));
  const wish = {
    appId: id,
    by: ann,
    template: { name: "Backup" },
    scope: "team" as const,
    version: "2.9",
    values: [],
    scaling: {},
    replace: false,
    accept: ["all"],
  };
  const { digest } = await publish(site.parts, wish, { ...quiet, newTemplateId: "backup-0123456789" });
  const { appId = "" } = await install(
    site.parts,
    { by: ann, release: digest, teamId: site.teamId, appName: "live" },
    {},
  );
  await site.settle();
  const other = await trusting(site);
  const path = await carried(site, other, await backUpNow(site, appId));
  await restoreBackup(other.parts, wishOf(other, path), quiet);
  await other.settle();
  expect((await other.parts.store.releases.get(digest)).templateId).toBe("backup-0123456789");
  const { items } = await other.parts.store.templates.list({ kind: "all" });
  expect(items.map((template) => template.id)).toEqual(["backup-0123456789"]);
});
