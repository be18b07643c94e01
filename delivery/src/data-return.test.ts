import { contentProblem } from "@sampan/content";
import { crashing } from "@sampan/runtime";
import { expect, test } from "vitest";
import { removeSnapshot, restoreSnapshot, takeSnapshot } from "./data-snapshots.ts";
import { install } from "./install.ts";
import { rollback } from "./rollback.ts";
import { fill, held, snapshotsOf } from "./test-data.ts";
import { shelve } from "./test-shop.ts";
import { ann, running, type TestSite, testSite } from "./test-site.ts";
import { type UpgradeWish, upgrade } from "./upgrade.ts";

const OLD = ["db 1 ready", "web 1 ready", "web 2 ready"];
const NEW = [...OLD, "worker 1 ready"];
const note = { note: "for the test" };

async function installedShop() {
  const site = await testSite();
  const release = await shelve(site, "2.9");
  const { appId = "" } = await install(site.parts, { by: ann, release, teamId: site.teamId }, note);
  await site.settle();
  fill(site, appId, { "/orders": "old" });
  return { site, appId };
}

async function upgradeNow(site: TestSite, data: Partial<UpgradeWish> = {}) {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  const release = await shelve(site, "3.0");
  const wish = { by: ann, app, installation: items[0]!, release, decisions: {} };
  const done = await upgrade(site.parts, { ...wish, onFailure: "return", ...data }, note);
  await site.settle();
  return done;
}

/** What is wished of the rollback of the newest record of a kind. */
async function wishOf(site: TestSite, kind: string) {
  const app = await site.app("shop");
  const { items } = await site.parts.store.records.list({ kind: "all" }, { appId: app.id });
  const record = items.find((one) => one.kind === kind)!;
  return { by: ann, app, record, removeAdded: true, keepEdits: [] };
}

async function records(site: TestSite): Promise<string[]> {
  const { items } = await site.parts.store.records.list({ kind: "all" });
  return items.map((one) => `${one.kind} ${one.rolloutState}`);
}

/** A new version that spoils the data, and then does not come up. */
function spoil(site: TestSite, appId: string): void {
  site.engine.script({ image: "web:3.0" }, crashing());
  site.engine.onStep = (step, when) => {
    if (step.kind === "instance.create" && step.component === "worker" && when === "after")
      fill(site, appId, { "/orders": "spoilt" });
  };
}

test("an upgrade that spoils the data and fails goes back with the data that it captured, when that was asked for", async () => {
  const { site, appId } = await installedShop();
  spoil(site, appId);
  const { recordId = "" } = await upgradeNow(site, { capture: "all", restoreOnReturn: true });
  expect(await records(site)).toEqual(["rollback succeeded", "upgrade returned", "install succeeded"]);
  expect(held(site, appId)).toEqual({ "/orders": "old" });
  expect(await running(site, appId)).toEqual(OLD);
  expect(await snapshotsOf(site)).toMatchObject([{ reason: "upgrade", state: "complete", recordId }]);
});

test("an upgrade that fails leaves the data as it is, when nothing else was asked for", async () => {
  const { site, appId } = await installedShop();
  spoil(site, appId);
  await upgradeNow(site, { capture: "all" });
  expect((await records(site))[1]).toBe("upgrade returned");
  expect(held(site, appId)).toEqual({ "/orders": "spoilt" });
  expect(await running(site, appId)).toEqual(OLD);
});

test("a rollback leaves data, and says that it could go back too; with data, it shows what is lost, and both ways work", async () => {
  const { site, appId } = await installedShop();
  await upgradeNow(site, { capture: "all" });
  expect(await running(site, appId)).toEqual(NEW);
  fill(site, appId, { "/orders": "migrated", "/new": "by 3.0" });
  const wish = await wishOf(site, "upgrade");
  const plain = await rollback(site.parts, wish, { dryRun: true });
  expect(plain.remarks.join("\n")).toContain("--restore-data puts it back");
  expect(plain.plan.steps.filter((step) => step.kind.startsWith("data."))).toEqual([]);
  const preview = await rollback(site.parts, { ...wish, restoreData: "record" }, { dryRun: true });
  expect(preview.remarks.join("\n")).toMatch(
    /db\/data becomes what it was at .*: what was written to it since is lost/,
  );

  await rollback(site.parts, { ...wish, restoreData: "record" }, note);
  await site.settle();
  expect(held(site, appId)).toEqual({ "/orders": "old" });
  expect(await running(site, appId)).toEqual(OLD);
  expect(await snapshotsOf(site)).toMatchObject([{ reason: "rollback" }, { reason: "upgrade" }]);

  const forward = await wishOf(site, "rollback");
  await rollback(site.parts, { ...forward, restoreData: "record" }, note);
  await site.settle();
  expect(held(site, appId)).toEqual({ "/orders": "migrated", "/new": "by 3.0" });
  expect(await running(site, appId)).toEqual(NEW);
});

