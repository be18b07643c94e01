import { digestFromHex } from "@sampan/content";
import { neverReady, serving } from "@sampan/runtime";
import type { App } from "@sampan/template";
import { expect, test } from "vitest";
import { switchModules, updateApp } from "./apps.ts";
import { install } from "./install.ts";
import { expectRefused } from "./test-rows.ts";
import { shelve, shop } from "./test-shop.ts";
import { ann, running, type TestSite, testSite } from "./test-site.ts";
import { type UpgradeWish, upgrade } from "./upgrade.ts";

const ASKED: Partial<App> = {
  parameters: {
    size: { type: "int", title: "Size", default: 3, min: 1, max: 9 },
    colour: { type: "enum", options: ["red", "blue"], default: "red" },
    password: { type: "password", required: true },
  },
  components: {
    ...shop().components,
    web: { ...shop().components.web!, replicas: 1, env: { PASSWORD: { parameter: "password" } } },
  },
};

async function installed(site: TestSite, change: Partial<App> = {}, parameters = {}) {
  const release = await shelve(site, "2.9", change);
  const done = await install(site.parts, { by: ann, release, teamId: site.teamId, parameters }, {});
  await site.settle();
  return done.appId ?? "";
}

async function wishToUpgrade(site: TestSite, more: Partial<UpgradeWish> = {}): Promise<UpgradeWish> {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" }, { appId: app.id });
  const release = more.release ?? (await shelve(site, "3.0"));
  return { by: ann, app, installation: items[0]!, release, decisions: {}, onFailure: "hold", ...more };
}

/** What of an install's answers is refused, and where. */
const BAD_ANSWERS: readonly (readonly [string, Record<string, string | number | boolean>, string])[] = [
  ["a parameter that is missing", {}, "parameters.password"],
  ["a text for a number", { password: "p", size: "many" }, "parameters.size"],
  ["a number that is too large", { password: "p", size: 10 }, "parameters.size"],
  ["what is none of the options", { password: "p", colour: "green" }, "parameters.colour"],
  ["yes for a password", { password: true }, "parameters.password"],
  ["a parameter that is not asked", { password: "p", sise: 3 }, "parameters.sise"],
];

test.for(BAD_ANSWERS)("%s is refused before anything is done", async ([, parameters, path]) => {
  const site = await testSite();
  const release = await shelve(site, "2.9", ASKED);
  const wish = { by: ann, release, teamId: site.teamId, parameters };
  const problem = { code: "TEMPLATE_ANSWERS_INVALID", faults: [expect.objectContaining({ path })] };
  await expectRefused(site, () => install(site.parts, wish, {}), problem);
  await expectRefused(site, () => install(site.parts, wish, { dryRun: true }), problem);
});

const BAD_CHOICES: readonly (readonly [string, Partial<UpgradeWish>, string, RegExp])[] = [
  [
    "a component that the release does not have",
    { components: ["webb"] },
    "PLAN_UNKNOWN_COMPONENT",
    /has db, web, worker/,
  ],
  ["no component at all", { components: [] }, "UPGRADE_SELECTION", /db, web, worker/],
  [
    "a mapping of a component that the release does not have",
    { mapping: { front: "web" } },
    "UPGRADE_SELECTION",
    /has db, web, worker/,
  ],
  [
    "a mapping to a component that is not here",
    { mapping: { worker: "work" } },
    "UPGRADE_SELECTION",
    /there are db, web/,
  ],
  [
    "a mapping to a component that is another one's",
    { mapping: { worker: "web" } },
    "UPGRADE_SELECTION",
    /web is web of the release already/,
  ],
  [
    "a decision about what does not differ",
    { decisions: { "components.web.env.NONE": "take" } },
    "PLAN_UNKNOWN_CHANGE",
    /NONE/,
  ],
  [
    "data that is to be put back and is not captured",
    { capture: "none", restoreOnReturn: true },
    "UPGRADE_SELECTION",
    /--capture/,
  ],
  ["data of a component that has none", { capture: ["web"] }, "PLAN_DATA_ABSENT", /web/],
];

test.for(BAD_CHOICES)(
  "an upgrade with %s is refused before anything is done",
  async ([, more, code, words]) => {
    const site = await testSite();
    await installed(site);
    const wish = await wishToUpgrade(site, more);
    for (const options of [{}, { dryRun: true }])
      await expectRefused(site, () => upgrade(site.parts, wish, options), { code });
    const error = await upgrade(site.parts, wish, {}).catch((one: unknown) => one);
    const { message, why, hint, faults } = error as Record<"message" | "why" | "hint", string> & {
      faults: unknown;
    };
    expect([message, why, hint, JSON.stringify(faults)].join("\n")).toMatch(words);
  },
);

