import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API_PREFIX, type Client, createClient } from "@sampan/api";
import type { MemoryEngine } from "@sampan/runtime";
import { readConfig } from "./config.ts";
import { type RunningServer, startServer } from "./server.ts";

export const PASSWORD = "a long enough password";
const IMAGE = "bookstall-web:1.0";

/** A server in this process, over the memory driver, in a folder of its own. */
export interface TestServer extends RunningServer {
  readonly folder: string;
  readonly engine: MemoryEngine;
  /** Every line that was logged. */
  readonly log: string[];
  readonly admin: Person;
  readonly teamId: string;
  /** Makes a user, of a team with a role where that is given. */
  person(name: string, role?: "viewer" | "developer" | "administrator", teamId?: string): Promise<Person>;
  end(): Promise<void>;
}

export interface Person {
  readonly name: string;
  readonly id: string;
  readonly token: string;
  readonly client: Client;
}

export async function testServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-server-"));
  await mkdir(join(folder, "stick"));
  const env = { SAMPAN_DATA: join(folder, "data"), SAMPAN_LISTEN: "127.0.0.1:0" };
  const config = readConfig({ ...env, SAMPAN_IMPORT_FROM: join(folder, "stick") }, ["--dev"]);
  const log: string[] = [];
  const server = await startServer(config, { log: { write: (line) => void log.push(line) } });
  const { engine } = server;
  if (engine === undefined) throw new Error("a server in development has an engine");
  const anonymous = createClient({ baseUrl: server.url, fetch });
  const setup = { enterprise: "Test", userName: "root", password: PASSWORD, teamName: "shop" };
  const { team, user } = await anonymous.setup({ body: setup });
  // What the tests do needs no reasons, except where the reasons are what is tested.
  await server.parts.store.policy.set({ noteRequired: false });
  const admin = await tokenOf(server.url, { id: user.id, name: "root" });
  return {
    ...server,
    engine,
    folder,
    log,
    admin,
    teamId: team.id,
    async person(name, role, teamId = team.id) {
      const made = await admin.client.createUser({ body: { userName: name, password: PASSWORD } });
      if (role !== undefined)
        await admin.client.setMember({ params: { id: teamId, userName: name }, body: { role } });
      return await tokenOf(server.url, { id: made.id, name });
    },
    async end() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function tokenOf(url: string, user: { readonly id: string; readonly name: string }): Promise<Person> {
  const cookie = await logIn(url, user.name);
  const reply = await call(url, "POST", "/me/tokens", { cookie, body: { name: "test" } });
  const { secret: token } = (await reply.json()) as { secret: string };
  return { ...user, token, client: createClient({ baseUrl: url, fetch, token }) };
}

/** The cookie of a new session. */
export async function logIn(url: string, userName: string, password = PASSWORD): Promise<string> {
  const reply = await call(url, "POST", "/session", { body: { userName, password } });
  const [cookie] = reply.headers.getSetCookie();
  if (cookie === undefined) throw new Error(`no session: ${await reply.text()}`);
  return cookie.split(";")[0] ?? "";
}

export interface Given {
  readonly token?: string | undefined;
  readonly cookie?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One request to the API. Bytes go as they are, all else as JSON. */
export async function call(url: string, method: string, path: string, given: Given = {}): Promise<Response> {
  const { token, cookie, body, signal } = given;
  const isBytes = body instanceof Uint8Array;
  return await fetch(`${url}${path.startsWith("/v2") ? "" : API_PREFIX}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined
        ? {}
        : { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
      ...given.headers,
    },
    ...(body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** An app of one component, of an image that every development engine has. */
export function smallApp(name: string, component: object = {}): Record<string, unknown> {
  const web = {
    kind: "stateless",
    image: IMAGE,
    ports: { http: { port: 8080, protocol: "http" } },
    probes: { ready: { http: { port: 8080 }, period: "1s" } },
    ...component,
  };
  return { apiVersion: "sampan/v1", kind: "App", name, components: { web } };
}

/** The app's id, once its rollout has ended. */
export async function runApp(
  server: TestServer,
  app: Record<string, unknown>,
  more: object = {},
): Promise<string> {
  const body = { teamId: server.teamId, app, ...more };
  const { appId = "", rolloutId = "" } = await server.admin.client.createApp({ body });
  await rolloutEnd(server, rolloutId);
  return appId;
}

/** Waits for the end of a rollout by listening to the store; gives its state. */
export async function rolloutEnd({ parts }: RunningServer, id: string): Promise<string> {
  return await heard(parts.store, async () => {
    const { state, endedAt } = await parts.store.rollouts.get(id);
    return endedAt === undefined ? undefined : state;
  });
}

/** Waits for the end of a job; gives its result, or throws its problem. */
export async function jobEnd({ parts }: RunningServer, id: string): Promise<unknown> {
  return await heard(parts.store, async () => {
    const job = await parts.store.jobs.get(id);
    if (job.problem !== undefined) throw new Error(`${job.problem.code}: ${job.problem.title}`);
    return job.state === "succeeded" ? (job.result ?? {}) : undefined;
  });
}

/** Asks again with every change, until there is an answer. */
async function heard<T>(
  store: RunningServer["parts"]["store"],
  ask: () => Promise<T | undefined>,
): Promise<T> {
  for (;;) {
    let wake = (): void => undefined;
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const stop = store.watch(() => wake());
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await changed;
    } finally {
      stop();
    }
  }
}
