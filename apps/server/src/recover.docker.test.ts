import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type Client, createClient } from "@sampan/api";
import { expect, onTestFinished, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const ADMIN = { userName: "admin", password: "a long enough password" };
/** `npm test` makes it where it is absent. */
const IMAGE = "debian:bookworm-slim";
const POLL_MS = 100;

/** A server over the real engine, as a process of its own. */
class Server {
  readonly #process: ChildProcess;
  readonly #url: string;
  readonly #cookies: string[] = [];

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.#url = url;
  }

  static async start(dataFolder: string): Promise<Server> {
    const { PATH = "", DOCKER_HOST } = process.env;
    const child = spawn(process.execPath, ["apps/server/src/main.ts"], {
      cwd: ROOT,
      env: {
        PATH,
        HOME: dataFolder,
        SAMPAN_DATA: dataFolder,
        SAMPAN_LISTEN: "127.0.0.1:0",
        SAMPAN_LOG: "error",
        ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }),
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout as Readable });
    const url = await new Promise<string>((resolve, reject) => {
      lines.on("line", (line) => {
        if (line.startsWith('{"listening":')) resolve((JSON.parse(line) as { listening: string }).listening);
        else process.stderr.write(`${line}\n`);
      });
      child.once("close", () => reject(new Error("the server ended before it listened")));
    });
    return new Server(child, url);
  }

  /** `kill -9`: no goodbye. */
  async kill(): Promise<void> {
    const ended = once(this.#process, "close");
    if (this.#process.kill("SIGKILL")) await ended;
  }

  /** Makes the first administrator; gives the first team's id. */
  async setUp(): Promise<string> {
    const { team } = await this.client().setup({ body: { enterprise: "Books", ...ADMIN } });
    await this.client().login({ body: ADMIN });
    return team.id;
  }

  client(): Client {
    return createClient({
      baseUrl: this.#url,
      fetch: async (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set("cookie", this.#cookies.join("; "));
        const response = await fetch(input, { ...init, headers });
        this.#cookies.push(...response.headers.getSetCookie().map((one) => one.split(";")[0] ?? ""));
        return response;
      },
    });
  }

  /** A removed app takes its rollout with it. */
  async succeeded(rolloutId: string | undefined): Promise<void> {
    for (;;) {
      const { state, endedAt, message } = await this.client().getRollout({ params: { id: rolloutId ?? "" } });
      if (state === "succeeded") return;
      if (endedAt !== undefined) throw new Error(`the rollout ended as ${state}: ${message}`);
      await delay(POLL_MS);
    }
  }

  /** Ids of the instances that are ready, by component. */
  async ready(appId: string): Promise<Readonly<Record<string, readonly string[]>>> {
    const { componentsView } = await this.client().getApp({ params: { id: appId } });
    return Object.fromEntries(
      componentsView.map(({ name, instances }) => [
        name,
        instances.flatMap(({ id, state }) => (state === "ready" ? [id] : [])).toSorted(),
      ]),
    );
  }
}

const IDLE = { kind: "stateless", image: IMAGE, command: ["sleep", "86400"], stopGrace: "1s" };
const APP = {
  apiVersion: "sampan/v1",
  kind: "App",
  name: "shop",
  components: {
    db: {
      ...IDLE,
      kind: "stateful",
      connection: { DB_HOST: "db", DB_PASSWORD: { generate: { length: 20 } } },
      files: { "/etc/shop/db.conf": { content: `password = $\{DB_PASSWORD}\n`, expand: true, mode: "0600" } },
    },
    web: {
      ...IDLE,
      needs: ["db"],
      replicas: 2,
      env: { TITLE: "Books for $$5", URL: `db://$\{DB_HOST}` },
      ports: { http: { port: 80, protocol: "http", exposed: false } },
      probes: { ready: { exec: ["test", "-n", "$DB_PASSWORD"], period: "1s" } },
      volumes: { tmp: { path: "/scratch", kind: "memory", size: "1MiB" } },
      resources: { limit: { memory: "64MiB", cpu: 0.5 } },
    },
  },
};

test("a site that lost its database finds what it runs, takes it up again, and goes on with it", async () => {
  const dataFolder = await mkdtemp(join(tmpdir(), "sampan-recover-"));
  let server = await Server.start(dataFolder);
  let appId = "";
  onTestFinished(async () => {
    try {
      const removal = await server.client().removeApp({ params: { id: appId } });
      await server.succeeded(removal.rolloutId).catch(() => undefined);
    } finally {
      await server.kill();
      await rm(dataFolder, { recursive: true, force: true });
    }
  });
  const teamId = await server.setUp();
  const made = await server.client().createApp({ body: { teamId, app: APP } });
  appId = made.appId ?? "";
  await server.succeeded(made.rolloutId);
  const before = await server.ready(appId);
  expect(before).toMatchObject({ db: [expect.any(String)], web: [expect.any(String), expect.any(String)] });

  await server.kill();
  for (const file of await readdir(dataFolder))
    if (file.startsWith("sampan.sqlite")) await rm(join(dataFolder, file));
  server = await Server.start(dataFolder);
  const nextTeam = await server.setUp();

  const { items } = await server.client().recoverApps();
  expect(items).toEqual([{ id: appId, slug: "default-shop", generation: 1, components: ["db", "web"] }]);
  const { remarks } = await server.client().recoverApp({ params: { id: appId }, body: { teamId: nextTeam } });
  expect(remarks.filter((one) => /db|web/.test(one))).toEqual([]);
  expect((await server.client().recoverApps()).items).toEqual([]);
  expect(await server.ready(appId)).toEqual(before);
  const { text } = await server.client().getAppText({ params: { id: appId } });
  expect(text).toContain("DB_PASSWORD:\n        secret:");
  expect(text).not.toContain("password = ");

  const params = { id: appId, component: "web" };
  const scaled = await server.client().scaleComponent({ params, body: { replicas: 3 } });
  expect(scaled.plan.steps.filter(({ kind }) => kind === "instance.create")).toHaveLength(1);
  await server.succeeded(scaled.rolloutId);
  const after = await server.ready(appId);
  expect(after.db).toEqual(before.db);
  expect(after.web).toEqual(expect.arrayContaining([...(before.web ?? [])]));
  expect(after.web).toHaveLength(3);
});
