import { contentProblem } from "@sampan/content";
import { type MemoryProgram, serving } from "@sampan/runtime";
import type { Component } from "@sampan/template";
import { expect, test } from "vitest";
import { scaleComponent, setRunning } from "./apps.ts";
import { protectKnownSnapshots } from "./data-content.ts";
import { removeSnapshot, restoreSnapshot, takeSnapshot } from "./data-snapshots.ts";
import type { Parts } from "./parts.ts";
import { reconcile } from "./reconcile.ts";
import { cancelRollout } from "./rollout.ts";
import { dataReferences, fill, held, snapshotsOf } from "./test-data.ts";
import { runShop, shop } from "./test-shop.ts";
import { ann, never, running, type TestSite, testSite } from "./test-site.ts";

const ALL_RUN = ["db 1 ready", "web 1 ready", "web 2 ready"];
const note = { note: "for the test" };

async function runningShop(change: Parameters<typeof shop>[1] = {}) {
  const site = await testSite();
  const appId = await runShop(site, shop("2.9", change));
  fill(site, appId, { "/orders": "one\n", "/empty": "" });
  return { site, appId };
}

async function snapshotNow(site: TestSite): Promise<string> {
  const done = await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  return done.snapshotId ?? "";
}

async function lastRecord(site: TestSite) {
  const { items } = await site.parts.store.records.list({ kind: "all" });
  return items[0]!;
}

/** The shop whose database says how its data is captured. */
function withCommands(snapshot: NonNullable<Component["snapshot"]>) {
  const { components } = shop();
  return {
    components: {
      ...components,
      db: { ...components.db!, env: { ROOT: { secret: "MARK-root" } }, snapshot },
    },
  };
}

/** A database that notes the commands that it is given, and fails those that it is told to fail. */
function notingDatabase(fails: readonly string[] = []) {
  const told: string[] = [];
  const program: MemoryProgram = {
    ...serving(),
    exec({ files, env }, [name = ""]) {
      told.push(name);
      if (name === "dump") files.write("/data/dump", "dumped");
      return fails.includes(name)
        ? { exitCode: 3, stderr: `no room for it, password ${env.ROOT}` }
        : { exitCode: 0 };
    },
  };
  return { told, program };
}

test("a snapshot holds exactly what volumes held, and what was put back is exactly that", async () => {
  const { site, appId } = await runningShop();
  const before = held(site, appId);
  const id = await snapshotNow(site);
  expect(await running(site, appId)).toEqual(ALL_RUN);
  expect(await snapshotsOf(site)).toMatchObject([
    {
      id,
      state: "complete",
      reason: "request",
      who: "ann",
      appName: "shop",
      volumes: [{ component: "db", volume: "data" }],
    },
  ]);
  expect(await dataReferences(site)).toEqual([`data/${id}`]);
  expect(await lastRecord(site)).toMatchObject({ kind: "snapshot", result: "succeeded", dataSnapshotId: id });

  fill(site, appId, { "/orders": "one\ntwo\n", "/new": "later" });
  const written = held(site, appId);
  const wish = { by: ann, app: await site.app("shop"), snapshotId: id };
  const preview = await restoreSnapshot(site.parts, wish, { dryRun: true });
  expect(preview.data?.restore).toMatchObject([{ component: "db", volume: "data", snapshotId: id }]);
  expect(preview.remarks.join("\n")).toContain("what was written to it since is lost");
  expect(held(site, appId)).toEqual(written);

  const done = await restoreSnapshot(site.parts, wish, note);
  await site.settle();
  expect(held(site, appId)).toEqual(before);
  expect(await running(site, appId)).toEqual(ALL_RUN);
  const [safety] = await snapshotsOf(site);
  expect(safety).toMatchObject({ id: done.snapshotId, reason: "restore", state: "complete" });
  expect(await lastRecord(site)).toMatchObject({
    kind: "restore",
    result: "succeeded",
    dataSnapshotId: safety?.id,
    decisions: { restored: id },
  });

  const back = { by: ann, app: await site.app("shop"), snapshotId: safety?.id ?? "" };
  await restoreSnapshot(site.parts, { ...back, captureFirst: false }, note);
  await site.settle();
  expect(held(site, appId)).toEqual(written);
  expect(await snapshotsOf(site)).toHaveLength(2);
});

