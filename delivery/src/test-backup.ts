import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { type BackupWish, backUp } from "./backup.ts";
import type { RestoreBackupWish } from "./restore-backup.ts";
import { ann, quiet, type TestSite, testSite } from "./test-site.ts";

export const PASSPHRASE = "a boat for the far shore";

/** While the backup waits for its snapshot, the site goes on. */
export async function backUpNow(site: TestSite, appId: string, change: Partial<BackupWish> = {}) {
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

/** The backup, on the stick that lies at another site. */
export async function carried(from: TestSite, to: TestSite, backup: Awaited<ReturnType<typeof backUpNow>>) {
  const path = join(to.folder, "stick", backup.file.name);
  await copyFile(from.files.contentPath(backup.file.id, backup.file.name), path);
  return path;
}

/** A site that trusts the vendor. */
export async function trusting(vendor: TestSite): Promise<TestSite> {
  const site = await testSite();
  await site.parts.store.trustedKeys.put({
    keyId: vendor.parts.site.signer.keyId,
    name: "vendor",
    publicKeyPem: vendor.parts.site.publicKeyPem,
    addedBy: "ann",
  });
  return site;
}

export function wishOf(
  site: TestSite,
  path: string,
  change: Partial<RestoreBackupWish> = {},
): RestoreBackupWish {
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
