import { expect, test } from "vitest";
import { restoreSnapshot, takeSnapshot } from "./data-snapshots.ts";
import { install } from "./install.ts";
import { fill, held, snapshotsOf } from "./test-data.ts";
import { shelve } from "./test-shop.ts";
import { ann, running, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

const note = { note: "for the test" };

/** An app with two installations of one template: their components have the same ids. */
async function twins() {
  const site = await testSite();
  const release = await shelve(site, "2.9", { acceptance: [] });
  const wish = { by: ann, release, teamId: site.teamId };
  const { appId = "" } = await install(site.parts, wish, note);
  await site.settle();
  const { installationId = "" } = await install(site.parts, { ...wish, into: await site.app("shop") }, note);
  await site.settle();
  const { components } = (await site.app("shop")).spec;
  const [one = "", two = ""] = Object.keys(components).filter((name) => name.startsWith("db"));
  expect(components[one]?.id).toBe(components[two]?.id);
  return { site, appId, installationId, one, two };
}

test("two installations of one template in an app are captured and put back each, although their components have the same ids", async () => {
  const { site, appId, one, two } = await twins();
  fill(site, appId, { "/orders": "of the first" }, `${one}/data`);
  fill(site, appId, { "/orders": "of the second" }, `${two}/data`);
  const { snapshotId = "" } = await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  const [snapshot] = await snapshotsOf(site);
  expect(snapshot?.state).toBe("complete");
  expect(snapshot?.volumes.map(({ component }) => component).toSorted()).toEqual([one, two]);
  fill(site, appId, { "/orders": "spoilt" }, `${one}/data`);
  fill(site, appId, { "/orders": "spoilt" }, `${two}/data`);
  await restoreSnapshot(site.parts, { by: ann, app: await site.app("shop"), snapshotId }, note);
  await site.settle();
  expect(held(site, appId, `${one}/data`)).toEqual({ "/orders": "of the first" });
  expect(held(site, appId, `${two}/data`)).toEqual({ "/orders": "of the second" });
});

test("an upgrade of one of two installations of a template leaves the other as it is", async () => {
  const { site, appId, installationId, two } = await twins();
  const before = await running(site, appId);
  const release = await shelve(site, "3.0", { acceptance: [] });
  const app = await site.app("shop");
  const installation = await site.parts.store.installations.get(installationId);
  const wish = { by: ann, app, installation, release, decisions: {}, onFailure: "return" } as const;
  const { changes } = await upgrade(site.parts, { ...wish, capture: "all" }, note);
  await site.settle();
  expect([...new Set(changes.map(({ component }) => component))].toSorted()).toEqual(["web-2", "worker"]);
  expect(await running(site, appId)).toEqual([...before, "worker 1 ready"]);
  expect((await site.app("shop")).spec.components.web?.image).toEqual(app.spec.components.web?.image);
  expect((await snapshotsOf(site))[0]?.volumes.map(({ component }) => component)).toEqual([two]);
});