test("a release whose content is nowhere here is refused before anything is done", async () => {
  const site = await testSite();
  await installed(site);
  const wish = await wishToUpgrade(site);
  for (const image of [...site.engine.images.values()])
    if (image.names.includes("web:3.0")) site.engine.images.delete(image.id);
  for (const options of [{}, { dryRun: true }])
    await expectRefused(site, () => upgrade(site.parts, wish, options), {
      code: "IMAGE_ABSENT",
      faults: [expect.objectContaining({ path: "components.web.image" })],
      hint: "import the bundle that carries them",
    });
  const absent = { ...wish, release: digestFromHex("0".repeat(64)) };
  const error = await upgrade(site.parts, absent, {}).catch((one: unknown) => one);
  expect(error).toMatchObject({ code: "STORE_ABSENT" });
});

test("an upgrade of one component takes along what it newly needs, says so, and leaves the others", async () => {
  const site = await testSite();
  const appId = await installed(site);
  const done = await upgrade(site.parts, await wishToUpgrade(site, { components: ["worker"] }), {});
  await site.settle();
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready", "worker 1 ready"]);
  expect(done.changes.filter((change) => change.component === "web").map((change) => change.action)).toEqual([
    "keep",
  ]);
  const { spec } = await site.app("shop");
  expect(spec.components.web?.image).toMatchObject({ name: "web:2.9" });
  const { decisions } = await site.parts.store.records.get(done.recordId ?? "");
  expect(decisions).toMatchObject({ decisions: { selection: "worker" } });
});

test("a component that was built anew takes the place of the one that it is mapped to, with its edits and its data", async () => {
  const site = await testSite();
  await installed(site);
  const app = await site.app("shop");
  const { db, web } = app.spec.components;
  const { id: _, installation: __, ...rebuilt } = db!;
  const spec = { ...app.spec, components: { db: { ...rebuilt, env: { MINE: "1" } }, web: web! } };
  await updateApp(
    site.parts,
    {
      by: ann,
      app,
      given: {
        app: {
          ...spec,
          components: { ...spec.components, db: { ...spec.components.db, id: "cmp-another" } },
        },
      },
      answers: {},
    },
    {},
  );
  await site.settle();
  const plain = await upgrade(site.parts, await wishToUpgrade(site), { dryRun: true });
  expect(plain.changes).toContainEqual(expect.objectContaining({ path: "components.db-2", action: "add" }));
  const done = await upgrade(site.parts, await wishToUpgrade(site, { mapping: { db: "db" } }), {});
  await site.settle();
  const after = await site.app("shop");
  expect(Object.keys(after.spec.components)).toEqual(["db", "web", "worker"]);
  expect(after.spec.components.db).toMatchObject({ id: "cmp-db", env: { MINE: "1" } });
  expect((await site.parts.store.records.get(done.recordId ?? "")).result).toBe("succeeded");
  const { instances } = await site.parts.driver.observe({ id: after.id, images: [] });
  expect(instances.map((one) => one.component)).toContain("db");
});

test("answers that change are shown, passwords masked", async () => {
  const site = await testSite();
  await installed(site, ASKED, { password: "MARK-old" });
  const release = await shelve(site, "3.0", { parameters: ASKED.parameters });
  const wish = await wishToUpgrade(site, { release, parameters: { size: 5, password: "MARK-new" } });
  const { changes } = await upgrade(site.parts, wish, { dryRun: true });
  expect(changes).toContainEqual(
    expect.objectContaining({ path: "parameters.size.answer", before: 3, after: 5 }),
  );
  expect(changes).toContainEqual(
    expect.objectContaining({ path: "parameters.password.answer", secret: true }),
  );
  expect(JSON.stringify(changes)).not.toContain("MARK-");
});

const MODULES: Partial<App> = {
  modules: {
    front: { components: ["web"] },
    work: { components: ["worker"], default: false, requires: ["front"] },
    alone: { components: ["worker"], default: false, conflicts: ["front"] },
  },
};

async function withModules(site: TestSite, on: string[] = [], off: string[] = []): Promise<string> {
  const release = await shelve(site, "3.0", MODULES);
  const wish = { by: ann, release, teamId: site.teamId, modules: { on, off } };
  const { appId = "" } = await install(site.parts, wish, {});
  await site.settle();
  return appId;
}

async function switched(site: TestSite, on: string[], off: string[], options = {}) {
  const app = await site.app("shop");
  const done = await switchModules(site.parts, { by: ann, app, answers: { modules: { on, off } } }, options);
  await site.settle();
  return done;
}

