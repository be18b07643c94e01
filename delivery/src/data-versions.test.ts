import { crashing, type MemoryProgram, serving } from "@sampan/runtime";
import type { App } from "@sampan/template";
import { expect, test } from "vitest";
import { install } from "./install.ts";
import { fill, held, snapshotsOf } from "./test-data.ts";
import { shelve, shop } from "./test-shop.ts";
import { ann, build, running, testSite } from "./test-site.ts";
import { type UpgradeWish, upgrade } from "./upgrade.ts";

const note = { note: "for the test" };

/** An installed shop, and a release of another database. */
async function shopTo(site: Awaited<ReturnType<typeof testSite>>, dbs: readonly [object, object]) {
  build(site, "db:2");
  const withDb = (version: "2.9" | "3.0", db: object): Partial<App> => {
    const { components } = shop(version);
    return { components: { ...components, db: { ...components.db!, ...db } } };
  };
  const release = await shelve(site, "2.9", withDb("2.9", dbs[0]));
  const { appId = "" } = await install(site.parts, { by: ann, release, teamId: site.teamId }, note);
  await site.settle();
  fill(site, appId, { "/orders": "old" });
  return { appId, next: await shelve(site, "3.0", withDb("3.0", dbs[1])) };
}

async function upgradeTo(
  site: Awaited<ReturnType<typeof testSite>>,
  release: UpgradeWish["release"],
  data: Partial<UpgradeWish>,
) {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  const wish = {
    by: ann,
    app,
    installation: items[0]!,
    release,
    decisions: {},
    onFailure: "return" as const,
  };
  await upgrade(site.parts, { ...wish, ...data }, note);
  await site.settle();
}

test("what runs is captured by its own commands, not by those of the version that comes", async () => {
  const site = await testSite();
  const told: string[] = [];
  const program: MemoryProgram = {
    ...serving(),
    exec: (_, [name = ""]) => ({ exitCode: told.push(name) > 0 && name.endsWith("-2.9") ? 0 : 127 }),
  };
  site.engine.script({ component: "db" }, program);
  const { appId, next } = await shopTo(site, [
    { snapshot: { before: ["rest-2.9"], after: ["go-2.9"] } },
    { image: "db:2", snapshot: { before: ["rest-3.0"], after: ["go-3.0"] } },
  ]);
  await upgradeTo(site, next, { capture: "all" });
  expect(told).toEqual(["rest-2.9", "go-2.9"]);
  expect(await running(site, appId)).toContain("worker 1 ready");
  expect(await snapshotsOf(site)).toMatchObject([{ state: "complete" }]);
});

test("commands that come with a release that leaves the instance as it is are used at once", async () => {
  const site = await testSite();
  const told: string[] = [];
  const program: MemoryProgram = {
    ...serving(),
    exec: (_, [name = ""]) => ({ exitCode: told.push(name) > 0 && name === "mended" ? 0 : 1 }),
  };
  site.engine.script({ component: "db" }, program);
  const { next } = await shopTo(site, [
    { snapshot: { before: ["broken"] } },
    { snapshot: { before: ["mended"] } },
  ]);
  await upgradeTo(site, next, { capture: "all" });
  expect(told).toEqual(["mended"]);
});

test("data goes back with an upgrade that fails also where a rebuilt component took up the place of one", async () => {
  const site = await testSite();
  const { appId, next } = await shopTo(site, [{}, {}]);
  const { document } = await site.parts.store.releases.get(next);
  const text = document.replaceAll("cmp-db", "cmp-rebuilt-db");
  const rebuilt = site.parts.sha256(text);
  await site.parts.store.releases.put({
    digest: rebuilt,
    templateId: "shop-template",
    version: "3.1",
    document: text,
    publishedAt: new Date(site.clock.now()).toISOString(),
  });
  site.engine.script({ image: "web:3.0" }, crashing());
  site.engine.onStep = (step, when) => {
    if (step.kind === "instance.create" && step.component === "worker" && when === "after")
      fill(site, appId, { "/orders": "spoilt" });
  };
  await upgradeTo(site, rebuilt, { mapping: { db: "db" }, capture: "all", restoreOnReturn: true });
  expect((await site.parts.store.records.list({ kind: "all" })).items[1]?.rolloutState).toBe("returned");
  expect(held(site, appId)).toEqual({ "/orders": "old" });
});
