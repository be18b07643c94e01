import type { Digest } from "@sampan/content";
import { describe, expect, test } from "vitest";
import type { Change } from "./change.ts";
import type { Store } from "./open-store.ts";
import { everything, openStoreWithApp, openTestStore } from "./test-store.ts";

const digest = (fill: string) => `sha256:${fill.repeat(64)}` as Digest;
const volume = (name: string, fill: string, sizeBytes = 1000) => ({
  component: "db",
  componentId: "c-db",
  volume: name,
  diffId: digest(fill),
  sizeBytes,
});
const nobody = { kind: "teams", teamIds: [], userId: "u" } as const;

async function openWithSnapshot() {
  const opened = await openStoreWithApp();
  const { store, app, team } = opened;
  const asked = {
    id: "snap-1",
    appId: app.id,
    appName: app.name,
    teamId: team.id,
    reason: "request",
    who: "ann",
  } as const;
  return { ...opened, asked, begun: await store.dataSnapshots.begin(asked) };
}

describe("data snapshots", () => {
  test("one begins, gathers volumes and is complete", async () => {
    const { store, asked, begun, clock } = await openWithSnapshot();
    expect(begun).toEqual({
      ...asked,
      state: "taking",
      volumes: [],
      sizeBytes: 0,
      startedAt: expect.any(String),
    });
    await store.dataSnapshots.addVolume("snap-1", volume("data", "a"));
    await store.dataSnapshots.addVolume("snap-1", volume("logs", "b", 24));
    clock.pass(1000);
    const done = await store.dataSnapshots.complete("snap-1", { imageId: digest("c") });
    expect(done).toMatchObject({ state: "complete", sizeBytes: 1024, imageId: digest("c") });
    expect(done.endedAt).not.toBe(done.startedAt);
    expect(await store.dataSnapshots.get("snap-1")).toEqual(done);
    expect(await store.dataSnapshots.complete("snap-1", { imageId: digest("c") })).toEqual(done);
    expect(await store.dataSnapshots.begin(asked)).toEqual(done);
  });

  test("a volume captured again takes the place of the one before", async () => {
    const { store } = await openWithSnapshot();
    await store.dataSnapshots.addVolume("snap-1", volume("data", "a"));
    await store.dataSnapshots.addVolume("snap-1", volume("logs", "b"));
    await store.dataSnapshots.addVolume("snap-1", volume("data", "c", 5));
    // Of another installation of the same template: its components have the same ids.
    const other = { ...volume("data", "d", 7), component: "db-2" };
    const { volumes, sizeBytes } = await store.dataSnapshots.addVolume("snap-1", other);
    expect(volumes.map((one) => [one.component, one.volume, one.diffId])).toEqual([
      ["db", "data", digest("c")],
      ["db", "logs", digest("b")],
      ["db-2", "data", digest("d")],
    ]);
    expect(sizeBytes).toBe(1012);
  });

  test("one that failed says why, and can be gone on with from the volumes it has", async () => {
    const { store, asked } = await openWithSnapshot();
    await store.dataSnapshots.addVolume("snap-1", volume("data", "a"));
    const failed = await store.dataSnapshots.fail("snap-1", "no room");
    expect(failed).toMatchObject({ state: "failed", message: "no room", endedAt: expect.any(String) });
    expect(await store.dataSnapshots.fail("snap-1", "cancelled")).toEqual(failed);
    const again = await store.dataSnapshots.begin(asked);
    expect(again).toMatchObject({ state: "taking", volumes: [volume("data", "a")] });
    expect(again).not.toHaveProperty("message");
    expect(again).not.toHaveProperty("endedAt");
  });

  const ended: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
    ["a volume after the end", (store) => store.dataSnapshots.addVolume("snap-1", volume("data", "b"))],
    [
      "another image after the end",
      (store) => store.dataSnapshots.complete("snap-1", { imageId: digest("d") }),
    ],
    ["failing after the end", (store) => store.dataSnapshots.fail("snap-1", "late")],
  ];
  test.each(ended)("%s is refused", async (_, act) => {
    const { store } = await openWithSnapshot();
    const done = await store.dataSnapshots.complete("snap-1", { imageId: digest("c") });
    await expect(act(store)).rejects.toMatchObject({ code: "STORE_STALE" });
    expect(await store.dataSnapshots.get("snap-1")).toEqual(done);
  });

  const absentOnes: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
    ["get", (store) => store.dataSnapshots.get("x")],
    ["addVolume", (store) => store.dataSnapshots.addVolume("x", volume("data", "a"))],
    ["complete", (store) => store.dataSnapshots.complete("x", { imageId: digest("c") })],
    ["fail", (store) => store.dataSnapshots.fail("x", "why")],
    ["remove", (store) => store.dataSnapshots.remove("x")],
  ];
  test.each(absentOnes)("%s of one that is not there is refused", async (_, act) => {
    const { store } = await openTestStore();
    await expect(act(store)).rejects.toMatchObject({ code: "STORE_ABSENT" });
  });

  test("the id of another app's snapshot, and a team that is not there, are refused", async () => {
    const { store, asked } = await openWithSnapshot();
    const ofOther = store.dataSnapshots.begin({ ...asked, appId: "other" });
    await expect(ofOther).rejects.toMatchObject({ code: "STORE_TAKEN" });
    const nowhere = store.dataSnapshots.begin({ ...asked, id: "snap-2", teamId: "absent" });
    await expect(nowhere).rejects.toMatchObject({ code: "STORE_IN_USE" });
  });

  test("lists are newest first, page by page, of those whom one may see", async () => {
    const { store, asked, clock, team } = await openWithSnapshot();
    for (const id of ["snap-2", "snap-3"]) {
      clock.pass(1000);
      await store.dataSnapshots.begin({ ...asked, id, appId: "app-2", recordId: "r1" });
    }
    await store.dataSnapshots.fail("snap-2", "no room");
    const ids = async (...query: Parameters<Store["dataSnapshots"]["list"]>) =>
      (await store.dataSnapshots.list(...query)).items.map((one) => one.id);
    expect(await ids(everything)).toEqual(["snap-3", "snap-2", "snap-1"]);
    expect(await ids({ kind: "teams", teamIds: [team.id], userId: "u" })).toHaveLength(3);
    expect(await ids(nobody)).toEqual([]);
    expect(await ids(everything, { appId: "app-2" })).toEqual(["snap-3", "snap-2"]);
    expect(await ids(everything, { state: "taking" })).toEqual(["snap-3", "snap-1"]);
    expect(await ids(everything, { recordId: "r1" })).toEqual(["snap-3", "snap-2"]);
    const first = await store.dataSnapshots.list(everything, {}, { limit: 2 });
    expect(await ids(everything, {}, { limit: 2, after: first.next! })).toEqual(["snap-1"]);
  });

  test("they outlive their app, keep their team from being removed, and go when a person removes them", async () => {
    const { store, app, team } = await openWithSnapshot();
    await store.apps.remove(app.id);
    const mine = { kind: "teams", teamIds: [team.id], userId: "u" } as const;
    expect((await store.dataSnapshots.list(mine)).items).toMatchObject([
      { id: "snap-1", appName: "bookshop" },
    ]);
    await expect(store.teams.remove(team.id)).rejects.toMatchObject({ code: "STORE_IN_USE" });
    await store.dataSnapshots.remove("snap-1");
    await store.teams.remove(team.id);
    expect((await store.dataSnapshots.list(everything)).items).toEqual([]);
  });

  test("a record names its snapshot and its preflight, until the snapshot is removed", async () => {
    const { store, app } = await openWithSnapshot();
    const preflight = { checks: [{ name: "disk", result: "warn", found: 5 }] };
    const { id } = await store.records.begin({ appId: app.id, kind: "snapshot", who: "ann", preflight });
    expect(await store.records.update(id, { dataSnapshotId: "snap-1" })).toMatchObject({
      preflight,
      dataSnapshotId: "snap-1",
    });
    expect(await store.records.update(id, { preflight: { checks: [] } })).toMatchObject({
      preflight: { checks: [] },
      dataSnapshotId: "snap-1",
    });
    await store.dataSnapshots.remove("snap-1");
    const after = await store.records.get(id);
    expect(after).not.toHaveProperty("dataSnapshotId");
    expect(after.preflight).toEqual({ checks: [] });
    const plain = await store.records.begin({
      appId: app.id,
      kind: "restore",
      who: "ann",
      dataSnapshotId: "snap-0",
    });
    expect(plain).not.toHaveProperty("preflight");
    expect(plain.dataSnapshotId).toBe("snap-0");
  });

  test("whoever watches is told of each change with the app and its team", async () => {
    const { store, app, team } = await openWithSnapshot();
    const heard: Change[] = [];
    store.watch((change) => heard.push(change));
    await store.dataSnapshots.addVolume("snap-1", volume("data", "a"));
    await store.dataSnapshots.remove("snap-1");
    const of = { noun: "dataSnapshot", id: "snap-1", appId: app.id, teamId: team.id };
    expect(heard).toEqual([
      { ...of, act: "updated" },
      { ...of, act: "removed" },
    ]);
  });
});
