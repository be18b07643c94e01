import type { App } from "@sampan/template";
import { expect, test } from "vitest";
import { createApp, updateApp } from "./apps.ts";
import { reconcile } from "./reconcile.ts";
import { ann, build, never, testSite } from "./test-site.ts";

const COMPONENTS = 100;

/** An app of many components that need nothing of each other. */
function wide(image: string): App {
  const components = Array.from({ length: COMPONENTS }, (_, at) => [
    `c${at}`,
    { kind: "stateless", image, ports: { http: { port: 80, protocol: "http" } } },
  ]);
  const app = { apiVersion: "sampan/v1", kind: "App", name: "wide" };
  return { ...app, components: Object.fromEntries(components) } as App;
}

test.for([1, 4, 16])(
  "an upgrade of 100 components has %d steps under way, never more, and comes to its end",
  async (inFlight) => {
    const site = await testSite();
    for (const name of ["app:1", "app:2"]) build(site, name);
    const parts = { ...site.parts, inFlight };
    const given = { app: wide("app:1") };
    const { appId = "" } = await createApp(parts, { by: ann, teamId: site.teamId, given, answers: {} }, {});
    await reconcile(parts, appId, never);
    let underWay = 0;
    let most = 0;
    site.engine.onStep = async (_, when) => {
      underWay += when === "before" ? 1 : -1;
      most = Math.max(most, underWay);
      await undefined;
    };
    const app = await site.app("wide");
    await updateApp(parts, { by: ann, app, given: { app: wide("app:2") }, answers: {} }, {});
    await reconcile(parts, appId, never);
    expect(most).toBe(inFlight);
    expect(underWay).toBe(0);
    const { instances } = await parts.driver.observe({ id: appId, images: [] });
    const now = (await parts.driver.findImage("app:2"))?.id;
    expect(instances).toHaveLength(COMPONENTS);
    expect(instances.every((one) => one.state === "ready" && one.imageId === now)).toBe(true);
  },
);
