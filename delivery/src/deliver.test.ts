import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { crashing, neverReady } from "@sampan/runtime";
import { expect, test } from "vitest";
import { scaleComponent, updateApp } from "./apps.ts";
import { exportBundle } from "./export.ts";
import { importRelease } from "./import.ts";
import { install } from "./install.ts";
import { publish } from "./publish.ts";
import type { PublishWish } from "./publish-wish.ts";
import { rollback } from "./rollback.ts";
import { publishShop, runShop, shelve, shop } from "./test-shop.ts";
import { ann, build, quiet, running, type TestSite, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

const OLD = ["db 1 ready", "web 1 ready", "web 2 ready"];
const NEW = [...OLD, "worker 1 ready"];

async function installed(site: TestSite): Promise<string> {
  const release = await shelve(site, "2.9");
  const done = await install(site.parts, { by: ann, release, teamId: site.teamId }, {});
  await site.settle();
  return done.appId ?? "";
}

async function upgradeTo(
  site: TestSite,
  release: `sha256:${string}`,
  onFailure: "return" | "hold" = "return",
) {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" }, { appId: app.id });
  const wish = { by: ann, app, installation: items[0]!, release, decisions: {}, onFailure };
  const done = await upgrade(site.parts, wish, {});
  await site.settle();
  return done;
}

async function goBack(site: TestSite, kind: string, removeAdded = false) {
  const app = await site.app("shop");
  const { items } = await site.parts.store.records.list({ kind: "all" }, { appId: app.id });
  const record = items.find((one) => one.kind === kind)!;
  const done = await rollback(site.parts, { by: ann, app, record, removeAdded, keepEdits: [] }, {});
  await site.settle();
  return done;
}

/** Kind and result of the app's records, newest first. */
async function records(site: TestSite): Promise<string[]> {
  const { items } = await site.parts.store.records.list({ kind: "all" });
  return items.map((one) => `${one.kind} ${one.result} ${one.rolloutState}`);
}

test("publish captures what runs, and refuses while findings are neither mended nor accepted", async () => {
  const site = await testSite();
  const appId = await runShop(site, shop("2.9", {}));
  site.engine.script({ component: "web" }, neverReady());
  const wish: PublishWish = {
    appId,
    by: ann,
    template: { name: "Shop" },
    scope: "team",
    version: "1.0",
    components: ["web"],
    values: [],
    scaling: {},
    replace: false,
    accept: [],
  };
  const refused = await publish(site.parts, wish, { ...quiet, newTemplateId: "shop-template" }).catch(
    (e) => e,
  );
  expect(refused).toMatchObject({ code: "PUBLISH_REFUSED" });
  expect(refused.faults[0].message).toContain("COMPONENT_LEFT_OUT");
  expect((await site.parts.store.templates.list({ kind: "all" })).items).toEqual([]);
  const published = await publishShop(site, "shop", "1.0");
  expect(published.images).toBe(2);
});

test("a version that was published before is replaced only when that is said", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  const first = await publishShop(site, "shop", "1.0");
  const wish: PublishWish = {
    appId,
    by: ann,
    template: { id: first.templateId },
    scope: "team",
    version: "1.0",
    notes: "again",
    values: [],
    scaling: {},
    replace: false,
    accept: ["all"],
  };
  const options = { ...quiet, newTemplateId: "unused" };
  await expect(publish(site.parts, wish, options)).rejects.toMatchObject({ code: "VERSION_EXISTS" });
  const again = await publish(site.parts, { ...wish, replace: true }, options);
  expect(again.replaced).toBe(first.digest);
  expect((await site.parts.store.releases.list({ templateId: first.templateId })).items).toHaveLength(1);
});

test("a release crosses to another site as a file, is installed there, upgraded, rolled back, and rolled forward", async () => {
  const vendor = await testSite();
  await runShop(vendor);
  const old = await publishShop(vendor, "shop", "2.9");
  const text = shop("3.0");
  await updateApp(
    vendor.parts,
    { by: ann, app: await vendor.app("shop"), given: { app: text }, answers: {} },
    {},
  );
  await vendor.settle();
  const now = await publishShop(vendor, "shop", "3.0", old.templateId);

  const site = await testSite();
  await site.parts.store.trustedKeys.put({
    keyId: vendor.parts.site.signer.keyId,
    name: "vendor",
    publicKeyPem: vendor.parts.site.publicKeyPem,
    addedBy: "ann",
  });
  for (const { digest } of [old, now]) await carry(vendor, site, digest);
  const { appId = "" } = await install(
    site.parts,
    { by: ann, release: old.digest, teamId: site.teamId, appName: "shop" },
    {},
  );
  await site.settle();
  expect(await running(site, appId)).toEqual(OLD);
  const before = (await site.app("shop")).values.generated;

  await upgradeTo(site, now.digest);
  expect(await running(site, appId)).toEqual(NEW);
  expect((await site.app("shop")).values.generated).toEqual(before);

  const back = await goBack(site, "upgrade", true);
  expect(back.remarks).toEqual([]);
  expect(await running(site, appId)).toEqual(OLD);
  await goBack(site, "rollback");
  expect(await running(site, appId)).toEqual(NEW);
  expect((await records(site)).filter((line) => !line.endsWith("succeeded succeeded"))).toEqual([]);
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  expect(items).toMatchObject([{ releaseDigest: now.digest, state: "installed" }]);
});

