import { expect, test } from "vitest";
import { createApp, removeApp, scaleComponent, setRunning, updateApp } from "./apps.ts";
import { runShop, shop } from "./test-shop.ts";
import { ann, running, testSite } from "./test-site.ts";

test("an app that is made runs, and its record says succeeded", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready"]);
  const { items } = await site.parts.store.records.list({ kind: "all" }, { appId });
  expect(items).toMatchObject([{ kind: "edit", result: "succeeded", rolloutState: "succeeded", who: "ann" }]);
});

test("an edit keeps the ids of components that its text does not name", async () => {
  const site = await testSite();
  await runShop(site);
  const before = await site.app("shop");
  const text = shop("3.0");
  await updateApp(site.parts, { by: ann, app: before, given: { app: text }, answers: {} }, {});
  await site.settle();
  const after = await site.app("shop");
  expect(after.spec.components.web?.id).toBe(before.spec.components.web?.id);
  expect(after.spec.components.worker?.id).toMatch(/^cmp_/);
  expect(after.values.generated).toEqual(before.values.generated);
  expect(await running(site, after.id)).toContain("worker 1 ready");
});

test("scaling changes the number of instances and nothing else", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  const wish = { by: ann, app: await site.app("shop"), component: "web", replicas: 3 };
  const { plan } = await scaleComponent(site.parts, wish, {});
  expect(plan.steps.map((step) => step.kind)).toEqual([
    "instance.create",
    "instance.ready",
    "instance.serve",
  ]);
  await site.settle();
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready", "web 3 ready"]);
});

test("a component that has data keeps its name: under another one it would begin on empty volumes", async () => {
  const site = await testSite();
  await runShop(site);
  const app = await site.app("shop");
  const { db, ...others } = app.spec.components;
  const web = { ...others.web, needs: ["database"] };
  const renamed = { ...app.spec, components: { ...others, web, database: db } };
  await expect(
    updateApp(site.parts, { by: ann, app, given: { app: renamed }, answers: {} }, {}),
  ).rejects.toMatchObject({ code: "RENAME_LOSES_DATA", faults: [{ path: "components.database" }] });
  expect((await site.app("shop")).generation).toBe(app.generation);
});

test("no change is planned on an engine that was seen in part", async () => {
  const site = await testSite();
  await runShop(site);
  const app = await site.app("shop");
  const halfSeen = {
    ...site.parts,
    driver: {
      ...site.parts.driver,
      observe: async (...look: Parameters<typeof site.parts.driver.observe>) => ({
        ...(await site.parts.driver.observe(...look)),
        complete: false,
      }),
    },
  };
  const wish = { by: ann, app, component: "web", replicas: 3 };
  await expect(scaleComponent(halfSeen, wish, {})).rejects.toMatchObject({ code: "APP_UNSEEN" });
});

test("an app stops and starts again", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  await setRunning(site.parts, { by: ann, app: await site.app("shop"), running: false }, {});
  await site.settle();
  expect(await running(site, appId)).toEqual([]);
  await setRunning(site.parts, { by: ann, app: await site.app("shop"), running: true }, {});
  await site.settle();
  expect(await running(site, appId)).toHaveLength(3);
});

test("removing an app stops everything, forgets it, and leaves its volumes", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  await removeApp(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  expect((await site.parts.store.apps.list({ kind: "all" })).items).toEqual([]);
  expect(await running(site, appId)).toEqual([]);
  expect([...(site.engine.apps.get(appId)?.volumes.keys() ?? [])]).toEqual(["db/data"]);
});

test("an app whose images have gone from the engine can still be stopped and removed", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  site.engine.images.clear();
  await setRunning(site.parts, { by: ann, app: await site.app("shop"), running: false }, {});
  await site.settle();
  expect(await running(site, appId)).toEqual([]);
  await removeApp(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  expect((await site.parts.store.apps.list({ kind: "all" })).items).toEqual([]);
});

test("a removed app is given the grace of its components, users before what they need", async () => {
  const site = await testSite();
  await runShop(site);
  const { plan } = await removeApp(site.parts, { by: ann, app: await site.app("shop") }, {});
  const removals = plan.steps.filter((step) => step.kind === "instance.remove");
  expect(removals.map((step) => step.component)).toEqual(["web", "web", "db"]);
});

const made = (site: Awaited<ReturnType<typeof testSite>>, name: string) =>
  createApp(site.parts, { by: ann, teamId: site.teamId, name, given: { app: shop() }, answers: {} }, {});

test("an app's name is checked, wherever it comes from", async () => {
  const site = await testSite();
  await runShop(site);
  for (const name of ["../up", "A b", "", "x".repeat(60), "shop\n"])
    await expect(made(site, name), name).rejects.toMatchObject({ code: "TEMPLATE_INVALID" });
});

test("two apps of one name in a team are refused", async () => {
  const site = await testSite();
  await runShop(site);
  await expect(made(site, "shop")).rejects.toMatchObject({ code: "APP_EXISTS" });
});

test("team and app names that would run together are kept apart", async () => {
  const site = await testSite();
  await runShop(site);
  await made(site, "a-b");
  const other = await site.parts.store.teams.create({ name: "shop-a" });
  const wish = { by: ann, teamId: other.id, name: "b", given: { app: shop() }, answers: {} };
  await createApp(site.parts, wish, {});
  const { items } = await site.parts.store.apps.list({ kind: "all" });
  expect(new Set(items.map((app) => app.slug)).size).toBe(3);
});
