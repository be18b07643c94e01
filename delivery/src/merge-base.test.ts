import type { App } from "@sampan/template";
import { expect, test } from "vitest";
import { install } from "./install.ts";
import { availableFor, removeRelease } from "./library.ts";
import { isInParts } from "./merge-base.ts";
import { rollback } from "./rollback.ts";
import { shelve, shop } from "./test-shop.ts";
import { ann, type TestSite, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

/** 3.0 gives web another command, an env key and a parameter, and db a key; 2.9 asks nothing. */
function newer(): Partial<App> {
  const { db, web, worker } = shop("3.0").components;
  return {
    parameters: { colour: { type: "string", default: "red" }, rate: { type: "int", default: 1 } },
    components: {
      db: { ...db!, env: { SLOW: "1" } },
      web: { ...web!, replicas: 3, command: ["serve"], env: { LANG: "en", COLOUR: { parameter: "colour" } } },
      worker: { ...worker!, env: { RATE: { parameter: "rate" } } },
    },
  };
}

async function installed(site: TestSite) {
  const old = await shelve(site, "2.9");
  await install(site.parts, { by: ann, release: old, teamId: site.teamId }, {});
  await site.settle();
  return { old, now: await shelve(site, "3.0", newer()) };
}

async function go(site: TestSite, release: `sha256:${string}`, components?: string[]) {
  const app = await site.app("shop");
  const wish = { by: ann, app, installation: await installation(site), release, components };
  const done = await upgrade(site.parts, { ...wish, decisions: {}, onFailure: "hold" }, {});
  await site.settle();
  return done;
}

async function installation(site: TestSite) {
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  return items[0]!;
}

async function shape(site: TestSite) {
  const { spec, values } = await site.app("shop");
  const { components, parameters, routes, acceptance } = spec;
  return { components, parameters, routes, acceptance, answers: values.parameters };
}

/** What an upgrade of everything at once makes of the app. */
async function atOnce() {
  const site = await testSite();
  const { now } = await installed(site);
  await go(site, now);
  const { components, ...rest } = await shape(site);
  return { components: withoutInstallation(components), ...rest };
}

/** Two sites give their installations two ids. */
function withoutInstallation(components: App["components"]) {
  return Object.fromEntries(
    Object.entries(components).map(([name, { installation: _, ...one }]) => [name, one]),
  );
}

const ORDERS: readonly (readonly string[])[] = [["worker"], ["web"], ["db", "web"], ["db", "worker", "web"]];

test.for(ORDERS.map((order) => [order.join(", then "), order] as const))(
  "an upgrade in parts (%s, then the rest) ends where one at once does, and takes nothing left out for an edit",
  async ([, order]) => {
    const site = await testSite();
    const { now } = await installed(site);
    for (const component of order) {
      const { changes } = await go(site, now, [component]);
      expect(changes.filter(({ why }) => /^changed here|removed here/.test(why))).toEqual([]);
    }
    const rest = await go(site, now);
    expect(rest.changes.filter(({ why }) => /removed here/.test(why))).toEqual([]);
    const { components, ...others } = await shape(site);
    expect({ components: withoutInstallation(components), ...others }).toEqual(await atOnce());
    expect(isInParts(await installation(site))).toBe(false);
    expect((await go(site, now)).changes.filter(({ action }) => action !== "keep")).toEqual([]);
  },
);

test("what was left out is offered again, and a release that parts come from cannot be removed", async () => {
  const site = await testSite();
  const { old, now } = await installed(site);
  const stored = await site.parts.store.releases.get(now);
  await go(site, now, ["worker"]);
  const offered = await availableFor(site.parts, stored, await installation(site));
  expect(offered.map((one) => one.digest)).toEqual([now]);
  await expect(removeRelease(site.parts, old)).rejects.toMatchObject({ code: "RELEASE_INSTALLED" });
  await go(site, now);
  expect(await availableFor(site.parts, stored, await installation(site))).toEqual([]);
});

test("an edit of what was left out stays one", async () => {
  const site = await testSite();
  const { now } = await installed(site);
  await go(site, now, ["worker"]);
  const { id, generation, spec } = await site.app("shop");
  const web = { ...spec.components.web!, replicas: 5 };
  await site.parts.store.apps.update(id, generation, {
    spec: { ...spec, components: { ...spec.components, web } },
  });
  const app = await site.app("shop");
  const wish = { by: ann, app, installation: await installation(site), release: now, decisions: {} };
  const { changes } = await upgrade(site.parts, { ...wish, onFailure: "hold" }, { dryRun: true });
  expect(changes).toContainEqual(
    expect.objectContaining({ path: "components.web.replicas", action: "keep", before: 5, offered: 3 }),
  );
});

test("a rollback of a part knows again where the parts come from", async () => {
  const site = await testSite();
  const { now } = await installed(site);
  await go(site, now, ["worker"]);
  const before = (await installation(site)).names;
  await go(site, now);
  const [record] = (await site.parts.store.records.list({ kind: "all" })).items;
  const wish = { by: ann, app: await site.app("shop"), record: record!, removeAdded: true, keepEdits: [] };
  await rollback(site.parts, wish, {});
  await site.settle();
  expect((await installation(site)).names).toEqual(before);
  await go(site, now);
  const { components, ...others } = await shape(site);
  expect({ components: withoutInstallation(components), ...others }).toEqual(await atOnce());
});