test("what a snapshot does is said first: who is stopped, and how much there was the last time", async () => {
  const { site } = await runningShop();
  const wish = { by: ann, app: await site.app("shop") };
  const first = await takeSnapshot(site.parts, wish, { dryRun: true });
  expect(first.data).toEqual({
    capture: [{ component: "db", volumes: ["data"], live: false }],
    restore: [],
  });
  expect(first.remarks).toEqual(["db is stopped while its data is captured"]);
  expect(await snapshotsOf(site)).toEqual([]);
  await snapshotNow(site);
  const again = { by: ann, app: await site.app("shop") };
  const second = await takeSnapshot(site.parts, again, { dryRun: true });
  expect(second.data?.capture[0]?.sizeBytes).toBeGreaterThan(0);
});

test("a component that brings its data to rest itself goes on running, and is let go again", async () => {
  const { site, appId } = await runningShop(
    withCommands({ before: ["dump"], after: ["undump"], restored: ["load"] }),
  );
  const database = notingDatabase();
  site.engine.script({ component: "db" }, database.program);
  await scaleDb(site);
  const [before] = await instancesOf(site, appId, "db");
  const id = await snapshotNow(site);
  expect(database.told).toEqual(["dump", "undump"]);
  expect(await instancesOf(site, appId, "db")).toEqual([before]);
  fill(site, appId, {});
  await restoreSnapshot(
    site.parts,
    { by: ann, app: await site.app("shop"), snapshotId: id, captureFirst: false },
    note,
  );
  await site.settle();
  expect(held(site, appId)).toEqual({ "/dump": "dumped", "/empty": "", "/orders": "one\n" });
  expect(database.told).toEqual(["dump", "undump", "load"]);
});

/** Makes its instance anew, so that it runs the program that was scripted. */
async function scaleDb(site: TestSite): Promise<void> {
  for (const replicas of [0, 1]) {
    await scaleComponent(site.parts, { by: ann, app: await site.app("shop"), component: "db", replicas }, {});
    await site.settle();
  }
}

async function instancesOf(site: TestSite, appId: string, component: string): Promise<string[]> {
  const { instances } = await site.parts.driver.observe({ id: appId, images: [] });
  return instances.filter((one) => one.component === component).map((one) => one.id);
}

for (const fails of ["dump", "undump"])
  test(`when ${fails} fails, the snapshot fails, and what began is undone`, async () => {
    const { site, appId } = await runningShop(withCommands({ before: ["dump"], after: ["undump"] }));
    const database = notingDatabase([fails]);
    site.engine.script({ component: "db" }, database.program);
    await scaleDb(site);
    await snapshotNow(site);
    expect(database.told).toEqual(["dump", "undump"]);
    const [snapshot] = await snapshotsOf(site);
    expect(snapshot).toMatchObject({ state: "failed", message: expect.stringContaining("exit code 3") });
    expect(snapshot?.message).toContain("no room for it, password ******");
    expect(await dataReferences(site)).toEqual([]);
    expect(await running(site, appId)).toEqual(ALL_RUN);
  });

