import type { Digest } from "@sampan/content";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Person, rolloutEnd, type TestServer, testServer } from "./test-server.ts";
import { type Installed, installShop, KEY, publishShop, shopApp } from "./test-shop.ts";

let server: TestServer;
let first: Digest;
let second: Digest;
let shop: Installed;
let viewer: Person;

const HTTP = { port: 8080, protocol: "http" };

beforeAll(async () => {
  server = await testServer();
  viewer = await server.person("viewer", "viewer");
  const published = await publishShop(server, shopApp("maker", "1.0"), { version: "1.0" });
  first = published.digest;
  const { templateId } = published;
  second = (await publishShop(server, shopApp("maker-two", "1.1"), { version: "1.1", templateId })).digest;
  shop = await installShop(server, first, "shop");
});

afterAll(() => server.end());

const client = () => server.admin.client;
const wish = (appName: string, more: object = {}) => ({
  body: { release: first, teamId: server.teamId, appName, parameters: { key: KEY }, ...more },
});

describe("answers", () => {
  const check = (body: object) => client().checkAnswers({ params: { digest: first }, body });

  test("are checked without anything being done: faults, modules that come on, values without passwords", async () => {
    expect(await check({})).toMatchObject({
      faults: [{ path: "parameters.key" }],
      modules: [{ name: "letters", on: false }],
    });
    const good = await check({ parameters: { key: KEY, title: "Mine" }, modules: { on: ["letters"] } });
    expect(good).toMatchObject({ faults: [], modules: [{ name: "letters", on: true }] });
    expect(good.values).toEqual({ title: "Mine" });
    expect(good.asked).toEqual(["key", "title"]);
  });

  const wrong: readonly (readonly [string, object, string])[] = [
    ["too long", { parameters: { key: KEY, title: "x".repeat(21) } }, "parameters.title"],
    ["of another type", { parameters: { key: KEY, title: true } }, "parameters.title"],
    ["to no question", { parameters: { key: KEY, colour: "red" } }, "parameters.colour"],
    ["for no module", { parameters: { key: KEY }, modules: { on: ["mail"] } }, "modules.mail"],
  ];
  test.for(wrong)("that are %s are a fault at their path", async ([, body, path]) => {
    expect((await check(body)).faults.map((fault) => fault.path)).toEqual([path]);
  });
});

describe("preflight", () => {
  test("a port that something else holds refuses an install, unless it is told to go on", async () => {
    const port = 8765;
    const app = shopApp("taker", "1.0", {
      ports: { http: { ...HTTP, exposed: true, hostPort: { parameter: "port" } } },
    });
    const asked = { ...(app.parameters as object), port: { type: "int", default: 8764 } };
    const { digest: release } = await publishShop(server, { ...app, parameters: asked }, { version: "1.0" });
    server.engine.takenPorts.add(port);
    const given = wish("blocked", { release, parameters: { key: KEY, port } });
    const preview = await client().install({ body: { ...given.body, dryRun: true } });
    const failed = preview.preflight.filter((one) => one.state === "fail");
    expect(failed).toMatchObject([{ id: `port:${port}/tcp`, remedy: expect.any(String) }]);
    await expect(client().install(given)).rejects.toMatchObject({
      code: "PREFLIGHT_FAILED",
      faults: [{ path: `port:${port}/tcp` }],
    });
    expect((await client().listApps({ query: { name: "blocked" } })).items).toEqual([]);
    const forced = await client().install({ body: { ...given.body, ignorePreflight: true } });
    expect(await rolloutEnd(server, forced.rolloutId ?? "")).toBe("failed");
    const record = await client().getRecord({ params: { id: forced.recordId ?? "" } });
    expect(record.preflight).toContainEqual(expect.objectContaining({ state: "fail" }));
    server.engine.takenPorts.delete(port);
  });
});

