import type { Capabilities } from "@sampan/runtime";
import { expect, test } from "vitest";
import { scaleComponent, switchModules, updateApp } from "./apps.ts";
import type { ChangeOptions } from "./change.ts";
import { install } from "./install.ts";
import type { Parts } from "./parts.ts";
import { rollback } from "./rollback.ts";
import { expectRefused } from "./test-rows.ts";
import { shelve, shop } from "./test-shop.ts";
import { ann, running, type TestSite, testSite } from "./test-site.ts";
import { type UpgradeWish, upgrade } from "./upgrade.ts";

const MODULES = { modules: { front: { components: ["web"] } } };

async function installed(site: TestSite, change = {}) {
  const release = await shelve(site, "2.9", change);
  const done = await install(site.parts, { by: ann, release, teamId: site.teamId }, {});
  await site.settle();
  return { release, appId: done.appId ?? "" };
}

async function upgradeWish(site: TestSite, more: Partial<UpgradeWish> = {}): Promise<UpgradeWish> {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" }, { appId: app.id });
  const release = more.release ?? (await shelve(site, "3.0"));
  return { by: ann, app, installation: items[0]!, release, decisions: {}, onFailure: "hold", ...more };
}

/** The site, on another machine. */
function onMachine(site: TestSite, machine: Partial<Capabilities>): Parts {
  const { driver } = site.parts;
  const capabilities = async () => ({ ...(await driver.capabilities()), ...machine });
  return { ...site.parts, driver: { ...driver, capabilities } };
}

test("install, upgrade, rollback and modules demand a reason where the policy does; an edit, scaling and a preview do not", async () => {
  const site = await testSite();
  const { release } = await installed(site, MODULES);
  await site.parts.store.policy.set({ noteRequired: true });
  const { items } = await site.parts.store.records.list({ kind: "all" });
  const app = await site.app("shop");
  const wish = await upgradeWish(site);
  const modules = { modules: { on: [], off: ["front"] } };
  const asked: readonly ((options: ChangeOptions) => Promise<unknown>)[] = [
    (options) => install(site.parts, { by: ann, release, teamId: site.teamId, appName: "other" }, options),
    (options) => upgrade(site.parts, wish, options),
    (options) => switchModules(site.parts, { by: ann, app, answers: modules }, options),
  ];
  for (const attempt of asked) {
    for (const note of [undefined, "", " \n\t "])
      await expectRefused(site, () => attempt({ note }), { code: "NOTE_REQUIRED" });
    await attempt({ dryRun: true });
  }
  await scaleComponent(site.parts, { by: ann, app, component: "web", replicas: 1 }, {});
  await site.settle();
  const scaled = { by: ann, app: await site.app("shop"), removeAdded: false, keepEdits: [] };
  const [scale] = (await site.parts.store.records.list({ kind: "all" })).items;
  expect(items).toHaveLength(1);
  const back = { ...scaled, record: scale! };
  await expectRefused(site, () => rollback(site.parts, back, {}), { code: "NOTE_REQUIRED" });
  await rollback(site.parts, back, { note: "it was better before" });
  await site.settle();
});

test("a plan that somebody looked at is carried out only as long as it is the same", async () => {
  const site = await testSite();
  await installed(site);
  const wish = await upgradeWish(site);
  const looked = await upgrade(site.parts, wish, { dryRun: true });
  const { digest, base } = looked;
  expect((await upgrade(site.parts, wish, { dryRun: true, expect: digest, base })).digest).toBe(digest);
  const other = { ...wish, decisions: { "components.web.image": "keep" as const } };
  await expectRefused(site, () => upgrade(site.parts, other, { expect: digest, base }), {
    code: "PLAN_CHANGED",
  });
  const done = await upgrade(site.parts, wish, { expect: digest, base });
  expect(done.digest).toBe(digest);
  await site.settle();
  const now = { ...wish, app: await site.app("shop") };
  await expectRefused(site, () => upgrade(site.parts, now, { expect: digest, base }), { code: "APP_MOVED" });
});

test("a plan to install keeps its digest, though secrets are made anew each time", async () => {
  const site = await testSite();
  const release = await shelve(site, "2.9");
  const wish = { by: ann, release, teamId: site.teamId };
  let more = 0;
  const parts = {
    ...site.parts,
    randomBytes: (length: number) => new Uint8Array(length).map((_, at) => (at * 31 + more++) % 256),
  };
  const { digest, base } = await install(parts, wish, { dryRun: true });
  expect(base).toBe(0);
  await install(parts, wish, { expect: digest, base });
});

test("what the engine does in between changes the plan, and the plan that was looked at is refused", async () => {
  const site = await testSite();
  const { appId } = await installed(site);
  const app = await site.app("shop");
  const wish = { by: ann, app, component: "web", replicas: 3 };
  const { digest, base } = await scaleComponent(site.parts, wish, { dryRun: true });
  const { instances } = await site.parts.driver.observe({ id: appId, images: [] });
  site.engine.apps.get(appId)?.instances.delete(instances.find((one) => one.component === "db")?.id ?? "");
  await expectRefused(site, () => scaleComponent(site.parts, wish, { expect: digest, base }), {
    code: "PLAN_CHANGED",
  });
});

