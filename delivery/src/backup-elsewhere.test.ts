import { expect, test } from "vitest";
import { install } from "./install.ts";
import { publish } from "./publish.ts";
import { restoreBackup } from "./restore-backup.ts";
import { backUpNow, carried, trusting, wishOf } from "./test-backup.ts";
import { runShop, shop } from "./test-shop.ts";
import { ann, quiet, running, testSite } from "./test-site.ts";

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
