import type { App } from "@sampan/template";
import fc from "fast-check";
import { expect, test } from "vitest";
import { apply } from "./apply.ts";
import { removeApp, setRunning, updateApp } from "./apps.ts";
import { runShop, shop } from "./test-shop.ts";
import { ann, never, type TestSite, testSite } from "./test-site.ts";

/** What an app may be changed into. */
const wishes = fc.record({
  version: fc.constantFrom("2.9" as const, "3.0" as const),
  replicas: fc.integer({ min: 0, max: 4 }),
  title: fc.constantFrom("Books", "Other"),
  next: fc.constantFrom("nothing", "stop", "remove"),
});

function appOf({
  version,
  replicas,
  title,
}: {
  version: "2.9" | "3.0";
  replicas: number;
  title: string;
}): App {
  const { components } = shop(version);
  const web = { ...components.web!, replicas, env: { ...components.web?.env, TITLE: title } };
  return shop(version, { components: { ...components, web }, acceptance: [] });
}

/** All that an engine shows of an app. */
async function seen(site: TestSite, id: string) {
  const { at: _, ...observed } = await site.parts.driver.observe({ id, images: [] });
  return observed;
}

test("a plan that is carried out twice does what it did once", async () => {
  const property = fc.asyncProperty(wishes, async (wish) => {
    const site = await testSite();
    const appId = await runShop(site);
    const given = { app: appOf(wish) };
    await updateApp(site.parts, { by: ann, app: await site.app("shop"), given, answers: {} }, {});
    await site.settle();
    const app = await site.app("shop");
    if (wish.next === "stop") await setRunning(site.parts, { by: ann, app, running: false }, {});
    if (wish.next === "remove") await removeApp(site.parts, { by: ann, app }, {});
    const { items } = await site.parts.store.plans.list(appId, { limit: 1 });
    const plan = items[0]!;
    const desired = await site.parts.store.plans.desired(plan.id);
    const wanted = { planId: plan.id, appId, generation: plan.generation, state: "planned" };
    const run = async () => {
      const rollout = await site.parts.store.rollouts.create(wanted);
      const options = { signal: never, cancel: never, inFlight: 3 };
      return await apply(site.parts, { rolloutId: rollout.id, plan, desired }, options);
    };
    const first = await run();
    expect(Object.values(first).every((state) => state === "done")).toBe(true);
    const once = await seen(site, appId);
    expect(await run()).toEqual(first);
    expect(await seen(site, appId)).toEqual(once);
  });
  await fc.assert(property, { numRuns: 12 });
});
