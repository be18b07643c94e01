import { serving } from "@sampan/runtime";
import { expect, test } from "vitest";
import { createApp, scaleComponent, setRunning, updateApp } from "./apps.ts";
import { observe } from "./observe.ts";
import { reconcile } from "./reconcile.ts";
import { Reconciler } from "./reconciler.ts";
import { cancelRollout } from "./rollout.ts";
import { buildAll, runShop, shop } from "./test-shop.ts";
import { ann, build, never, running, type TestSite, testSite } from "./test-site.ts";

const READY = ["db 1 ready", "web 1 ready", "web 2 ready"];

async function rolloutsOf(site: TestSite): Promise<string[]> {
  const { items } = await site.parts.store.rollouts.list({ kind: "all" }, {}, { limit: 200 });
  return items.map((one) => one.state);
}

function create(site: TestSite, app = shop()) {
  buildAll(site);
  return createApp(site.parts, { by: ann, teamId: site.teamId, given: { app }, answers: {} }, {});
}

/** Somebody removes an instance with the engine's own tools. */
function lose(site: TestSite, appId: string, component: string): void {
  const { instances } = site.engine.apps.get(appId)!;
  const one = [...instances.values()].find((each) => each.options.component.name === component)!;
  instances.delete(one.id);
}

test("an instance that somebody removed is made again, once", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  lose(site, appId, "web");
  await Promise.all([reconcile(site.parts, appId, never), site.clock.advance(1)]);
  await site.settle();
  expect(await running(site, appId)).toEqual(READY);
  expect(await rolloutsOf(site)).toEqual(["succeeded", "succeeded"]);
  expect((await site.parts.store.records.list({ kind: "all" })).items).toHaveLength(1);
});

test("an app whose every instance and network is lost is made again, with its secrets", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  site.engine.apps.clear();
  await site.settle();
  expect(await running(site, appId)).toEqual(READY);
});

test("what breaks again and again is mended less and less often", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  for (let minute = 0; minute < 60; minute++) {
    if (minute % 2 === 0 && (await running(site, appId)).includes("db 1 ready")) lose(site, appId, "db");
    await reconcile(site.parts, appId, never);
    await site.clock.advance(60_000);
  }
  expect((await rolloutsOf(site)).length).toBeLessThan(12);
  await site.clock.advance(3_600_000);
  await site.settle();
  expect(await running(site, appId)).toEqual(READY);
});

test("a failing app does not make rollouts without end", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  lose(site, appId, "web");
  site.engine.images.clear();
  for (let minute = 0; minute < 120; minute++) {
    await reconcile(site.parts, appId, never);
    await site.clock.advance(60_000);
  }
  expect((await rolloutsOf(site)).length).toBeLessThan(20);
});

test("an app that failed for days is mended as soon as it can be", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  lose(site, appId, "web");
  const images = [...site.engine.images];
  site.engine.images.clear();
  for (let half = 0; half < 130; half++) {
    await reconcile(site.parts, appId, never);
    await site.clock.advance(1_801_000);
  }
  expect((await rolloutsOf(site)).filter((state) => state === "failed").length).toBeGreaterThan(100);
  for (const [id, image] of images) site.engine.images.set(id, image);
  await site.settle();
  expect(await running(site, appId)).toEqual(READY);
});

test("an engine that does not answer fails nothing: the rollout goes on once it does", async () => {
  const site = await testSite();
  const { appId = "" } = await create(site);
  site.engine.onStep = (step, when) => {
    if (step.kind === "instance.create" && when === "before") site.engine.unreachable = true;
  };
  await expect(reconcile(site.parts, appId, never)).rejects.toMatchObject({ code: "RUNTIME_UNREACHABLE" });
  expect(await rolloutsOf(site)).toEqual(["running"]);
  expect((await observe(site.parts, await site.app("shop"))).health).toBe("unknown");
  site.engine.onStep = undefined;
  site.engine.unreachable = false;
  await site.settle();
  expect(await rolloutsOf(site)).toEqual(["succeeded"]);
  expect(await running(site, appId)).toEqual(READY);
});

