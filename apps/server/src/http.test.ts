import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { readEvents } from "@sampan/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  call,
  logIn,
  PASSWORD,
  type Person,
  rolloutEnd,
  runApp,
  smallApp,
  type TestServer,
  testServer,
} from "./test-server.ts";

let server: TestServer;
let developer: Person;

beforeAll(async () => {
  server = await testServer();
  developer = await server.person("dora", "developer");
});

afterAll(() => server.end());

async function problemOf(reply: Response) {
  expect(reply.headers.get("content-type")).toContain("application/problem+json");
  return (await reply.json()) as { code: string; status: number; faults?: { path: string }[]; title: string };
}

const ask = (method: string, path: string, given: Parameters<typeof call>[3] = {}) =>
  call(server.url, method, path, given);

test("a problem is answered with its type, title, status and code", async () => {
  const reply = await ask("GET", "/apps/none", { token: server.admin.token });
  expect(reply.status).toBe(404);
  expect(await problemOf(reply)).toMatchObject({
    type: "urn:sampan:problem:STORE_ABSENT",
    title: expect.any(String),
    status: 404,
    code: "STORE_ABSENT",
  });
});

test("every fault of a request is named with its path", async () => {
  const body = { userName: "X", password: "short", displayName: 7, enterpriseAdministrator: "yes" };
  const problem = await problemOf(await ask("POST", "/users", { token: server.admin.token, body }));
  expect(problem.code).toBe("API_INVALID");
  expect(problem.faults?.map((fault) => fault.path).toSorted()).toEqual([
    "displayName",
    "enterpriseAdministrator",
    "password",
    "userName",
  ]);
});

test("every fault of an app is named, twenty of them as well as one", async () => {
  const components = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`c${at}`, { kind: "stateless", image: "x:1", replicas: -1 }]),
  );
  const body = {
    teamId: server.teamId,
    app: { apiVersion: "sampan/v1", kind: "App", name: "bad", components },
  };
  const problem = await problemOf(await ask("POST", "/apps", { token: server.admin.token, body }));
  expect(problem).toMatchObject({ code: "TEMPLATE_INVALID" });
  expect(problem.faults).toHaveLength(20);
});

const broken: readonly (readonly [string, string, string, Record<string, string>])[] = [
  ["no JSON", "{not", "API_INVALID", {}],
  ["an array", "[]", "API_INVALID", {}],
  ["a poisoned prototype", '{"__proto__":{"a":1},"name":"x"}', "API_INVALID", {}],
  ["another type", "<a/>", "API_INVALID", { "content-type": "application/xml" }],
  ["plain text", "name=x", "API_INVALID", { "content-type": "text/plain" }],
  ["nine megabytes", `"${"x".repeat(9 << 20)}"`, "API_TOO_LARGE", {}],
];

test.for(broken)("a body that is %s is refused", async ([, text, code, headers]) => {
  const reply = await fetch(`${server.url}/api/v1/me/tokens`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.admin.token}`,
      "content-type": "application/json",
      ...headers,
    },
    body: text,
  });
  expect(await problemOf(reply)).toMatchObject({ code });
});

test.for([
  "/api/v1/apps/%zz",
  "/api/v1/apps/%00",
  `/api/v1/apps/${"x".repeat(300)}`,
  "/api/v1/../../etc/passwd",
])("the address %s is answered with a problem", async (address) => {
  const text = await rawGet(address, `authorization: Bearer ${server.admin.token}\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 (400|404|414) /);
  expect(text).toContain("application/problem+json");
});

/** A request whose address no client would send. */
async function rawGet(address: string, headers = ""): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${address} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n${headers}\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test("nobody unknown makes the server read a body", async () => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const head = "content-type: application/json\r\ncontent-length: 1000000000\r\n";
  socket.write(`PATCH /api/v1/bundles/x/content?offset=0 HTTP/1.1\r\nhost: x\r\n${head}\r\n{`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/^HTTP\/1\.1 401 /);
  expect(text.toLowerCase()).toContain("connection: close");
});

