import { type Digest, digestFromHex, MEDIA_TYPE } from "@sampan/content";
import { Problem } from "@sampan/problem";
import { neverReady } from "@sampan/runtime";
import { expect, test } from "vitest";
import { accept } from "./accept.ts";
import { createApp, removeApp } from "./apps.ts";
import { exportBundle } from "./export.ts";
import { install } from "./install.ts";
import type { Parts } from "./parts.ts";
import { publish } from "./publish.ts";
import { reconcile } from "./reconcile.ts";
import { runShop, shelve, shop } from "./test-shop.ts";
import { ann, build, never, quiet, running, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

/** An engine that cannot tell everything of an app. */
function halfBlind(parts: Parts): Parts {
  const observe: Parts["driver"]["observe"] = async (app, signal) => ({
    ...(await parts.driver.observe(app, signal)),
    instances: [],
    complete: false,
    remarks: ["container web-1 could not be looked at"],
  });
  return { ...parts, driver: { ...parts.driver, observe } };
}

test("an app that is to go is not forgotten while the engine cannot tell what is left of it", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  const blind = halfBlind(site.parts);
  const { rolloutId = "" } = await removeApp(blind, { by: ann, app: await site.app("shop") }, {});
  await reconcile(blind, appId, never);
  expect(await site.parts.store.rollouts.get(rolloutId)).toMatchObject({
    state: "failed",
    reason: expect.stringContaining("could not be looked at"),
  });
  expect(await running(site, appId)).toHaveLength(3);
  await removeApp(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  expect(await running(site, appId)).toEqual([]);
  await expect(site.app("shop")).rejects.toThrow();
});

test("a way back that can never be begun ends the rollout, so that the app is not busy for ever", async () => {
  const site = await testSite();
  await install(site.parts, { by: ann, release: await shelve(site, "2.9"), teamId: site.teamId }, {});
  await site.settle();
  site.engine.script({ component: "web" }, neverReady());
  const app = await site.app("shop");
  const [installation] = (await site.parts.store.installations.list({ kind: "all" })).items;
  const { rolloutId = "" } = await upgrade(
    site.parts,
    {
      by: ann,
      app,
      installation: installation!,
      release: await shelve(site, "3.0"),
      decisions: {},
      onFailure: "return",
    },
    {},
  );
  const { store } = site.parts;
  const snapshot = async (): Promise<never> => {
    throw new TypeError("a snapshot that cannot be read");
  };
  const parts: Parts = { ...site.parts, store: { ...store, records: { ...store.records, snapshot } } };
  await reconcile(parts, app.id, never);
  expect(await store.rollouts.get(rolloutId)).toMatchObject({
    state: "failed",
    reason: expect.stringContaining("going back is not possible"),
  });
});

test("what another team pushed to its own repositories is not to be had by naming it", async () => {
  const site = await testSite();
  const { store, hold } = site.parts;
  const digest: Digest = digestFromHex("a".repeat(64));
  await store.teams.create({ name: "bank" });
  for (const repository of ["bank/vault", "shop/web", "nobody/base"])
    await hold.setReference(`registry/${repository}/tags/1`, {
      mediaType: MEDIA_TYPE.ociManifest,
      digest,
      size: 1,
    });
  const wish = (image: string) => {
    const given = { app: { ...shop(), acceptance: [], components: { web: { kind: "stateless", image } } } };
    return createApp(site.parts, { by: ann, teamId: site.teamId, given, answers: {} }, { dryRun: true });
  };
  await expect(wish("bank/vault:1")).rejects.toMatchObject({ code: "IMAGE_ABSENT" });
  for (const own of ["shop/web:1", "nobody/base:1"])
    await expect(wish(own)).rejects.toMatchObject({ code: "CONTENT_ABSENT" });
});

test("an acceptance check ends, though the clock is set back again and again", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  let nowMs = 1_000_000;
  let tries = 0;
  const parts = {
    driver: {
      ...site.parts.driver,
      request: async () => {
        if (++tries > 100) throw new Error("it does not end");
        return { status: 500, headers: {}, body: "" };
      },
    },
    nowMs: () => nowMs,
    sleep: async () => {
      nowMs -= 3_600_000;
    },
  } as unknown as Parameters<typeof accept>[0];
  const target = { appId, app: shop(), components: new Set(["web"]) };
  const results = await accept(parts, target, { signal: never, onResult: async () => undefined });
  expect(results).toMatchObject([{ state: "failed" }]);
  expect(tries).toBeLessThan(20);
});

test("a long Chinese name of a template makes a file name that a disk takes", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  const { digest } = await publish(
    site.parts,
    {
      appId,
      by: ann,
      template: { name: "舢板应用模板".repeat(16) },
      scope: "team",
      version: "1.0",
      values: [],
      scaling: {},
      replace: false,
      accept: ["all"],
    },
    { ...quiet, newTemplateId: "long-name" },
  );
  const { file } = await exportBundle(
    site.parts,
    site.files,
    { releases: [digest], level: 3, unsigned: false, fileId: "bdl_long" },
    quiet,
  );
  expect(file.state).toBe("whole");
  expect(file.name.endsWith(".sampan")).toBe(true);
  expect(Buffer.byteLength(file.name)).toBeLessThan(200);
});

test("a release whose image was pruned away meanwhile does not come into the library", async () => {
  const site = await testSite();
  const appId = await runShop(site);
  build(site, "db:1");
  const { hold, store } = site.parts;
  let isPruned = false;
  const image: typeof hold.image = async (id) => (isPruned ? undefined : await hold.image(id));
  const setReference: typeof hold.setReference = async (name, target) => {
    isPruned = true;
    await hold.setReference(name, target);
  };
  const blind = new Proxy(hold, {
    get(target, key) {
      if (key === "image") return image;
      if (key === "setReference") return setReference;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const wish = {
    appId,
    by: ann,
    template: { name: "Shop" },
    scope: "team",
    version: "1.0",
    values: [],
    scaling: {},
    replace: false,
    accept: ["all"],
  } as const;
  const parts = { ...site.parts, hold: blind };
  const failed = await publish(parts, wish, { ...quiet, newTemplateId: "shop-template" }).catch(
    (error) => error,
  );
  expect(failed).toBeInstanceOf(Problem);
  expect(failed).toMatchObject({ code: "IMAGE_ABSENT" });
  expect((await store.templates.list({ kind: "all" })).items).toEqual([]);
  expect(await hold.listReferences("release/", { limit: 10 })).toEqual([]);
});