test("the reconciler retries by itself until the engine is back, one retry at a time", async () => {
  const site = await testSite();
  const stop = new AbortController();
  let troubles = 0;
  let sleeping = 0;
  let sleepingMax = 0;
  const parts = {
    ...site.parts,
    sleep: async (ms: number, signal: AbortSignal) => {
      sleepingMax = Math.max(sleepingMax, ++sleeping);
      await site.clock.sleep(ms, signal).finally(() => sleeping--);
    },
  };
  const { appId = "" } = await create(site);
  const reconciler = new Reconciler(parts, {
    signal: stop.signal,
    everyMs: 5000,
    onTrouble: () => {
      if (++troubles === 20) site.engine.unreachable = false;
      for (let many = 0; many < 10; many++) reconciler.wake(appId);
    },
  });
  site.engine.unreachable = true;
  const ended = reconciler.run();
  while ((await rolloutsOf(site))[0] !== "succeeded") await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
  expect(troubles).toBe(20);
  expect(sleepingMax).toBeLessThan(5);
  expect(await running(site, appId)).toEqual(READY);
});

test("a change of an app that is being changed is refused", async () => {
  const site = await testSite();
  await create(site);
  const wish = { by: ann, app: await site.app("shop"), running: false };
  await expect(setRunning(site.parts, wish, {})).rejects.toMatchObject({ code: "APP_BUSY" });
});

test("a change that was made on an older generation is refused", async () => {
  const site = await testSite();
  await runShop(site);
  const app = await site.app("shop");
  await scaleComponent(site.parts, { by: ann, app, component: "web", replicas: 1 }, { base: 1 });
  await site.settle();
  const again = { by: ann, app: await site.app("shop"), component: "web", replicas: 4 };
  await expect(scaleComponent(site.parts, again, { base: 1 })).rejects.toMatchObject({ code: "APP_MOVED" });
  const stale = { by: ann, app, component: "web", replicas: 5 };
  await expect(scaleComponent(site.parts, stale, {})).rejects.toMatchObject({ code: "STORE_STALE" });
});

const cancelNow = async (site: TestSite) => {
  const [rollout] = (await site.parts.store.rollouts.list({ kind: "all" }, { open: true })).items;
  return await cancelRollout(site.parts, await site.app("shop"), rollout!);
};

test("a rollout that is cancelled before it begins has ended, and so has its record", async () => {
  const site = await testSite();
  const { appId = "" } = await create(site);
  expect(await cancelNow(site)).toMatchObject({ state: "cancelled", endedAt: expect.any(String) });
  await site.settle();
  expect(await running(site, appId)).toEqual([]);
  expect((await site.parts.store.records.list({ kind: "all" })).items).toMatchObject([
    { result: "cancelled" },
  ]);
});

test("a rollout that is cancelled stops before its next step, and nobody finishes it later", async () => {
  const site = await testSite();
  const { appId = "" } = await create(site);
  site.engine.onStep = async (step, when) => {
    if (step.kind === "instance.create" && when === "after") await cancelNow(site);
  };
  await site.settle();
  expect(await rolloutsOf(site)).toEqual(["cancelled"]);
  await site.clock.advance(600_000);
  await site.settle();
  expect(await running(site, appId)).toEqual(["db 1 ready"]);
  site.engine.onStep = undefined;
  await updateApp(site.parts, { by: ann, app: await site.app("shop"), answers: {} }, {});
  await site.settle();
  expect(await running(site, appId)).toEqual(READY);
});

test("a rollout that is cancelled while it is checked has not succeeded", async () => {
  const site = await testSite();
  let asked = 0;
  const program = serving();
  site.engine.script(
    { component: "web" },
    {
      ...program,
      reply: () => {
        if (asked++ === 0) void cancelNow(site);
        return { status: 500, body: "" };
      },
    },
  );
  await create(site);
  await site.settle();
  expect(await rolloutsOf(site)).toEqual(["cancelled"]);
});

test("a cancel that comes after the end is refused", async () => {
  const site = await testSite();
  await runShop(site);
  const [rollout] = (await site.parts.store.rollouts.list({ kind: "all" })).items;
  const late = cancelRollout(site.parts, await site.app("shop"), rollout!);
  await expect(late).rejects.toMatchObject({ code: "PLAN_ROLLOUT_STATE" });
});