test("bytes that are sent as JSON are not gathered in memory", async () => {
  const { token } = developer;
  const reply = await ask("PATCH", "/bundles/x/content?offset=0", { token, body: { a: 1 } });
  expect(await problemOf(reply)).toMatchObject({ code: "API_INVALID" });
});

test("a cookie does not serve another site's page; a token, and one's own page, do", async () => {
  const cookie = await logIn(server.url, "dora");
  const own = new URL(server.url).origin;
  const post = (given: Parameters<typeof call>[3]) =>
    ask("POST", "/me/tokens", { ...given, body: { name: "x" } });
  for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1", "not a url"]) {
    const refused = await post({ cookie, headers: { origin } });
    expect(await problemOf(refused), origin).toMatchObject({ code: "API_CROSS_ORIGIN", status: 403 });
  }
  expect((await post({ cookie, headers: { origin: own } })).status).toBe(201);
  expect((await post({ token: developer.token, headers: { origin: "https://evil.example" } })).status).toBe(
    201,
  );
  expect((await ask("GET", "/me", { cookie, headers: { origin: "https://evil.example" } })).status).toBe(200);
});

test("a session's cookie is for this host alone, and out of reach of scripts", async () => {
  const reply = await ask("POST", "/session", { body: { userName: "dora", password: PASSWORD } });
  expect(reply.headers.get("set-cookie")).toMatch(/HttpOnly.*SameSite=Strict/);
  expect(reply.headers.get("set-cookie")).not.toMatch(/Domain/i);
});

test("logging out ends the session", async () => {
  const cookie = await logIn(server.url, "dora");
  expect((await ask("GET", "/me", { cookie })).status).toBe(200);
  expect((await ask("DELETE", "/session", { cookie })).status).toBe(204);
  expect((await ask("GET", "/me", { cookie })).status).toBe(401);
});

test("a new password ends the other sessions and the tokens, and this session goes on", async () => {
  const eve = await server.person("eve", "viewer");
  const [here, there] = [await logIn(server.url, "eve"), await logIn(server.url, "eve")];
  const body = { current: PASSWORD, next: "another long password" };
  const wrong = await ask("PUT", "/me/password", { cookie: here, body: { ...body, current: "no" } });
  expect(await problemOf(wrong)).toMatchObject({ code: "API_LOGIN_REFUSED" });
  const changed = await ask("PUT", "/me/password", { cookie: here, body });
  expect(changed.status).toBe(204);
  const cookie = changed.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  expect((await ask("GET", "/me", { cookie })).status).toBe(200);
  for (const old of [{ cookie: here }, { cookie: there }, { token: eve.token }])
    expect((await ask("GET", "/me", old)).status).toBe(401);
});

test("the tokens and sessions of a disabled user are dead", async () => {
  const max = await server.person("max", "developer");
  const cookie = await logIn(server.url, "max");
  await server.admin.client.updateUser({ params: { id: max.id }, body: { disabled: true } });
  expect((await ask("GET", "/me", { token: max.token })).status).toBe(401);
  expect((await ask("GET", "/me", { cookie })).status).toBe(401);
  const body = { userName: "max", password: PASSWORD };
  expect(await problemOf(await ask("POST", "/session", { body }))).toMatchObject({
    code: "API_LOGIN_REFUSED",
  });
});

test("guessing a password is slowed down, and tells nothing of who exists", async () => {
  await server.person("victim", "viewer");
  const codes: string[] = [];
  const titles = new Set<string>();
  for (const userName of ["victim", "nobody-at-all"])
    for (let guess = 0; guess < 7; guess++) {
      const problem = await problemOf(
        await ask("POST", "/session", { body: { userName, password: "guess" } }),
      );
      codes.push(problem.code);
      if (problem.code === "API_LOGIN_REFUSED") titles.add(problem.title);
    }
  expect(codes.filter((code) => code === "API_SLOW_DOWN").length).toBeGreaterThan(2);
  expect(titles.size).toBe(1);
});

