import { rm } from "node:fs/promises";
import { join } from "node:path";
import { maskApp } from "@sampan/plan";
import type { RunningApp } from "@sampan/runtime";
import { renderApp } from "@sampan/template";
import { expect, test } from "vitest";
import { createApp, removeApp, scaleComponent, updateApp } from "./apps.ts";
import type { Parts } from "./parts.ts";
import { recoverApp } from "./recover.ts";
import { runShop, shop } from "./test-shop.ts";
import { ann, running, type TestSite, testSite } from "./test-site.ts";

/** The server starts again, and its database is not there any more. */
async function loseDatabase(site: TestSite): Promise<TestSite> {
  for (const end of ["", "-wal", "-shm"]) await rm(join(site.folder, `store.sqlite${end}`), { force: true });
  return await site.restart();
}

function recover(site: TestSite, id: string, more: { readonly name?: string } = {}) {
  return recoverApp(site.parts, { by: ann, id, teamId: site.teamId, ...more });
}

async function instanceIds(site: TestSite, appId: string): Promise<readonly string[]> {
  const { instances } = await site.parts.driver.observe({ id: appId, images: [] });
  return instances.map(({ id }) => id).toSorted();
}

test("an app whose database was lost is taken up again, and nothing of it is touched", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  await updateApp(
    before.parts,
    { by: ann, app: await before.app("shop"), given: { app: shop("3.0") }, answers: {} },
    {},
  );
  await before.settle();
  const ids = await instanceIds(before, appId);
  const old = await before.app("shop");
  const site = await loseDatabase(before);
  expect((await site.parts.store.apps.list({ kind: "all" })).items).toEqual([]);
  const { remarks, recordId } = await recover(site, appId);
  await site.settle();
  expect(await instanceIds(site, appId)).toEqual(ids);
  const app = await site.app("shop");
  expect(app).toMatchObject({ id: appId, slug: old.slug, generation: old.generation, teamId: site.teamId });
  expect(Object.keys(app.spec.components)).toEqual(["db", "web", "worker"]);
  expect(app.spec.components.web?.id).toBe(old.spec.components.web?.id);
  expect(remarks.filter((one) => one.includes("not exactly"))).toEqual([]);
  expect(remarks.join("\n")).toContain("install that anew");
  expect(await site.parts.store.records.get(recordId)).toMatchObject({
    kind: "edit",
    result: "succeeded",
    note: "recovered from the engine",
    who: "ann",
  });
  const { items } = await site.parts.store.events.list({ kind: "all" }, { what: "app.recover" });
  expect(items).toMatchObject([{ appId, who: "ann", outcome: "done" }]);
});

test("a recovered app is changed like any other: only what differs is made", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  const site = await loseDatabase(before);
  await recover(site, appId);
  const ids = await instanceIds(site, appId);
  const wish = { by: ann, app: await site.app("shop"), component: "web", replicas: 3 };
  await scaleComponent(site.parts, wish, {});
  await site.settle();
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready", "web 3 ready"]);
  expect(await instanceIds(site, appId)).toEqual(expect.arrayContaining([...ids]));
  await removeApp(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  expect(await running(site, appId)).toEqual([]);
});

test("what keeps breaking in a recovered app is mended", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  const site = await loseDatabase(before);
  await recover(site, appId);
  const [gone = ""] = await instanceIds(site, appId);
  site.engine.apps.get(appId)?.instances.delete(gone);
  await site.settle();
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready"]);
});

test("an app of which an instance is missing is recovered with a remark, and made whole", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  const instances = before.engine.apps.get(appId)?.instances;
  for (const [id, { options }] of instances ?? [])
    if (options.component.name === "web" && options.index === 1) instances?.delete(id);
  const site = await loseDatabase(before);
  const { remarks } = await recover(site, appId);
  expect(remarks).toContainEqual(expect.stringContaining("mended now: start aside web 1"));
  await site.settle();
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready"]);
});