describe("a plan that was looked at", () => {
  test("is carried out as long as it is the same, and refused when it would be another", async () => {
    const { installationId, appId } = await installShop(server, first, "planned");
    const upgrade = (more: object) =>
      client().upgrade({ params: { id: installationId }, body: { release: second, ...more } });
    const { plan } = await upgrade({ dryRun: true });
    const seen = { base: plan.base, expect: plan.digest };
    expect((await upgrade({ dryRun: true, ...seen })).plan.digest).toBe(plan.digest);
    const other = { ...seen, parameters: { title: "Other" } };
    await expect(upgrade(other)).rejects.toMatchObject({ code: "PLAN_CHANGED" });
    const scale = { params: { id: appId, component: "web" }, body: { replicas: 2 } };
    const scaled = await client().scaleComponent(scale);
    expect(await rolloutEnd(server, scaled.rolloutId ?? "")).toBe("succeeded");
    await expect(upgrade(seen)).rejects.toMatchObject({ code: "APP_MOVED" });
    await expect(upgrade({ expect: plan.digest })).rejects.toMatchObject({ code: "PLAN_CHANGED" });
    const again = (await upgrade({ dryRun: true })).plan;
    const done = await upgrade({ base: again.base, expect: again.digest });
    expect(await rolloutEnd(server, done.rolloutId ?? "")).toBe("succeeded");
  });
});

describe("policy", () => {
  test("demands a note of those who install, upgrade, roll back and switch modules, and can be switched off", async () => {
    expect(await client().setPolicy({ body: { noteRequired: true } })).toMatchObject({ noteRequired: true });
    const { installationId: id, appId, recordId } = shop;
    const asked = [
      () => client().install(wish("unexplained")),
      () => client().upgrade({ params: { id }, body: { release: second } }),
      () => client().rollback({ params: { id: recordId }, body: {} }),
      () => client().switchModules({ params: { id: appId }, body: { on: ["letters"] } }),
    ];
    for (const ask of asked.filter((_, at) => at !== 2))
      await expect(ask()).rejects.toMatchObject({ code: "NOTE_REQUIRED" });
    await expect(client().install(wish("unexplained", { note: " \n" }))).rejects.toMatchObject({
      code: "NOTE_REQUIRED",
    });
    expect((await client().install(wish("unexplained", { dryRun: true }))).plan.steps).not.toEqual([]);
    await client().setPolicy({ body: { noteRequired: false } });
    expect(await client().getPolicy()).toMatchObject({ noteRequired: false, captureBeforeUpgrade: false });
  });

  test("is the enterprise's to change, and takes nothing that it does not know", async () => {
    const body = { noteRequired: false };
    await expect(viewer.client.setPolicy({ body })).rejects.toMatchObject({ code: "API_FORBIDDEN" });
    expect(await viewer.client.getPolicy()).toMatchObject({ snapshotsKept: 10 });
    for (const odd of [{ snapshotsKept: 0 }, { snapshotsKept: 1.5 }, { noteRequired: "yes" }, { more: 1 }])
      await expect(client().setPolicy({ body: odd as object })).rejects.toMatchObject({
        code: "API_INVALID",
      });
  });
});

describe("modules", () => {
  test("are switched with what changes being shown, and recorded as that", async () => {
    const { appId: id } = await installShop(server, first, "switched");
    const change = (body: object) => client().switchModules({ params: { id }, body });
    const preview = await change({ on: ["letters"], dryRun: true });
    expect(preview.changes).toContainEqual(
      expect.objectContaining({ path: "modules.letters.on", after: true }),
    );
    const done = await change({ on: ["letters"] });
    expect(await rolloutEnd(server, done.rolloutId ?? "")).toBe("succeeded");
    const record = await client().getRecord({ params: { id: done.recordId ?? "" } });
    expect(record).toMatchObject({ kind: "modules", state: "succeeded" });
    expect(record.steps).toContainEqual(expect.objectContaining({ text: "start mail 1", state: "done" }));
    await expect(change({ on: ["none"] })).rejects.toMatchObject({ code: "TEMPLATE_ANSWERS_INVALID" });
    await expect(change({ on: ["letters"], off: ["letters"] })).rejects.toMatchObject({
      code: "API_INVALID",
      faults: [{ path: "off" }],
    });
    const params = { id };
    await expect(viewer.client.switchModules({ params, body: { off: ["letters"] } })).rejects.toMatchObject({
      code: "API_FORBIDDEN",
    });
  });
});