test("a rollback puts back the data of a snapshot that is named, and captures nothing when told not to", async () => {
  const { site, appId } = await installedShop();
  const taken = await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  await upgradeNow(site, { capture: "none" });
  fill(site, appId, { "/orders": "migrated" });
  const wish = await wishOf(site, "upgrade");
  await expect(rollback(site.parts, { ...wish, restoreData: "record" }, note)).rejects.toMatchObject({
    code: "DATA_SNAPSHOT_UNUSABLE",
  });
  const named = { ...wish, restoreData: taken.snapshotId ?? "", captureFirst: false };
  await rollback(site.parts, named, note);
  await site.settle();
  expect(held(site, appId)).toEqual({ "/orders": "old" });
  expect(await snapshotsOf(site)).toHaveLength(1);
});

test("a rollback whose data was removed since says so, and still works without", async () => {
  const { site, appId } = await installedShop();
  await upgradeNow(site, { capture: "all" });
  const [snapshot] = await snapshotsOf(site);
  await removeSnapshot(site.parts, { by: ann, snapshotId: snapshot?.id ?? "" });
  const wish = await wishOf(site, "upgrade");
  await expect(rollback(site.parts, { ...wish, restoreData: "record" }, note)).rejects.toMatchObject({
    code: "DATA_SNAPSHOT_UNUSABLE",
  });
  expect((await rollback(site.parts, wish, note)).remarks).toEqual([]);
  await site.settle();
  expect(await running(site, appId)).toEqual(OLD);
});

test("a rollback that cannot put the data back returns to what was there, data and all", async () => {
  const { site, appId } = await installedShop();
  await upgradeNow(site, { capture: "all" });
  fill(site, appId, { "/orders": "migrated" });
  const wish = await wishOf(site, "upgrade");
  const { writeVolume } = site.parts.driver;
  let fails = 1;
  const driver = {
    ...site.parts.driver,
    writeVolume: async (...args: Parameters<typeof writeVolume>) => {
      if (fails-- > 0) throw new Error("the disk of the engine is full");
      await writeVolume(...args);
    },
  };
  Object.assign(site.parts, { driver });
  await rollback(site.parts, { ...wish, restoreData: "record" }, note);
  await site.settle();
  expect(await records(site)).toEqual([
    "rollback succeeded",
    "rollback returned",
    "upgrade succeeded",
    "install succeeded",
  ]);
  expect(held(site, appId)).toEqual({ "/orders": "migrated" });
  expect(await running(site, appId)).toEqual(NEW);
});

test("an upgrade that is told to hold goes back nevertheless when the data cannot even be captured", async () => {
  const { site, appId } = await installedShop();
  const { captureLayer } = site.parts.hold;
  const full = async (): ReturnType<typeof captureLayer> => {
    throw contentProblem("CONTENT_NO_SPACE", "the disk of the hold is full");
  };
  Object.assign(site.parts, {
    hold: new Proxy(site.parts.hold, {
      get: (hold, key) => (key === "captureLayer" ? full : Reflect.get(hold, key)),
    }),
  });
  await upgradeNow(site, { capture: "all", restoreOnReturn: true, onFailure: "hold" });
  expect((await records(site)).slice(0, 2)).toEqual(["rollback succeeded", "upgrade returned"]);
  expect(await running(site, appId)).toEqual(OLD);
  expect(held(site, appId)).toEqual({ "/orders": "old" });
  expect(await snapshotsOf(site)).toMatchObject([{ state: "failed" }]);
});

test("an upgrade that is told to hold goes back nevertheless when what writes to the data could not be stopped for it", async () => {
  const { site, appId } = await installedShop();
  let stops = 0;
  site.engine.onStep = (step, when) => {
    if (step.kind === "instance.remove" && when === "after" && stops++ === 0) throw new Error("it hangs");
  };
  await upgradeNow(site, { capture: "all", onFailure: "hold" });
  expect((await records(site)).slice(0, 2)).toEqual(["rollback succeeded", "upgrade returned"]);
  expect(await running(site, appId)).toEqual(OLD);
});

test("how far a capture has come is told while it runs, and forgotten after", async () => {
  const { site, appId } = await installedShop();
  const told: (string | undefined)[] = [];
  const { store, progress } = site.parts;
  const { rolloutId = "", plan } = await takeSnapshot(
    site.parts,
    { by: ann, app: await site.app("shop") },
    {},
  );
  const step = plan.steps.find((one) => one.kind === "data.capture")!;
  const unwatch = store.watch(() => told.push(progress.of(rolloutId, step.id)?.stage));
  await site.settle();
  unwatch();
  expect(told).toContain("verify data");
  expect(progress.of(rolloutId, step.id)).toBeUndefined();
  expect(await running(site, appId)).toEqual(OLD);
});

test("what goes back without its data, because none was captured, does not say that all is as it was", async () => {
  const { site, appId } = await installedShop();
  const { snapshotId = "" } = await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  fill(site, appId, { "/orders": "newer" });
  let creations = 0;
  site.engine.onStep = (step, when) => {
    if (step.kind === "instance.create" && when === "before" && creations++ === 0) throw new Error("no");
  };
  const wish = { by: ann, app: await site.app("shop"), snapshotId, captureFirst: false };
  const { rolloutId = "" } = await restoreSnapshot(site.parts, wish, note);
  await site.settle();
  expect(held(site, appId)).toEqual({ "/orders": "old" });
  expect(await site.parts.store.rollouts.get(rolloutId)).toMatchObject({
    state: "returned",
    reason: expect.stringContaining("but for data that was put back"),
  });
});
