import {
  type Actor,
  createApp,
  install,
  type PublishWish,
  publish,
  releasesOf,
  updateApp,
} from "@sampan/delivery";
import { isProblem } from "@sampan/problem";
import { type MemoryEngine, makeImage } from "@sampan/runtime";
import { type App, parseAppValue } from "@sampan/template";
import { setUp } from "./handlers/self.ts";
import type { ServerParts } from "./handlers/server-parts.ts";

export const DEV_USER = { userName: "admin", password: "sampan-dev-1" } as const;

const TEAM = "default";
const WORKSHOP = "workshop";
const SHOP = "bookstall";
const TEMPLATE_ID = "bookstall-dev";
const VERSIONS = ["1.0", "1.1"] as const;
type Version = (typeof VERSIONS)[number];

const IMAGES = [
  "bookstall-db:1",
  ...VERSIONS.map((version) => `bookstall-web:${version}`),
  "bookstall-mail:1.1",
];

/** The engine forgets with every start: the images of the seeded apps are put back, each the same. */
export function stockEngine(engine: MemoryEngine): void {
  for (const name of IMAGES) {
    const image = makeImage({ name, layers: [[{ name: "etc/image", bytes: Buffer.from(name) }]] });
    engine.images.set(image.id, image);
  }
}

/**
 * What a developer finds at the first start: an administrator, the app `workshop` as a vendor has it, its template in two versions,
 * and the app `bookstall` installed in the older one, so that an upgrade waits. Each part is made only when it is missing.
 */
export async function seed(parts: ServerParts, signal: AbortSignal): Promise<void> {
  if ((await parts.store.users.count()) === 0)
    await setUp(parts, { ...DEV_USER, enterprise: "Sampan development", teamName: TEAM });
  const team = await parts.store.teams.findByName(TEAM);
  const found = await parts.store.users.findByName(DEV_USER.userName);
  if (team === undefined || found === undefined) return;
  const by: Actor = { userId: found.user.id, name: found.user.name };
  const place: Place = { parts, by, teamId: team.id, signal };
  for (const version of VERSIONS) await publishVersion(place, version);
  if ((await parts.store.apps.findByName(team.id, SHOP)) !== undefined) return;
  const older = (await releasesOf(parts, TEMPLATE_ID)).find((release) => release.version === VERSIONS[0]);
  if (older === undefined) return;
  const wish = { by, release: older.digest, teamId: team.id, appName: SHOP };
  await settled(place, await install(parts, wish, { note: "seeded" }));
}

interface Place {
  readonly parts: ServerParts;
  readonly by: Actor;
  readonly teamId: string;
  readonly signal: AbortSignal;
}

/** Brings the workshop to the version and publishes it; nothing when that was done before. */
async function publishVersion(place: Place, version: Version): Promise<void> {
  const { parts, by, teamId, signal } = place;
  if ((await parts.store.releases.find(TEMPLATE_ID, version)) !== undefined) return;
  const given = { app: workshop(version) };
  const begun = await parts.store.apps.findByName(teamId, WORKSHOP);
  if (begun !== undefined) await settledBefore(place, begun.id);
  const app = begun && (await parts.store.apps.get(begun.id));
  const options = { note: "seeded" };
  const changed =
    app === undefined
      ? await createApp(parts, { by, teamId, given, answers: {} }, options)
      : await updateApp(parts, { by, app, given, answers: {} }, options);
  await settled(place, changed);
  const isFirst = version === VERSIONS[0];
  const wish: PublishWish = {
    appId: changed.appId ?? "",
    by,
    template: isFirst
      ? { name: "Bookstall", summary: "A small shop, for development", tags: ["sample"] }
      : { id: TEMPLATE_ID },
    scope: "enterprise",
    version,
    values: [],
    scaling: {},
    replace: false,
    accept: ["all"],
  };
  await publish(parts, wish, { signal, onProgress: () => undefined, newTemplateId: TEMPLATE_ID });
}

/** Waits for what an earlier start, that was cut off, began. */
async function settledBefore(place: Place, appId: string): Promise<void> {
  const open = await place.parts.store.rollouts.list({ kind: "all" }, { appId, open: true });
  for (const { id } of open.items) await settled(place, { rolloutId: id });
}

/** Waits until the change has ended, well or not. */
async function settled(place: Place, { rolloutId }: { readonly rolloutId?: string }): Promise<void> {
  const { store, sleep } = place.parts;
  while (rolloutId !== undefined) {
    const rollout = await store.rollouts.get(rolloutId).catch((error: unknown) => {
      if (isProblem(error, "STORE_ABSENT")) return undefined;
      throw error;
    });
    if (rollout === undefined || rollout.endedAt !== undefined) return;
    await sleep(100, place.signal);
  }
}

function workshop(version: Version): App {
  const http = { port: 8080, protocol: "http", exposed: true };
  const ready = { http: { port: 8080, path: "/" }, period: "1s" };
  const mail = { kind: "stateless", image: "bookstall-mail:1.1", needs: ["db"] };
  const parsed = parseAppValue({
    apiVersion: "sampan/v1",
    kind: "App",
    name: WORKSHOP,
    title: "Bookstall",
    components: {
      db: {
        kind: "stateful",
        image: "bookstall-db:1",
        volumes: { data: { kind: "persistent", path: "/var/lib/db" } },
        ports: { sql: { port: 5432, protocol: "tcp" } },
        probes: { ready: { tcp: { port: 5432 }, period: "1s" } },
        connection: { DB_PASSWORD: { generate: { length: 24 } } },
      },
      web: {
        kind: "stateless",
        image: `bookstall-web:${version}`,
        needs: ["db"],
        env: { TITLE: "Books", ...(version === "1.0" ? {} : { LANGUAGE: "en" }) },
        ports: { http },
        probes: { ready },
      },
      ...(version === "1.0" ? {} : { mail }),
    },
    acceptance: [{ name: "the front answers", http: { component: "web", port: "http" } }],
  });
  if (parsed.value === undefined)
    throw new Error(`the seeded app is wrong: ${JSON.stringify(parsed.faults)}`);
  return parsed.value;
}
