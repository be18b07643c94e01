import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { contract, type Route } from "@sampan/api";
import { crashing } from "@sampan/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, jobEnd, PASSWORD, rolloutEnd, smallApp, type TestServer, testServer } from "./test-server.ts";

/** Each stands for one way in which a secret comes in; none may ever come out. */
const MARK = {
  env: "MARK-env-1f3a",
  file: "MARK-file-77c2",
  connection: "MARK-connection-90ab",
  parameter: "MARK-parameter-5d5e",
  edited: "MARK-edited-c0de",
  wrong: "MARK-wrong-password",
} as const;

let server: TestServer;
const replies: string[] = [];

beforeAll(async () => {
  server = await testServer();
});

afterAll(() => server.end());

function secretApp(secret: string) {
  const app = smallApp("keeper", {
    env: { API_KEY: { secret }, GIVEN: { parameter: "key" } },
    connection: { TOKEN: { secret: MARK.connection } },
    files: { "/etc/key": { content: MARK.file, secret: true } },
  });
  return { ...app, parameters: { key: { type: "password", title: "Key" } } };
}

/** Keeps everything that the server answers. */
async function ask(method: string, path: string, body?: unknown) {
  const reply = await call(server.url, method, path, { token: server.admin.token, body });
  const text = await reply.text();
  replies.push(`${method} ${path}: ${text}`);
  return JSON.parse(text === "" ? "{}" : text);
}

function expectNoMark(texts: readonly string[]): void {
  for (const mark of Object.values(MARK)) expect(texts.filter((text) => text.includes(mark))).toEqual([]);
}

test("a secret that went in comes out of no route, no event, no log and no file", async () => {
  const { teamId, admin } = server;
  const stream = await admin.client.streamEvents({});
  const parameters = { key: MARK.parameter };
  const made = await ask("POST", "/apps", { teamId, app: secretApp(MARK.env), parameters });
  expect(await rolloutEnd(server, made.rolloutId)).toBe("succeeded");
  const id = made.appId;

  const { text } = await ask("GET", `/apps/${id}/text`);
  const edited = await ask("PUT", `/apps/${id}`, { text, parameters });
  await rolloutEnd(server, edited.rolloutId);
  const { spec } = await server.parts.store.apps.get(id);
  expect(spec.components.web?.env?.API_KEY, "what was shown masked comes back unharmed").toEqual({
    secret: MARK.env,
  });

  const changed = await ask("PUT", `/apps/${id}`, { app: secretApp(MARK.edited), parameters });
  await rolloutEnd(server, changed.rolloutId);
  await ask("POST", `/apps/${id}/publish/report`, { template: {} });
  const publishing = { template: { name: "Keeper" }, version: "1.0", accept: ["all"] };
  const { jobId } = await ask("POST", `/apps/${id}/publish`, publishing);
  await jobEnd(server, jobId);

  server.engine.script({ component: "web" }, crashing());
  const failing = await ask("PUT", `/apps/${id}`, {
    app: { ...secretApp(MARK.env), title: "again" },
    parameters,
  });
  await rolloutEnd(server, failing.rolloutId);
  await ask("POST", "/apps", { teamId, app: { ...secretApp(MARK.env), name: "No name", unknown: 1 } });
  await ask("POST", "/session", { userName: "root", password: MARK.wrong });
  const [record] = (await ask("GET", "/records")).items;
  await ask("POST", `/records/${record.id}/rollback`, { dryRun: true });
  await lookEverywhere({ id, rolloutId: failing.rolloutId, recordId: record.id, jobId });
  await stream.body?.cancel();
  expectNoMark(replies);
  expectNoMark(server.log);
  expect(server.log.join("")).not.toContain(PASSWORD);
  expect(server.log.join("")).not.toContain(admin.token);
});

/** Every route that only reads. */
async function lookEverywhere(of: { readonly [id: string]: string }): Promise<void> {
  const { digest, templateId } = (await ask("GET", `/jobs/${of.jobId}`)).result;
  const known: Record<string, Record<string, string>> = {
    apps: { id: of.id ?? "", component: "web" },
    rollouts: { id: of.rolloutId ?? "" },
    records: { id: of.recordId ?? "" },
    jobs: { id: of.jobId ?? "" },
    templates: { id: templateId },
    releases: { digest, other: digest },
    teams: { id: server.teamId },
  };
  for (const row of Object.values(contract) as Route[]) {
    if (row.method !== "GET" || row.event !== undefined || row.reply === "bytes") continue;
    const values = known[row.path.split("/")[1] ?? ""] ?? {};
    await ask(
      "GET",
      row.path.replace(/:([A-Za-z]+)/g, (_, key: string) => values[key] ?? "none"),
    );
  }
}

test("a secret is in no file of the data folder in clear, but in the release that its publisher accepted", async () => {
  await server.parts.store.backup(join(server.folder, "data", "copy.sqlite"));
  const found: string[] = [];
  for (const entry of await readdir(join(server.folder, "data"), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const [way, mark] of Object.entries(MARK))
      if (bytes.includes(mark)) found.push(`${entry.name} ${way}`);
  }
  expect(found.filter((one) => !/^(sampan|copy)\.sqlite(-wal)? (connection|edited|file)$/.test(one))).toEqual(
    [],
  );
});
