import { expect, test } from "vitest";
import type { Change } from "./change.ts";
import { openStoreWithApp } from "./test-store.ts";

const harbour = { id: "site_1", name: "Harbour", keyId: "sha256:k", publicKeyPem: "PEM" };
const state = (sequence: number) => ({
  name: "Harbour",
  sequence,
  summary: { sequence },
  state: `s${sequence}`,
});

test("a site is pinned to its key once, and keeps only newer states", async () => {
  const { store } = await openStoreWithApp();
  expect(await store.sites.create(harbour)).toMatchObject({ ...harbour, sequence: 0, summary: {} });
  await expect(store.sites.create({ ...harbour, keyId: "other" })).rejects.toMatchObject({
    code: "STORE_TAKEN",
  });
  expect(await store.sites.state("site_1")).toBeUndefined();
  await store.sites.putState("site_1", state(4));
  for (const sequence of [3, 4])
    await expect(store.sites.putState("site_1", state(sequence))).rejects.toMatchObject({
      code: "STORE_STALE",
    });
  expect(await store.sites.putState("site_1", { ...state(5), name: "New Harbour" })).toMatchObject({
    name: "New Harbour",
    keyId: "sha256:k",
    sequence: 5,
    summary: { sequence: 5 },
  });
  expect(await store.sites.state("site_1")).toBe("s5");
  expect((await store.sites.list()).items).toMatchObject([{ id: "site_1" }]);
  await expect(store.sites.state("site_2")).rejects.toMatchObject({ code: "STORE_ABSENT" });
  await expect(store.sites.putState("site_2", state(1))).rejects.toMatchObject({ code: "STORE_ABSENT" });
});

test("notes are kept and taken away, and whoever watches is told of everything", async () => {
  const { store } = await openStoreWithApp();
  const heard: Change[] = [];
  store.watch((change) => heard.push(change));
  await store.sites.create(harbour);
  expect((await store.sites.setNotes("site_1", "third floor")).notes).toBe("third floor");
  expect((await store.sites.setNotes("site_1", "")).notes).toBeUndefined();
  await store.sites.remove("site_1");
  await expect(store.sites.remove("site_1")).rejects.toMatchObject({ code: "STORE_ABSENT" });
  expect(heard.map(({ noun, act }) => `${noun} ${act}`)).toEqual([
    "site created",
    "site updated",
    "site updated",
    "site removed",
  ]);
});

test("receipts are kept once for each number, come newest first, and go with their site", async () => {
  const { store } = await openStoreWithApp();
  await store.sites.create(harbour);
  const put = (sequence: number, receipt = `r${sequence}`) =>
    store.siteReceipts.put({ siteId: "site_1", sequence, receipt, who: "ann" });
  for (const sequence of [2, 9, 5]) expect(await put(sequence)).toBe("kept");
  expect(await put(9, "another")).toBe("known");
  const list = async (page: { readonly before?: number; readonly limit: number }) =>
    (await store.siteReceipts.list("site_1", page)).map(({ receipt }) => receipt);
  expect(await list({ limit: 2 })).toEqual(["r9", "r5"]);
  expect(await list({ limit: 2, before: 5 })).toEqual(["r2"]);
  const nowhere = store.siteReceipts.put({ siteId: "site_2", sequence: 1, receipt: "r", who: "ann" });
  await expect(nowhere).rejects.toMatchObject({ code: "STORE_IN_USE" });
  await store.sites.remove("site_1");
  expect(await list({ limit: 9 })).toEqual([]);
});

test("documents beyond the limit are refused", async () => {
  const { store } = await openStoreWithApp();
  await store.sites.create(harbour);
  const large = "x".repeat(32 * 1024 ** 2 + 1);
  await expect(store.sites.putState("site_1", { ...state(1), state: large })).rejects.toMatchObject({
    code: "STORE_TOO_LARGE",
  });
  const receipt = { siteId: "site_1", sequence: 1, receipt: large, who: "ann" };
  await expect(store.siteReceipts.put(receipt)).rejects.toMatchObject({ code: "STORE_TOO_LARGE" });
});

test("each import and report is told first in one receipt; a report that was countersigned since, once more", async () => {
  const { store, app, team } = await openStoreWithApp();
  const bundle = { bundleDigest: "b", fileName: "f", sizeBytes: 1, releases: [], who: "ann" };
  const report = (recordId: string) =>
    store.reports.put({ recordId, appId: app.id, teamId: team.id, envelope: "{}" });
  const told = async (since: number, limit = 10) => {
    const { imports, reports, omitted } = await store.siteDocuments.told({ since, limit });
    return [imports.length, ...reports.map(({ recordId }) => recordId), omitted];
  };
  await store.imports.add({ ...bundle, layerBytes: 10, tookMs: 5 });
  await report("r1");
  expect(await told(0)).toEqual([0, 0]);
  const first = await store.siteDocuments.next();
  await store.siteDocuments.tell(first);
  expect(await told(0)).toEqual([1, "r1", 0]);
  await report("r2");
  const second = await store.siteDocuments.next();
  expect([first, second]).toEqual([1, 2]);
  await store.siteDocuments.tell(second);
  expect(await told(0)).toEqual([1, "r1", "r2", 0]);
  expect(await told(first)).toEqual([0, "r2", 0]);
  expect(await told(0, 1)).toEqual([1, "r2", 1]);
  await store.reports.addCountersignature("r1", { name: "Ann", userId: "u", at: "2026-01-01T00:00:00.000Z" });
  const third = await store.siteDocuments.next();
  await store.siteDocuments.tell(third);
  expect(await told(second)).toEqual([0, "r1", 0]);
});
