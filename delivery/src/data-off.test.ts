import { expect, test } from "vitest";
import { switchModules } from "./apps.ts";
import { restoreSnapshot, takeSnapshot } from "./data-snapshots.ts";
import { rollback } from "./rollback.ts";
import { fill, held, snapshotsOf } from "./test-data.ts";
import { runShop, shop } from "./test-shop.ts";
import { ann, type TestSite, testSite } from "./test-site.ts";

const note = { note: "for the test" };
const STOCK = "stock/data";

/** A shop with a module that has data of its own. */
async function shopWithStock() {
  const site = await testSite();
  const { db, web } = shop().components;
  const components = { db: db!, web: web!, stock: { ...db!, ports: {}, probes: {}, connection: {} } };
  const modules = { stock: { components: ["stock"], default: true } };
  const appId = await runShop(site, shop("2.9", { components, modules }));
  fill(site, appId, { "/orders": "first" });
  fill(site, appId, { "/stock": "first" }, STOCK);
  const { snapshotId = "" } = await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  fill(site, appId, { "/orders": "second" });
  fill(site, appId, { "/stock": "second" }, STOCK);
  return { site, appId, snapshotId };
}

async function switchStock(site: TestSite, on: boolean): Promise<void> {
  const modules = on ? { on: ["stock"], off: [] } : { on: [], off: ["stock"] };
  await switchModules(site.parts, { by: ann, app: await site.app("shop"), answers: { modules } }, note);
  await site.settle();
}

test("data of what is turned off is not replaced, because it could not be captured first; unless that was waived", async () => {
  const { site, appId, snapshotId } = await shopWithStock();
  await switchStock(site, false);
  const wish = async () => ({ by: ann, app: await site.app("shop"), snapshotId });
  const { remarks } = await restoreSnapshot(site.parts, await wish(), note);
  await site.settle();
  expect(remarks.join()).toContain("stock is turned off");
  expect(held(site, appId)).toEqual({ "/orders": "first" });
  expect(held(site, appId, STOCK)).toEqual({ "/stock": "second" });
  const only = restoreSnapshot(site.parts, { ...(await wish()), components: ["stock"] }, note);
  await expect(only).rejects.toMatchObject({ code: "DATA_SNAPSHOT_UNUSABLE" });
  await restoreSnapshot(site.parts, { ...(await wish()), captureFirst: false }, note);
  await site.settle();
  expect(held(site, appId, STOCK)).toEqual({ "/stock": "first" });
});

test("a rollback that turns a module on again captures what its volumes hold before it puts data back", async () => {
  const { site, appId, snapshotId } = await shopWithStock();
  await switchStock(site, false);
  const app = await site.app("shop");
  const [record] = (await site.parts.store.records.list({ kind: "all" }, { appId })).items;
  const wish = { by: ann, app, record: record!, removeAdded: false, keepEdits: [], restoreData: snapshotId };
  await rollback(site.parts, wish, note);
  await site.settle();
  expect(held(site, appId, STOCK)).toEqual({ "/stock": "first" });
  const [safety] = await snapshotsOf(site);
  expect(safety?.volumes.map(({ component }) => component).toSorted()).toEqual(["db", "stock"]);
});

test("a snapshot of all data says of what is turned off that it is not in it", async () => {
  const { site } = await shopWithStock();
  const taken = async () =>
    (
      await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, { dryRun: true })
    ).remarks.join();
  expect(await taken()).not.toContain("turned off");
  await switchStock(site, false);
  expect(await taken()).toContain("stock is turned off");
});