test("nothing goes on listening after a rollout has ended", async () => {
  const site = await testSite();
  let listening = 0;
  const { watch } = site.parts.store;
  const store = {
    ...site.parts.store,
    watch: (watcher: Parameters<typeof watch>[0]) => {
      listening++;
      const stop = watch(watcher);
      return () => {
        listening--;
        stop();
      };
    },
  };
  const { appId = "" } = await create(site);
  await reconcile({ ...site.parts, store }, appId, never);
  expect(listening).toBe(0);
});

test("a clock that is set back hides nothing and hinders nothing", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  let backMs = 0;
  const parts = { ...site.parts, nowMs: () => site.clock.now() - backMs };
  backMs = 365 * 86_400_000;
  await scaleComponent(parts, { by: ann, app: await site.app("shop"), component: "web", replicas: 1 }, {});
  while ((await reconcile(parts, appId, never)) === "again");
  expect((await observe(parts, await site.app("shop"))).components).toMatchObject([
    { name: "db", replicas: 1 },
    { name: "web", replicas: 1, health: "running" },
  ]);
  lose(site, appId, "web");
  await reconcile(parts, appId, never);
  expect(await running(site, appId)).toEqual(["db 1 ready", "web 1 ready"]);
});

test("images that are not here, or made for another machine, are refused before anything is done", async () => {
  const site = await testSite();
  const wish = { by: ann, teamId: site.teamId, given: { app: shop() }, answers: {} };
  const absent = await createApp(site.parts, wish, {}).catch((error) => error);
  expect(absent).toMatchObject({ code: "IMAGE_ABSENT" });
  expect(absent.faults).toHaveLength(2);
  buildAll(site);
  build(site, "web:2.9", "web", "arm64");
  await expect(createApp(site.parts, wish, {})).rejects.toMatchObject({ code: "PLATFORM_UNFIT" });
  expect((await site.parts.store.apps.list({ kind: "all" })).items).toEqual([]);
});

function shopAtPort(name: string, hostPort?: number) {
  const { web, db } = shop().components;
  const http = {
    port: 80,
    protocol: "http" as const,
    exposed: true,
    ...(hostPort === undefined ? {} : { hostPort }),
  };
  return shop("2.9", { name, components: { db: db!, web: { ...web!, replicas: 1, ports: { http } } } });
}

test("a port that another app holds is refused, unless that app is stopped", async () => {
  const site = await testSite();
  await runShop(site, shopAtPort("shop", 8080));
  await expect(create(site, shopAtPort("other", 8080))).rejects.toMatchObject({ code: "HOST_PORT_TAKEN" });
  await setRunning(site.parts, { by: ann, app: await site.app("shop"), running: false }, {});
  await site.settle();
  await expect(create(site, shopAtPort("other", 8080))).resolves.toBeDefined();
  await site.settle();
  const start = setRunning(site.parts, { by: ann, app: await site.app("shop"), running: true }, {});
  await expect(start).rejects.toMatchObject({ code: "HOST_PORT_TAKEN" });
});

test("a port that is given out is none that another app named", async () => {
  const site = await testSite();
  await runShop(site, shopAtPort("shop", 20_000));
  await create(site, shopAtPort("other"));
  expect((await site.app("other")).values.hostPorts).toEqual({ "web/http": 20_001 });
});

test("rights beyond a container's own need the site's consent", async () => {
  const site = await testSite();
  const { web, db } = shop().components;
  const greedy = (security: object) => shop("2.9", { components: { db: db!, web: { ...web!, security } } });
  for (const security of [
    { privileged: true },
    { addCapabilities: ["SYS_ADMIN"] },
    { addCapabilities: ["ALL"] },
  ])
    await expect(create(site, greedy(security))).rejects.toMatchObject({ code: "PRIVILEGES_REFUSED" });
  await expect(create(site, greedy({ addCapabilities: ["CHOWN"] }))).resolves.toBeDefined();
});
