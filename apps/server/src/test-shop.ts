import type { Digest } from "@sampan/content";
import { jobEnd, rolloutEnd, runApp, type TestServer } from "./test-server.ts";

const PROBE = { period: "1s" };

/** A shop with data, a question, and a module that is off unless it is chosen. */
export function shopApp(name: string, version: "1.0" | "1.1", web: object = {}): Record<string, unknown> {
  return {
    apiVersion: "sampan/v1",
    kind: "App",
    name,
    components: {
      db: {
        kind: "stateful",
        image: "bookstall-db:1",
        volumes: { data: { kind: "persistent", path: "/var/lib/db" } },
        ports: { sql: { port: 5432, protocol: "tcp" } },
        probes: { ready: { tcp: { port: 5432 }, ...PROBE } },
      },
      web: {
        kind: "stateless",
        image: `bookstall-web:${version}`,
        needs: ["db"],
        env: { TITLE: { parameter: "title" }, KEY: { parameter: "key" } },
        ports: { http: { port: 8080, protocol: "http" } },
        probes: { ready: { http: { port: 8080 }, ...PROBE } },
        ...web,
      },
      mail: { kind: "stateless", image: "bookstall-mail:1.1", needs: ["db"] },
    },
    parameters: {
      title: { type: "string", default: "Books", maxLength: 20 },
      key: { type: "password", required: true },
    },
    modules: { letters: { components: ["mail"], default: false } },
    acceptance: [{ name: "the front answers", http: { component: "web", port: "http" } }],
  };
}

export const KEY = "a key that nobody may see";

/** Publishes the shop from an app that runs; the second time, as a release of the same template. */
export async function publishShop(
  server: TestServer,
  app: Record<string, unknown>,
  of: { readonly version: string; readonly templateId?: string },
): Promise<{ readonly digest: Digest; readonly templateId: string }> {
  const { client } = server.admin;
  const id = await runApp(server, app, { parameters: { key: KEY } });
  const template = of.templateId === undefined ? { name: "Shop" } : { id: of.templateId };
  const body = { template, version: of.version, scope: "enterprise" as const, accept: ["all"] };
  const { jobId } = await client.publish({ params: { id }, body });
  return (await jobEnd(server, jobId)) as { digest: Digest; templateId: string };
}

export interface Installed {
  readonly appId: string;
  readonly installationId: string;
  readonly recordId: string;
}

/** Installs a release as an app of this name, and waits until it runs. */
export async function installShop(server: TestServer, release: Digest, appName: string): Promise<Installed> {
  const body = { release, teamId: server.teamId, appName, parameters: { key: KEY } };
  const {
    appId = "",
    installationId = "",
    recordId = "",
    rolloutId = "",
  } = await server.admin.client.install({
    body,
  });
  const state = await rolloutEnd(server, rolloutId);
  if (state !== "succeeded") throw new Error(`${appName} was not installed: ${state}`);
  return { appId, installationId, recordId };
}

/** What is in the shop's database: files of its volume. */
export function dataOf(server: TestServer, appId: string): Map<string, string> {
  const files = server.engine.apps.get(appId)?.volumes.get("db/data");
  if (files === undefined) throw new Error(`the app ${appId} has no data`);
  return files;
}