test("events of a team reach its members as they happen, and nobody else", async () => {
  const outsider = await server.person("outsider");
  const stop = new AbortController();
  const [inside, outside] = await Promise.all(
    [developer, outsider].map((person) => person.client.streamEvents({}, { signal: stop.signal })),
  );
  const heardOutside: unknown[] = [];
  const listening = (async () => {
    for await (const event of readEvents(outside!)) heardOutside.push(event);
  })().catch(() => undefined);
  const appId = await runApp(server, smallApp("events"));
  const nouns = new Set<string>();
  for await (const event of readEvents(inside!)) {
    const { noun, appId: of } = event as { noun: string; appId?: string };
    if (of === appId) nouns.add(noun);
    if (nouns.has("rollout") && nouns.has("record") && nouns.has("app")) break;
  }
  stop.abort();
  await listening;
  expect(JSON.stringify(heardOutside)).not.toContain(appId);
});

test("a stream of events ends when the rights of whoever listens change", async () => {
  const pat = await server.person("pat", "viewer");
  const stream = await pat.client.streamEvents({});
  const ended = (async () => {
    let events = 0;
    for await (const _ of readEvents(stream)) events++;
    return events;
  })();
  await server.admin.client.removeMember({ params: { id: server.teamId, userName: "pat" } });
  await expect(ended).resolves.toBeTypeOf("number");
});

test("log lines of a component are streamed, and followed until the client goes", async () => {
  const id = await runApp(server, smallApp("logs"));
  const params = { id, component: "web" };
  const all = await developer.client.getComponentLogs({ params, query: { tail: 10 } });
  const lines: unknown[] = [];
  for await (const line of readEvents(all)) lines.push(line);
  expect(lines).toMatchObject([{ component: "web", index: 1, text: "web 1 started" }]);
  const stop = new AbortController();
  const followed = await developer.client.getComponentLogs(
    { params, query: { follow: "true" } },
    { signal: stop.signal },
  );
  for await (const line of readEvents(followed)) {
    expect(line).toMatchObject({ text: "web 1 started" });
    break;
  }
  stop.abort();
});

test("an upload arrives in parts over the API, and is downloaded by ranges", async () => {
  const { client, token } = developer;
  const { id } = await client.startUpload({ body: { name: "离线包 1.sampan", sizeBytes: 10 } });
  const part = (offset: number, text: string) =>
    client.appendUpload({ params: { id }, query: { offset }, body: Buffer.from(text) });
  expect(await part(0, "0123")).toMatchObject({ receivedBytes: 4, state: "uploading" });
  await expect(part(2, "23")).rejects.toMatchObject({ code: "UPLOAD_OUT_OF_STEP" });
  await expect(part(4, "456789X")).rejects.toMatchObject({ code: "UPLOAD_OUT_OF_STEP" });
  expect(await part((await client.getBundle({ params: { id } })).receivedBytes, "456789")).toMatchObject({
    state: "whole",
  });
  const ranges: readonly (readonly [string | undefined, number, string])[] = [
    [undefined, 200, "0123456789"],
    ["bytes=2-4", 206, "234"],
    ["bytes=7-", 206, "789"],
    ["bytes=-3", 206, "789"],
    ["bytes=8-99", 206, "89"],
    ["bytes=10-", 416, ""],
    ["bytes=0-1,4-5", 200, "0123456789"],
    ["lines=1", 200, "0123456789"],
  ];
  for (const [range, status, text] of ranges) {
    const headers = range === undefined ? {} : { range };
    const reply = await ask("GET", `/bundles/${id}/content`, { token, headers });
    expect([reply.status, await reply.text()], range).toEqual([status, text]);
    expect(reply.headers.get("content-disposition")).toContain("attachment");
  }
});