test("a module that is turned on brings what it requires, though that was off; turned off it stops and keeps its data", async () => {
  const site = await testSite();
  const appId = await withModules(site, [], ["front"]);
  expect(await running(site, appId)).toEqual(["db 1 ready"]);
  const on = await switched(site, ["work"], []);
  expect(on.pulledIn).toEqual([{ component: "module front", because: "module `work` requires it" }]);
  expect(on.changes.map(({ path, action, why }) => `${path} ${action}: ${why}`)).toEqual([
    "modules.front.on change: module `work` requires it",
    "modules.work.on change: turned on",
    "components.web add: module front turned on",
    "components.worker add: module work turned on",
  ]);
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready", "worker 1 ready"]);
  const off = await switched(site, [], ["work", "front"]);
  expect(off.changes).toContainEqual(
    expect.objectContaining({
      path: "components.web",
      action: "remove",
      why: "module front turned off: it stops, and its data stays",
    }),
  );
  expect(await running(site, appId)).toEqual(["db 1 ready"]);
  const { items } = await site.parts.store.records.list({ kind: "all" });
  expect(items.map((record) => `${record.kind} ${record.result}`)).toEqual([
    "modules succeeded",
    "modules succeeded",
    "install succeeded",
  ]);
});

test("the volumes of a module that is off are there when it comes on again", async () => {
  const site = await testSite();
  const release = await shelve(site, "2.9", { modules: { data: { components: ["db", "web"] } } });
  const { appId = "" } = await install(site.parts, { by: ann, release, teamId: site.teamId }, {});
  await site.settle();
  const volumes = async () => (await site.parts.driver.observe({ id: appId, images: [] })).volumes;
  const before = await volumes();
  const secret = (await site.app("shop")).values.generated;
  await switched(site, [], ["data"]);
  expect(await running(site, appId)).toEqual([]);
  expect(await volumes()).toEqual(before);
  await switched(site, ["data"], []);
  expect((await site.app("shop")).values.generated).toEqual(secret);
});

const BAD_MODULES: readonly (readonly [string, string[], string[], RegExp])[] = [
  ["two that conflict", ["alone"], [], /conflicts with module `front`: turn one of them off/],
  ["one without what it requires", ["work"], ["front"], /turn that on, or this off/],
  ["one that is not there", ["wrok"], [], /did you mean `work`/],
  ["one on and off", ["work"], ["work"], /on and to be off/],
  ["none", [], [], /name one of alone, front, work/],
];

test.for(BAD_MODULES)("to switch %s is refused before anything is done", async ([, on, off, words]) => {
  const site = await testSite();
  await withModules(site);
  const message = expect.stringMatching(words);
  await expectRefused(site, () => switched(site, on, off), {
    code: "TEMPLATE_ANSWERS_INVALID",
    faults: expect.arrayContaining([expect.objectContaining({ message })]),
  });
});

test("an install that failed is not begun again under its name, and it is said how it can be made good", async () => {
  const site = await testSite();
  site.engine.script({ image: "web:2.9" }, neverReady());
  const appId = await installed(site, ASKED, { password: "wrong" });
  const release = await shelve(site, "2.9", ASKED);
  const wish = { by: ann, release, teamId: site.teamId, parameters: { password: "right" } };
  await expectRefused(site, () => install(site.parts, wish, {}), {
    code: "APP_EXISTS",
    hint: expect.stringMatching(/sampan upgrade shop -p .*sampan app remove shop.*--app NAME.*--into/),
  });
  site.engine.script({ image: "web:2.9" }, serving());
  const again = await wishToUpgrade(site, { release, parameters: { password: "right" } });
  await upgrade(site.parts, again, {});
  await site.settle();
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready"]);
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  expect(items.map(({ state }) => state)).toEqual(["installed"]);
});

test("a value that is generated for a connection is one and the same for all that use it, and for later versions", async () => {
  const site = await testSite();
  const { db, ...users } = shop("3.0").components;
  expect(Object.values(users).filter((one) => one.needs?.includes("db"))).toHaveLength(2);
  const components = { db: { ...db!, env: { ROOT: `\${DB_PASSWORD}` } }, ...users };
  const release = await shelve(site, "3.0", { components });
  await install(site.parts, { by: ann, release, teamId: site.teamId }, {});
  await site.settle();
  const secrets = async () => {
    const { items } = await site.parts.store.plans.list((await site.app("shop")).id, { limit: 1 });
    const { components } = await site.parts.store.plans.desired(items[0]!.id);
    return Object.fromEntries(
      components.map(({ name, spec }) => [name, spec.env.ROOT ?? spec.env.DB_PASSWORD]),
    );
  };
  const secret = expect.stringMatching(/^[A-Za-z0-9]{16}$/);
  const made = await secrets();
  expect(made).toEqual({ db: secret, web: made.db, worker: made.db });
  await updateApp(site.parts, { by: ann, app: await site.app("shop"), answers: {} }, {});
  expect(await secrets()).toEqual(made);
});
