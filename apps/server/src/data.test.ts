import type { Digest } from "@sampan/content";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Person, rolloutEnd, runApp, smallApp, type TestServer, testServer } from "./test-server.ts";
import { dataOf, installShop, publishShop, shopApp } from "./test-shop.ts";

let server: TestServer;
let first: Digest;
let second: Digest;
let viewer: Person;

beforeAll(async () => {
  server = await testServer();
  viewer = await server.person("viewer", "viewer");
  const published = await publishShop(server, shopApp("maker", "1.0"), { version: "1.0" });
  first = published.digest;
  const { templateId } = published;
  second = (await publishShop(server, shopApp("maker-two", "1.1"), { version: "1.1", templateId })).digest;
});

afterAll(() => server.end());

const client = () => server.admin.client;
const ended = async (reply: { readonly rolloutId?: string | undefined }) =>
  await rolloutEnd(server, reply.rolloutId ?? "");

async function shopWith(name: string, orders: string) {
  const shop = await installShop(server, first, name);
  dataOf(server, shop.appId).set("/orders", orders);
  return shop;
}

async function take(appId: string, body: object = {}): Promise<string> {
  const taken = await client().takeSnapshot({ params: { id: appId }, body });
  expect(await ended(taken)).toBe("succeeded");
  return taken.snapshotId ?? "";
}

describe("data snapshots", () => {
  test("are taken, listed, put back and removed", async () => {
    const { appId } = await shopWith("round", "one");
    const preview = await client().takeSnapshot({ params: { id: appId }, body: { dryRun: true } });
    expect(preview.data).toMatchObject({ capture: [{ component: "db", volumes: ["data"], live: false }] });
    expect((await client().listSnapshots({ query: { app: appId } })).items).toEqual([]);

    const id = await take(appId, { note: "before the audit" });
    const { items } = await client().listSnapshots({ query: { app: appId } });
    expect(items).toMatchObject([
      {
        id,
        appId,
        appName: "round",
        reason: "request",
        state: "complete",
        who: "root",
        note: "before the audit",
        volumes: [{ component: "db", volume: "data", sizeBytes: expect.any(Number) }],
      },
    ]);
    expect(await client().getSnapshot({ params: { id } })).toEqual(items[0]);

    dataOf(server, appId).set("/orders", "one, two");
    const restore = (body: object) => client().restoreSnapshot({ params: { id }, body });
    const shown = await restore({ dryRun: true });
    expect(shown.data?.restore).toMatchObject([{ component: "db", volume: "data", snapshotId: id }]);
    expect(shown.remarks.join()).toContain("is lost");
    const back = await restore({});
    expect(await ended(back)).toBe("succeeded");
    expect(dataOf(server, appId).get("/orders")).toBe("one");
    const record = await client().getRecord({ params: { id: back.recordId ?? "" } });
    expect(record).toMatchObject({ kind: "restore", dataSnapshotId: back.snapshotId });

    const lost = await client().restoreSnapshot({ params: { id: back.snapshotId ?? "" }, body: {} });
    expect(await ended(lost)).toBe("succeeded");
    expect(dataOf(server, appId).get("/orders")).toBe("one, two");

    await client().removeSnapshot({ params: { id } });
    await expect(client().getSnapshot({ params: { id } })).rejects.toMatchObject({ code: "STORE_ABSENT" });
  });

  test("of what is not there are a problem, and nothing is changed", async () => {
    const { appId } = await shopWith("wrong", "one");
    const id = await take(appId);
    const empty = await runApp(server, smallApp("no-data"));
    const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["DATA_ABSENT", () => client().takeSnapshot({ params: { id: empty }, body: {} })],
      [
        "PLAN_DATA_ABSENT",
        () => client().takeSnapshot({ params: { id: appId }, body: { components: ["web"] } }),
      ],
      ["NOT_FOUND", () => client().restoreSnapshot({ params: { id }, body: { components: ["web"] } })],
      [
        "NOT_FOUND",
        () =>
          client().restoreSnapshot({ params: { id }, body: { volumes: [{ component: "db", volume: "x" }] } }),
      ],
      ["STORE_ABSENT", () => client().restoreSnapshot({ params: { id: "none" }, body: {} })],
      ["STORE_ABSENT", () => client().removeSnapshot({ params: { id: "none" } })],
    ];
    for (const [code, ask] of asked) await expect(ask(), code).rejects.toMatchObject({ code });
    expect((await client().listSnapshots({ query: { app: appId } })).items).toHaveLength(1);
  });

  test("are a viewer's to see and a developer's to use", async () => {
    const { appId } = await shopWith("rights", "one");
    const id = await take(appId);
    expect((await viewer.client.getSnapshot({ params: { id } })).id).toBe(id);
    const asked = [
      () => viewer.client.takeSnapshot({ params: { id: appId }, body: {} }),
      () => viewer.client.restoreSnapshot({ params: { id }, body: {} }),
      () => viewer.client.removeSnapshot({ params: { id } }),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: "API_FORBIDDEN" });
  });

  test("of another team are not there", async () => {
    const { appId } = await shopWith("hidden", "one");
    const id = await take(appId);
    const other = await client().createTeam({ body: { name: "other" } });
    const stranger = await server.person("stranger", "administrator", other.id);
    const asked = [
      () => stranger.client.getSnapshot({ params: { id } }),
      () => stranger.client.restoreSnapshot({ params: { id }, body: {} }),
      () => stranger.client.removeSnapshot({ params: { id } }),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ kind: { status: 404 } });
    expect((await stranger.client.listSnapshots()).items).toEqual([]);
  });
});

