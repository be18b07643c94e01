import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API_PREFIX } from "@sampan/api";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "./config.ts";
import { DEV_USER, seed } from "./dev-seed.ts";
import { type RunningServer, startServer } from "./server.ts";
import { call, logIn } from "./test-server.ts";

const never = new AbortController().signal;

async function devServer(folder: string): Promise<RunningServer> {
  const env = { SAMPAN_DATA: folder, SAMPAN_LISTEN: "127.0.0.1:0", SAMPAN_LOG: "silent" };
  return await startServer(readConfig(env, ["--dev"]));
}

async function appsOf(server: RunningServer) {
  const cookie = await logIn(server.url, DEV_USER.userName, DEV_USER.password);
  const reply = await call(server.url, "GET", "/apps", { cookie });
  const { items } = (await reply.json()) as {
    items: { name: string; health: string; installations: object[] }[];
  };
  return items.map(({ name, health, installations }) => ({ name, health, installations }));
}

const SEEDED = [
  {
    name: "bookstall",
    health: "running",
    installations: [{ version: "1.0", available: { version: "1.1" } }],
  },
  { name: "workshop", health: "running", installations: [] },
];

test("development begins with two apps, one with an upgrade that waits, and finds them again after a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sampan-dev-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const first = await devServer(folder);
  const interrupted = new AbortController();
  const stop = first.parts.store.watch((change) => {
    if (change.noun === "release") interrupted.abort(new Error("stopped in the middle"));
  });
  await expect(seed(first.parts, interrupted.signal)).rejects.toThrow("stopped in the middle");
  stop();
  await seed(first.parts, never);
  expect(await appsOf(first)).toMatchObject(SEEDED);
  await seed(first.parts, never);
  expect(await appsOf(first)).toMatchObject(SEEDED);
  await first.close();

  const next = await devServer(folder);
  const healed = async () => (await next.parts.store.rollouts.list({ kind: "all" }, { open: true })).items;
  await seed(next.parts, never);
  while ((await healed()).length > 0 || (await appsOf(next)).some((app) => app.health !== "running"))
    await new Promise<void>((resolve) => {
      const heard = next.parts.store.watch(() => {
        heard();
        resolve();
      });
    });
  expect(await appsOf(next)).toMatchObject(SEEDED);
  await next.close();
  await expect(fetch(`${next.url}${API_PREFIX}/health`)).rejects.toThrow();
}, 60_000);
