import { expect, test } from "vitest";
import type { Change } from "./change.ts";
import { everything, openStoreWithApp } from "./test-store.ts";

const envelope =
  '{"payloadType":"application/vnd.sampan.report.v1+json",  "payload":"e30=","signatures":[]}\n';

async function openWithReport() {
  const opened = await openStoreWithApp();
  const { store, app, team } = opened;
  const given = { recordId: "r1", appId: app.id, teamId: team.id, envelope };
  return { ...opened, given, kept: await store.reports.put(given) };
}

test("a report is kept to the byte, once", async () => {
  const { store, given, kept, clock } = await openWithReport();
  expect(kept).toEqual({ ...given, countersignatures: [], createdAt: expect.any(String) });
  clock.pass(1000);
  expect(await store.reports.put(given)).toEqual(kept);
  const other = store.reports.put({ ...given, envelope: envelope.trim() });
  await expect(other).rejects.toMatchObject({ code: "STORE_REPORT_KEPT" });
  expect(await store.reports.get("r1")).toEqual(kept);
  await expect(store.reports.get("r2")).rejects.toMatchObject({ code: "STORE_ABSENT" });
});

test("a report beyond the limit is refused", async () => {
  const { store, given } = await openWithReport();
  const large = store.reports.put({ ...given, recordId: "r2", envelope: "x".repeat(16 * 1024 ** 2 + 1) });
  await expect(large).rejects.toMatchObject({ code: "STORE_TOO_LARGE" });
});

test("persons countersign one after the other, and whoever watches is told", async () => {
  const { store, given, app, team } = await openWithReport();
  const heard: Change[] = [];
  store.watch((change) => heard.push(change));
  const ann = { name: "Ann", userId: "u1", at: "2026-01-02T00:00:00.000Z", remark: "收到" };
  const bob = {
    name: "Bob",
    userId: "u2",
    at: "2026-01-03T00:00:00.000Z",
    keyId: "k",
    sig: "s",
    publicKeyPem: "p",
  };
  await store.reports.addCountersignature("r1", ann);
  const { countersignatures } = await store.reports.addCountersignature("r1", bob);
  expect(countersignatures).toEqual([ann, bob]);
  expect(heard[1]).toEqual({ noun: "report", id: "r1", act: "updated", appId: app.id, teamId: team.id });
  expect((await store.reports.put(given)).countersignatures).toEqual([ann, bob]);
  const nowhere = store.reports.addCountersignature("r2", ann);
  await expect(nowhere).rejects.toMatchObject({ code: "STORE_ABSENT" });
});

test("countersignatures end at the hundredth", async () => {
  const { store } = await openWithReport();
  const ann = { name: "Ann", userId: "u1", at: "2026-01-02T00:00:00.000Z" };
  await store.transaction(async ({ reports }) => {
    for (let n = 0; n < 100; n++) await reports.addCountersignature("r1", ann);
  });
  const more = store.reports.addCountersignature("r1", ann);
  await expect(more).rejects.toMatchObject({ code: "STORE_TOO_LARGE" });
});

test("reports outlive record and app, and are listed newest first to those who may see their team", async () => {
  const { store, given, app, team, clock } = await openWithReport();
  clock.pass(1000);
  await store.reports.put({ ...given, recordId: "r2", appId: "other" });
  await store.apps.remove(app.id);
  const ids = async (...query: Parameters<typeof store.reports.list>) =>
    (await store.reports.list(...query)).items.map((one) => one.recordId);
  expect(await ids(everything)).toEqual(["r2", "r1"]);
  expect(await ids({ kind: "teams", teamIds: [team.id], userId: "u" }, { appId: app.id })).toEqual(["r1"]);
  expect(await ids({ kind: "teams", teamIds: [], userId: "u" })).toEqual([]);
  const first = await store.reports.list(everything, {}, { limit: 1 });
  expect(await ids(everything, {}, { limit: 1, after: first.next! })).toEqual(["r1"]);
});