describe("an upgrade", () => {
  test("captures data before, and a rollback puts it back when that is asked", async () => {
    const { appId, installationId: id } = await shopWith("upgraded", "old form");
    const wish = { params: { id }, body: { release: second, capture: "all" } } as const;
    const preview = await client().upgrade({ ...wish, body: { ...wish.body, dryRun: true } });
    expect(preview.data?.capture).toMatchObject([{ component: "db", volumes: ["data"] }]);
    const upgraded = await client().upgrade(wish);
    expect(await ended(upgraded)).toBe("succeeded");
    dataOf(server, appId).set("/orders", "new form");
    const record = await client().getRecord({ params: { id: upgraded.recordId ?? "" } });
    expect(record.dataSnapshotId).toMatch(/^snp_/);

    const back = (body: object) => client().rollback({ params: { id: record.id }, body });
    const plain = await back({ dryRun: true });
    expect(plain.data).toBeUndefined();
    const shown = await back({ dryRun: true, restoreData: true });
    expect(shown.data).toMatchObject({
      capture: [{ component: "db" }],
      restore: [{ component: "db", volume: "data", snapshotId: record.dataSnapshotId }],
    });
    expect(await ended(await back({ restoreData: true }))).toBe("succeeded");
    expect(dataOf(server, appId).get("/orders")).toBe("old form");
    const { items } = await client().listSnapshots({ query: { app: appId } });
    expect(items.map((one) => one.reason)).toEqual(["rollback", "upgrade"]);
    await expect(back({ snapshot: items[0]?.id })).rejects.toMatchObject({ code: "API_INVALID" });
  });

  test("captures data when the policy says so, unless it is told not to", async () => {
    const { installationId: id } = await shopWith("by-policy", "one");
    await client().setPolicy({ body: { captureBeforeUpgrade: true } });
    const preview = (body: object) =>
      client().upgrade({ params: { id }, body: { release: second, dryRun: true, ...body } });
    expect((await preview({})).data?.capture).toMatchObject([{ component: "db" }]);
    expect((await preview({ capture: "none" })).data).toBeUndefined();
    await client().setPolicy({ body: { captureBeforeUpgrade: false } });
    expect((await preview({})).data).toBeUndefined();
    expect((await preview({ capture: ["db"] })).data?.capture).toMatchObject([{ component: "db" }]);
  });
});