test("only what lies in the allowed directories is imported or inspected", async () => {
  const inside = join(server.folder, "stick", "none.sampan");
  await writeFile(inside, "no bundle");
  const outside = ["/etc/passwd", join(server.folder, "stick", "..", "data", "sampan.sqlite"), "../x"];
  for (const path of outside) {
    const inspected = server.admin.client.inspectBundle({ body: { path } });
    await expect(inspected, path).rejects.toMatchObject({ code: "BUNDLE_FILE_ABSENT" });
    const imported = server.admin.client.importBundle({ body: { source: { path } } });
    await expect(imported, path).rejects.toMatchObject({ code: "BUNDLE_FILE_ABSENT" });
  }
  await expect(server.admin.client.inspectBundle({ body: { path: inside } })).rejects.toMatchObject({
    code: expect.stringMatching(/^BUNDLE_/),
  });
});

test("the registry wants credentials, takes no cookie, and shows the hold to nobody but the engine", async () => {
  const cookie = await logIn(server.url, "root");
  const basic = (token: string) => ({ authorization: `Basic ${btoa(`x:${token}`)}` });
  const status = async (path: string, given: Parameters<typeof call>[3]) =>
    (await ask("GET", path, given)).status;
  expect(await status("/v2/", {})).toBe(401);
  expect(await status("/v2/", { cookie })).toBe(401);
  expect(await status("/v2/", { headers: basic("wrong") })).toBe(401);
  expect(await status("/v2/", { headers: basic(developer.token) })).toBe(200);
  const image = `/v2/images/manifests/${"0".repeat(64)}`;
  expect(await status(image, {})).toBe(401);
  expect(await status(image, { headers: basic(developer.token) })).toBe(403);
  const push = await ask("POST", "/v2/images/blobs/uploads/", { headers: basic(server.admin.token) });
  expect(push.status).toBeGreaterThanOrEqual(400);
});

test("of two who edit one app at once, the second is told to look again", async () => {
  const id = await runApp(server, smallApp("edited"));
  const { generation } = await developer.client.getApp({ params: { id } });
  const edit = (replicas: number) => ({
    params: { id },
    body: { app: smallApp("edited", { replicas }), base: generation },
  });
  const { rolloutId = "" } = await developer.client.updateApp(edit(2));
  expect(await rolloutEnd(server, rolloutId)).toBe("succeeded");
  await expect(server.admin.client.updateApp(edit(3))).rejects.toMatchObject({ code: "APP_MOVED" });
});

test("the page at the root asks nothing of other hosts, and may not", async () => {
  const reply = await fetch(`${server.url}/`);
  expect(reply.headers.get("content-security-policy")).toContain("default-src 'none'");
  const page = await reply.text();
  expect(page).toContain("/api/v1/openapi.json");
  expect(page).not.toMatch(/https?:\/\//);
});

test("each request leaves a line of what it was, and nothing of what it held", async () => {
  const from = server.log.length;
  await ask("GET", "/apps?search=hidden-in-the-query", { token: developer.token });
  await ask("GET", "/apps/hidden-in-the-path", { token: developer.token });
  const fresh = server.log.slice(from);
  const lines = fresh.map((line) => JSON.parse(line)).filter((line) => line.msg === "request");
  expect(lines).toMatchObject([
    { method: "GET", route: "/api/v1/apps", status: 200, user: "dora", ms: expect.any(Number) },
    { method: "GET", route: "/api/v1/apps/:id", status: 404, user: "dora" },
  ]);
  expect(fresh.join("")).not.toMatch(/hidden-in|Bearer/);
  expect(fresh.join("")).not.toContain(developer.token);
});

test("audit shows what went wrong when that is asked", async () => {
  const { items } = await server.admin.client.listAudit({ query: { failed: "true", limit: 200 } });
  expect(items.length).toBeGreaterThan(0);
  expect(items.filter((event) => event.outcome === "done")).toEqual([]);
});

test("no request of these made the server break an invariant", () => {
  expect(server.log.filter((line) => line.includes('"msg":"bug"'))).toEqual([]);
});