test("a site that lacks what a release needs is refused with the remedy, and may be overruled; the record keeps the check", async () => {
  const site = await testSite();
  const preflight = { memory: "64GiB", kernel: "9.0" };
  const release = await shelve(site, "2.9", { preflight });
  const parts = onMachine(site, { memoryBytes: 8 * 1024 ** 3, kernel: "5.10.0" });
  const wish = { by: ann, release, teamId: site.teamId };
  const preview = await install(parts, wish, { dryRun: true });
  expect(preview.preflight.filter((check) => check.state === "fail").map((check) => check.id)).toEqual([
    "kernel",
    "memory",
  ]);
  await expectRefused(site, () => install(parts, wish, {}), {
    code: "PREFLIGHT_FAILED",
    hint: expect.stringContaining("--ignore-preflight"),
    faults: [
      { path: "kernel", message: expect.stringContaining("Update the operating system") },
      { path: "memory", message: expect.stringContaining("more memory") },
    ],
  });
  const { recordId = "" } = await install(parts, wish, { ignorePreflight: true });
  await site.settle();
  const record = await site.parts.store.records.get(recordId);
  expect(record.result).toBe("succeeded");
  expect(record.preflight).toContainEqual(expect.objectContaining({ id: "memory", state: "fail" }));
  await scaleComponent(parts, { by: ann, app: await site.app("shop"), component: "web", replicas: 1 }, {});
});

test("a port that something else on the machine has is found before, and the app's own is not in its way", async () => {
  const site = await testSite();
  const release = await shelve(site, "2.9", {
    components: {
      ...shop().components,
      web: {
        ...shop().components.web!,
        replicas: 1,
        ports: { http: { port: 80, protocol: "http", exposed: true, hostPort: 8080 } },
      },
    },
  });
  const wish = { by: ann, release, teamId: site.teamId };
  site.engine.takenPorts.add(8080);
  await expectRefused(site, () => install(site.parts, wish, {}), {
    code: "PREFLIGHT_FAILED",
    faults: [expect.objectContaining({ path: "port:8080/tcp" })],
  });
  site.engine.takenPorts.delete(8080);
  const { appId = "" } = await install(site.parts, wish, {});
  await site.settle();
  const app = await site.app("shop");
  const next = {
    ...app.spec,
    components: { ...app.spec.components, web: { ...app.spec.components.web!, env: { A: "1" } } },
  };
  await updateApp(site.parts, { by: ann, app, given: { app: next }, answers: {} }, {});
  await site.settle();
  expect(await running(site, appId)).toContain("web 1 ready");
});

test("facts that cannot be had are warnings, and an engine that is away is said as such", async () => {
  const site = await testSite();
  const release = await shelve(site, "2.9");
  const wish = { by: ann, release, teamId: site.teamId };
  const freeBytes = () => Promise.reject(Object.assign(new Error("EIO"), { errno: -5 }));
  const blind: Parts = {
    ...onMachine(site, { kernel: "", memoryBytes: 0, cpus: 0 }),
    hold: {
      image: (id: `sha256:${string}`) => site.parts.hold.image(id),
      freeBytes,
    } as unknown as Parts["hold"],
  };
  const { preflight } = await install(blind, wish, { dryRun: true });
  expect(preflight.filter((check) => check.state === "fail")).toEqual([]);
  site.engine.unreachable = true;
  await expectRefused(site, () => install(site.parts, wish, {}), { code: "RUNTIME_UNREACHABLE" });
});

test("a port that is given out is none that something on the machine has", async () => {
  const site = await testSite();
  const { web, ...others } = shop().components;
  const ports = { http: { port: 80, protocol: "http" as const, exposed: true } };
  const release = await shelve(site, "2.9", {
    components: { ...others, web: { ...web!, replicas: 1, ports } },
  });
  for (const port of [20_000, 20_001]) site.engine.takenPorts.add(port);
  await install(site.parts, { by: ann, release, teamId: site.teamId }, {});
  expect((await site.app("shop")).values.hostPorts).toEqual({ "web/http": 20_002 });
});

test("an edit keeps its digest, new components too; another value is another plan", async () => {
  const site = await testSite();
  await installed(site);
  const app = await site.app("shop");
  const { web, ...others } = app.spec.components;
  const { id: _, installation: __, ...more } = web!;
  const edit = (value: string, options: ChangeOptions) => {
    const components = { ...others, web: { ...web!, env: { VALUE: value } }, more };
    const given = { app: { ...app.spec, components } };
    return updateApp(site.parts, { by: ann, app, given, answers: {} }, options);
  };
  const { digest, base, changes } = await edit("a", { dryRun: true });
  expect(changes.map(({ path }) => path)).toContain("components.more");
  await expectRefused(site, () => edit("b", { expect: digest, base }), { code: "PLAN_CHANGED" });
  const { recordId = "" } = await edit("a", { expect: digest, base });
  expect((await site.parts.store.records.get(recordId)).decisions).toMatchObject({ digest });
});