/** A hold whose disk is full. */
function withFullDisk(parts: Parts): Parts {
  const captureLayer = async (): Promise<never> => {
    throw contentProblem("CONTENT_NO_SPACE", "the disk of the hold is full", { hint: "free some" });
  };
  const hold = new Proxy(parts.hold, {
    get(target, key) {
      if (key === "captureLayer") return captureLayer;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { ...parts, hold };
}

async function settleWith(parts: Parts, appId: string): Promise<void> {
  while ((await reconcile(parts, appId, never)) === "again");
}

test("a full disk fails the snapshot, and the app runs on as before with its data", async () => {
  const { site, appId } = await runningShop();
  const before = held(site, appId);
  const full = withFullDisk(site.parts);
  await takeSnapshot(full, { by: ann, app: await site.app("shop") }, {});
  await settleWith(full, appId);
  expect(await snapshotsOf(site)).toMatchObject([
    { state: "failed", message: expect.stringContaining("full") },
  ]);
  expect(await running(site, appId)).toEqual(ALL_RUN);
  expect(held(site, appId)).toEqual(before);
  expect(await dataReferences(site)).toEqual([]);
});

test("data that cannot be put back leaves what was there, and the app as it was", async () => {
  const { site, appId } = await runningShop();
  const id = await snapshotNow(site);
  fill(site, appId, { "/orders": "later" });
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    throw contentProblem("CONTENT_DAMAGED", "a piece does not verify");
  };
  const hold = new Proxy(site.parts.hold, {
    get(target, key) {
      if (key === "read" && !isGoingBack) return read;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  let isGoingBack = false;
  const parts = { ...site.parts, hold };
  await restoreSnapshot(parts, { by: ann, app: await site.app("shop"), snapshotId: id }, note);
  await reconcile(parts, appId, never);
  isGoingBack = true;
  await settleWith(parts, appId);
  await site.settle();
  expect(held(site, appId)).toEqual({ "/orders": "later" });
  expect(await running(site, appId)).toEqual(ALL_RUN);
  const { items } = await site.parts.store.records.list({ kind: "all" });
  expect(items.map((one) => `${one.kind} ${one.result} ${one.rolloutState}`).slice(0, 2)).toEqual([
    "rollback succeeded succeeded",
    "restore failed returned",
  ]);
});

test("an engine that is away fails nothing: the snapshot is taken once it answers", async () => {
  const { site, appId } = await runningShop();
  await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  site.engine.onStep = (step) => {
    if (step.kind === "instance.remove") site.engine.unreachable = true;
  };
  await expect(reconcile(site.parts, appId, never)).rejects.toMatchObject({ code: "RUNTIME_UNREACHABLE" });
  expect(await snapshotsOf(site)).toMatchObject([{ state: "taking" }]);
  site.engine.onStep = undefined;
  site.engine.unreachable = false;
  await site.settle();
  expect(await snapshotsOf(site)).toMatchObject([{ state: "complete" }]);
  expect(await running(site, appId)).toEqual(ALL_RUN);
});

test("a snapshot that somebody cancels has failed, and what it had captured is let go", async () => {
  const { site } = await runningShop();
  const app = await site.app("shop");
  const { rolloutId = "" } = await takeSnapshot(site.parts, { by: ann, app }, {});
  const { store } = site.parts;
  const parts: Parts = {
    ...site.parts,
    store: {
      ...store,
      dataSnapshots: {
        ...store.dataSnapshots,
        addVolume: async (...args) => {
          await cancelRollout(site.parts, app, await store.rollouts.get(rolloutId));
          return await store.dataSnapshots.addVolume(...args);
        },
        complete: async (...args) => {
          throw new Error(`never ${args[0]}`);
        },
      },
    },
  };
  await reconcile(parts, app.id, never);
  expect(await store.rollouts.get(rolloutId)).toMatchObject({ state: "cancelled" });
  expect(await snapshotsOf(site)).toMatchObject([{ state: "failed" }]);
  expect(await dataReferences(site)).toEqual([]);
});

test("a snapshot that is used is not removed; one that is not goes, with what the hold kept for it", async () => {
  const { site } = await runningShop();
  const id = await snapshotNow(site);
  const wish = { by: ann, app: await site.app("shop"), snapshotId: id };
  const { snapshotId = "" } = await restoreSnapshot(site.parts, wish, note);
  for (const used of [id, snapshotId])
    await expect(removeSnapshot(site.parts, { by: ann, snapshotId: used })).rejects.toMatchObject({
      code: "DATA_SNAPSHOT_IN_USE",
    });
  await site.settle();
  await removeSnapshot(site.parts, { by: ann, snapshotId: id });
  expect(await dataReferences(site)).toEqual([`data/${snapshotId}`]);
  expect(await lastRecord(site)).toMatchObject({ dataSnapshotId: snapshotId });
  await expect(removeSnapshot(site.parts, { by: ann, snapshotId: id })).rejects.toMatchObject({
    code: "STORE_ABSENT",
  });
});

test("what was taken by itself goes when there is enough that is newer; what a person asked for stays", async () => {
  const { site } = await runningShop();
  await site.parts.store.policy.set({ snapshotsKept: 2 });
  const asked = await snapshotNow(site);
  for (let round = 0; round < 4; round++) {
    await site.clock.advance(1000);
    const app = await site.app("shop");
    await restoreSnapshot(site.parts, { by: ann, app, snapshotId: asked }, note);
    await site.settle();
  }
  const left = await snapshotsOf(site);
  expect(left.map((one) => one.reason)).toEqual(["restore", "restore", "request"]);
  expect(await dataReferences(site)).toEqual(left.map((one) => `data/${one.id}`).toSorted());
});

test("what cannot be put back is refused before anything is done", async () => {
  const { site, appId } = await runningShop();
  const id = await snapshotNow(site);
  const app = await site.app("shop");
  const refused = async (wish: Partial<Parameters<typeof restoreSnapshot>[1]>) =>
    await restoreSnapshot(site.parts, { by: ann, app, snapshotId: id, ...wish }, note).catch((e) => e.code);
  expect(await refused({ components: ["web"] })).toBe("NOT_FOUND");
  expect(await refused({ volumes: [{ component: "db", volume: "none" }] })).toBe("NOT_FOUND");
  expect(await refused({ snapshotId: "snp_none" })).toBe("STORE_ABSENT");
  expect(await refused({ app: { ...app, id: "app_other" } })).toBe("DATA_SNAPSHOT_UNUSABLE");
  await site.parts.hold.removeReference(`data/${id}`);
  const inputs = { protect: [], now: site.clock.now() + 1e9, keepYoungerThanMs: 0 };
  await site.parts.hold.executePrune(await site.parts.hold.planPrune(inputs));
  expect(await refused({})).toBe("DATA_SNAPSHOT_UNUSABLE");
  expect(await running(site, appId)).toEqual(ALL_RUN);
  await expect(takeSnapshot(site.parts, { by: ann, app, components: ["web"] }, {})).rejects.toMatchObject({
    code: "PLAN_DATA_ABSENT",
  });
});

test("an app without data has no snapshot, and says why", async () => {
  const { web } = shop().components;
  const site = await testSite();
  await runShop(site, shop("2.9", { components: { web: { ...web!, needs: [] } } }));
  await expect(takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {})).rejects.toMatchObject({
    code: "DATA_ABSENT",
  });
});

test("pruning leaves what snapshots hold", async () => {
  const { site, appId } = await runningShop();
  const before = held(site, appId);
  const id = await snapshotNow(site);
  const inputs = { protect: [], now: site.clock.now() + 1e9, keepYoungerThanMs: 0 };
  await site.parts.hold.executePrune(await site.parts.hold.planPrune(inputs));
  fill(site, appId, {});
  await restoreSnapshot(site.parts, { by: ann, app: await site.app("shop"), snapshotId: id }, note);
  await site.settle();
  expect(held(site, appId)).toEqual(before);
});

test("a stopped app is captured as it stands, and stays stopped", async () => {
  const { site, appId } = await runningShop();
  const before = held(site, appId);
  await setRunning(site.parts, { by: ann, app: await site.app("shop"), running: false }, {});
  await site.settle();
  const id = await snapshotNow(site);
  expect(await running(site, appId)).toEqual([]);
  expect(await snapshotsOf(site)).toMatchObject([{ id, state: "complete" }]);
  expect(held(site, appId)).toEqual(before);
});

test("what a snapshot holds is protected again where the names that did it were lost with the database", async () => {
  const { site } = await runningShop();
  const id = await snapshotNow(site);
  await site.parts.hold.removeReference(`data/${id}`);
  await protectKnownSnapshots(site.parts);
  expect(await dataReferences(site)).toEqual([`data/${id}`]);
  await site.parts.hold.removeReference(`data/${id}`);
  const prune = { protect: [], now: site.clock.now() + 1e9, keepYoungerThanMs: 0 };
  await site.parts.hold.executePrune(await site.parts.hold.planPrune(prune));
  await protectKnownSnapshots(site.parts);
  expect(await dataReferences(site)).toEqual([]);
});