async function carry(from: TestSite, to: TestSite, digest: `sha256:${string}`): Promise<void> {
  const wish = { releases: [digest], level: 3, unsigned: false, fileId: from.parts.newId("bdl") };
  const { file } = await exportBundle(from.parts, from.files, wish, quiet);
  const path = join(to.folder, "stick", file.name);
  await copyFile(from.files.contentPath(file.id, file.name), path);
  const given = { path, fileName: file.name, scope: "team" as const, teamId: to.teamId };
  await importRelease(to.parts, { ...given, allowUnsigned: false, by: ann }, quiet);
}

test("an upgrade whose new image crashes goes back by itself", async () => {
  const site = await testSite();
  const appId = await installed(site);
  const before = await site.app("shop");
  const release = await shelve(site, "3.0");
  site.engine.script({ image: "web:3.0" }, crashing());
  await upgradeTo(site, release);
  expect(await running(site, appId)).toEqual(OLD);
  expect(await records(site)).toEqual([
    "rollback succeeded succeeded",
    "upgrade failed returned",
    "install succeeded succeeded",
  ]);
  const after = await site.app("shop");
  expect(after.spec).toEqual(before.spec);
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  expect(items).toMatchObject([{ releaseDigest: items[0]?.releaseDigest, state: "installed" }]);
  expect(items[0]?.releaseDigest).not.toBe(release);
});

test("an upgrade that fails acceptance goes back too", async () => {
  const site = await testSite();
  const appId = await installed(site);
  const acceptance = [
    {
      name: "worker speaks",
      http: { component: "worker", port: "http", contains: "never said" },
      within: "3s",
    },
  ];
  await upgradeTo(site, await shelve(site, "3.0", { acceptance }));
  expect(await running(site, appId)).toEqual(OLD);
  expect((await records(site))[1]).toBe("upgrade failed returned");
  const rollouts = await site.parts.store.rollouts.list({ kind: "all" }, { appId });
  expect(rollouts.items[1]?.reason).toContain("acceptance: worker speaks");
});

test("an upgrade that is told to hold stays as it failed, and nobody finishes it", async () => {
  const site = await testSite();
  const appId = await installed(site);
  const release = await shelve(site, "3.0");
  site.engine.script({ image: "web:3.0" }, neverReady());
  await upgradeTo(site, release, "hold");
  expect((await records(site))[0]).toBe("upgrade failed failed");
  const held = await running(site, appId);
  expect(held).toContain("web 1 starting aside");
  await site.clock.advance(3_600_000);
  await site.settle();
  expect(await running(site, appId)).toEqual(held);
  expect((await site.parts.store.rollouts.list({ kind: "all" }, { appId })).items).toHaveLength(2);
});

test("a way back that cannot be planned ends the upgrade as failed, so that the app can be changed again", async () => {
  const site = await testSite();
  await installed(site);
  const release = await shelve(site, "3.0");
  site.engine.script({ image: "web:3.0" }, crashing());
  for (const image of [...site.engine.images.values()])
    if (image.names.includes("web:2.9")) site.engine.images.delete(image.id);
  await upgradeTo(site, release);
  expect((await records(site))[0]).toBe("upgrade failed failed");
  const { items } = await site.parts.store.rollouts.list({ kind: "all" });
  expect(items[0]?.reason).toContain("going back is not possible");
  const wish = { by: ann, app: await site.app("shop"), component: "web", replicas: 1 };
  await expect(scaleComponent(site.parts, wish, {})).resolves.toBeDefined();
});

test("a rollback of an edit brings back the image that a name stood for then", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  const first = (await site.parts.driver.findImage("web:2.9"))?.id;
  build(site, "web:2.9", "a newer build");
  await updateApp(
    site.parts,
    { by: ann, app: await site.app("shop"), given: { app: shop() }, answers: {} },
    {},
  );
  await site.settle();
  const imageOf = async () =>
    (await site.parts.driver.observe({ id: appId, images: [] })).instances.find(
      (one) => one.component === "web",
    )?.imageId;
  expect(await imageOf()).not.toBe(first);
  await goBack(site, "edit");
  expect(await imageOf()).toBe(first);
});

test("scaling does not take up a newer build of an image by the way", async () => {
  const site = await testSite();
  await runShop(site);
  build(site, "web:2.9", "a newer build");
  const wish = { by: ann, app: await site.app("shop"), component: "web", replicas: 3 };
  const { plan } = await scaleComponent(site.parts, wish, { dryRun: true });
  expect(plan.steps.filter((step) => step.kind === "instance.create")).toHaveLength(1);
});

test("a record says what was decided, and never a value that was written by hand", async () => {
  const site = await testSite();
  await installed(site);
  const release = await shelve(site, "3.0");
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" }, { appId: app.id });
  const decisions = {
    "components.web.env.TITLE": { edit: { secret: "MARK-written" } },
    "components.web.image": "take" as const,
  };
  const wish = { by: ann, app, installation: items[0]!, release, decisions, onFailure: "hold" as const };
  const { recordId = "" } = await upgrade(site.parts, wish, {});
  expect((await site.parts.store.records.get(recordId)).decisions).toMatchObject({
    decisions: { "components.web.env.TITLE": "edit", "components.web.image": "take" },
  });
  await site.settle();
  expect((await site.app("shop")).spec.components.web?.env?.TITLE).toEqual({ secret: "MARK-written" });
});