test("generated secrets come back as secrets, masked where they are shown", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  const [secret = ""] = Object.values((await before.app("shop")).values.generated);
  const site = await loseDatabase(before);
  const { remarks } = await recover(site, appId);
  const { spec } = await site.app("shop");
  expect(spec.components.web?.env?.DB_PASSWORD).toEqual({ secret });
  expect(renderApp(maskApp(spec))).not.toContain(secret);
  expect(JSON.stringify(remarks)).not.toContain(secret);
});

test("what was not read back as it was made is remarked, and made anew by the next change alone", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  const site = await loseDatabase(before);
  const rewritten = (app: RunningApp | undefined): RunningApp | undefined =>
    app && {
      ...app,
      remarks: ["the config file /etc/x of web could not be read back"],
      components: app.components.map((one) =>
        one.name === "web"
          ? { ...one, spec: { ...one.spec, env: { ...one.spec.env, TITLE: "other" } } }
          : one,
      ),
    };
  const { driver } = site.parts;
  const parts: Parts = {
    ...site.parts,
    driver: { ...driver, readApp: async (id) => rewritten(await driver.readApp(id)) },
  };
  const ids = await instanceIds(site, appId);
  const { remarks } = await recoverApp(parts, { by: ann, id: appId, teamId: site.teamId });
  expect(remarks.slice(0, 2)).toEqual([
    "the config file /etc/x of web could not be read back",
    expect.stringContaining("web is not exactly what it was made from"),
  ]);
  await site.settle();
  expect(await instanceIds(site, appId)).toEqual(ids);
  const wish = { by: ann, app: await site.app("shop"), component: "web", replicas: 1 };
  const { plan } = await scaleComponent(site.parts, wish, { dryRun: true });
  const made = plan.steps.flatMap((step) => (step.kind === "instance.create" ? [step.component] : []));
  expect(made).toEqual(["web"]);
});

test("its name is what its name in the engine says, or the one that is given", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  const site = await loseDatabase(before);
  await expect(recover(site, appId, { name: "No Name" })).rejects.toMatchObject({ code: "TEMPLATE_INVALID" });
  const other = await site.parts.store.teams.create({ name: "others" });
  await recoverApp(site.parts, { by: ann, id: appId, teamId: other.id });
  expect(await site.parts.store.apps.findByName(other.id, "shop-shop")).toMatchObject({ id: appId });
});

test("what cannot be recovered is refused, and changes nothing", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  await expect(recover(before, appId)).rejects.toMatchObject({ code: "APP_EXISTS" });
  const site = await loseDatabase(before);
  await expect(recover(site, "app_nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
  const wish = { by: ann, teamId: site.teamId, given: { app: shop() }, answers: {} };
  const { appId: twin } = await createApp(site.parts, wish, {});
  await expect(recover(site, appId, { name: "other" })).rejects.toMatchObject({
    code: "APP_EXISTS",
    why: expect.stringContaining("that name in the engine"),
  });
  const { items } = await site.parts.store.apps.list({ kind: "all" });
  expect(items.map(({ id }) => id)).toEqual([twin]);
  await site.settle();
  await removeApp(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  await expect(recover(site, twin ?? "")).rejects.toMatchObject({
    code: "RECOVERY_IMPOSSIBLE",
    message: expect.stringContaining("no instance"),
  });
});

test("an app of many generations is recovered at its own, and of impossibly many not at all", async () => {
  const before = await testSite();
  const appId = await runShop(before);
  const site = await loseDatabase(before);
  const { driver } = site.parts;
  const recoverAt = async (generation: number) => {
    const readApp = async (id: string) => {
      const read = await driver.readApp(id);
      return read && { ...read, generation };
    };
    const parts: Parts = { ...site.parts, driver: { ...driver, readApp } };
    return await recoverApp(parts, { by: ann, id: appId, teamId: site.teamId });
  };
  await expect(recoverAt(2 ** 50)).rejects.toMatchObject({ code: "RECOVERY_IMPOSSIBLE" });
  await recoverAt(3000);
  expect((await site.app("shop")).generation).toBe(3000);
});
