import type { Digest } from "@sampan/content";
import { type App, parseAppValue, type Release, releaseOf, releaseText } from "@sampan/template";
import { createApp } from "./apps.ts";
import { publish } from "./publish.ts";
import { ann, build, quiet, type TestSite } from "./test-site.ts";

/** A shop of two components: a stateful database and two replicas of a web front that needs it. 3.0 adds a worker and an env key. */
export function shop(version: "2.9" | "3.0" = "2.9", change: Partial<App> = {}): App {
  const worker = {
    kind: "stateless",
    image: "worker:3.0",
    needs: ["db"],
    ports: { http: { port: 81, protocol: "http" } },
  };
  const parsed = parseAppValue({
    apiVersion: "sampan/v1",
    kind: "App",
    name: "shop",
    components: {
      db: {
        kind: "stateful",
        image: "db:1",
        volumes: { data: { path: "/data", kind: "persistent" } },
        ports: { sql: { port: 3306, protocol: "tcp" } },
        probes: { ready: { tcp: { port: 3306 }, period: "1s" } },
        connection: { DB_PASSWORD: { generate: { length: 16 } } },
      },
      web: {
        kind: "stateless",
        image: `web:${version}`,
        needs: ["db"],
        replicas: 2,
        env: { TITLE: "Books", ...(version === "3.0" ? { LANG: "en" } : {}) },
        ports: { http: { port: 80, protocol: "http" } },
        probes: { ready: { tcp: { port: 80 }, period: "1s" } },
        startWithin: "10s",
      },
      ...(version === "3.0" ? { worker } : {}),
    },
    acceptance: [{ name: "the front answers", http: { component: "web", port: "http" }, within: "5s" }],
    ...change,
  });
  if (parsed.value === undefined) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

export function buildAll(site: TestSite): void {
  for (const name of ["db:1", "web:2.9", "web:3.0", "worker:3.0"]) build(site, name);
}

/** The app runs, from its text. */
export async function runShop(site: TestSite, app: App = shop()): Promise<string> {
  buildAll(site);
  const { appId } = await createApp(
    site.parts,
    { by: ann, teamId: site.teamId, given: { app }, answers: {} },
    {},
  );
  await site.settle();
  return appId ?? "";
}

/** Publishes the app as it runs. */
export async function publishShop(site: TestSite, appName: string, version: string, templateId?: string) {
  const { id } = await site.app(appName);
  return await publish(
    site.parts,
    {
      appId: id,
      by: ann,
      template: templateId === undefined ? { name: "Shop" } : { id: templateId },
      scope: "team",
      version,
      values: [],
      scaling: {},
      replace: false,
      accept: ["all"],
    },
    { ...quiet, newTemplateId: "shop-template" },
  );
}

/** Puts a release straight into the library, its images in the engine: what the tests of installing begin with. */
export async function shelve(
  site: TestSite,
  version: "2.9" | "3.0",
  change: Partial<App> = {},
): Promise<Digest> {
  buildAll(site);
  const app = shop(version, change);
  const withIds: App = {
    ...app,
    components: Object.fromEntries(
      Object.entries(app.components).map(([name, component]) => [name, { ...component, id: `cmp-${name}` }]),
    ),
  };
  const components = Object.fromEntries(
    Object.entries(app.components).map(([name, { image }]) => {
      const found = [...site.engine.images.values()].find((one) => one.names.includes(String(image)));
      if (found === undefined) throw new Error(`no image ${String(image)}`);
      return [name, { id: found.id, name: String(image), os: found.os, architecture: found.architecture }];
    }),
  );
  const template = { id: "shop-template", name: "Shop" };
  const { value, faults } = releaseOf(withIds, { template, version, images: { components } });
  if (value === undefined) throw new Error(JSON.stringify(faults));
  return await keep(site, value);
}

async function keep(site: TestSite, release: Release): Promise<Digest> {
  const document = releaseText(release);
  const digest = site.parts.sha256(document);
  const { id, name } = release.template;
  await site.parts.store.transaction(async (nouns) => {
    await nouns.templates.put({
      id,
      name,
      scope: "team",
      teamId: site.teamId,
      tags: [],
      origin: "published",
    });
    await nouns.releases.put({
      digest,
      templateId: id,
      version: release.version,
      document,
      publishedAt: new Date(site.clock.now()).toISOString(),
    });
  });
  return digest;
}
