import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  importBundle,
  keyId,
  openBundle,
  parseEnvelope,
  previewBundle,
  renderEnvelope,
  signEnvelope,
  verifyBundle,
  verifyEnvelope,
  verifySignatures,
  writeBundle,
} from "@sampan/bundle";
import { type Digest, digestFromHex, digestHex } from "@sampan/content";
import { type Hold, openHold } from "@sampan/hold";
import { openSiteKey, openWithPassphrase, sealWithPassphrase } from "@sampan/identity";
import { type ImageSource, MemoryEngine, makeImage, memoryDriver, virtualClock } from "@sampan/runtime";
import { openStore, type Store, type StoredApp } from "@sampan/store";
import { onTestFinished } from "vitest";
import { BundleFiles } from "./bundle-files.ts";
import type { Actor, Parts } from "./parts.ts";
import { reconcile } from "./reconcile.ts";
import { StepProgress } from "./step-progress.ts";
import { Life, mortalDriver, mortalHold, mortalStore } from "./test-life.ts";

export const ann: Actor = { userId: "usr_ann", name: "ann" };
export const never = new AbortController().signal;
export const quiet = { signal: never, onProgress: () => undefined };

/** What outlives a server: the folder on disk, the engine, and time. */
export interface Ground {
  readonly folder: string;
  readonly engine: MemoryEngine;
  readonly clock: ReturnType<typeof virtualClock>;
}

/** A site whose server runs. */
export interface TestSite extends Ground {
  readonly parts: Parts;
  readonly files: BundleFiles;
  readonly life: Life;
  readonly teamId: string;
  /** Reconciles every app until nothing is left to do. Throws when it does not come to rest. */
  settle(): Promise<void>;
  app(name: string): Promise<StoredApp>;
  /** Ends the server as a power cut does, and starts another on the same ground. */
  restart(life?: Life): Promise<TestSite>;
}

/** Rounds that any of the tests needs at most; more of them is a loop without end. */
const ROUNDS_MAX = 20;

export async function testSite(options: { readonly architecture?: string } = {}): Promise<TestSite> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-delivery-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const clock = virtualClock();
  const held: { pull?: NonNullable<MemoryEngine["pull"]> } = {};
  const engine = new MemoryEngine({ clock, ...options, pull: async (wish) => await held.pull?.(wish) });
  return await startSite({ folder, engine, clock }, held, new Life());
}

async function startSite(
  ground: Ground,
  held: { pull?: NonNullable<MemoryEngine["pull"]> },
  life: Life,
): Promise<TestSite> {
  const { folder, engine, clock } = ground;
  const hold = await openHold({ folder: join(folder, "hold"), now: clock.now });
  const store = await openStore({
    path: join(folder, "store.sqlite"),
    now: () => new Date(clock.now()),
    newId: () => nextId("row"),
    seal: { seal: (text) => `~${text}`, open: (sealed) => sealed.slice(1) },
  });
  onTestFinished(async () => {
    await store.close();
    await hold.close().catch(() => undefined);
  });
  const images = servedFrom(hold, held);
  const key = await openSiteKey(join(folder, "site.key"));
  const team = await teamOf(store);
  // What the tests do needs no reasons, except where the reasons are what is tested.
  await store.policy.set({ noteRequired: false });
  await mkdir(join(folder, "stick"), { recursive: true });
  const parts: Parts = {
    store: mortalStore(store, life),
    hold: mortalHold(hold, life),
    driver: mortalDriver(memoryDriver({ engine, images }), life),
    ...PURE_PARTS,
    progress: new StepProgress(),
    site: { id: "site_test", signer: key, publicKeyPem: key.publicKeyPem },
    nowMs: clock.now,
    startedMs: clock.now(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  return {
    ...ground,
    parts,
    life,
    teamId: team.id,
    files: new BundleFiles({
      folder: join(folder, "bundles"),
      importFrom: [join(folder, "stick")],
      now: () => new Date(clock.now()).toISOString(),
    }),
    settle: () => settleAll(parts),
    app: (name) => findApp(store, team.id, name),
    async restart(next = new Life()) {
      life.end();
      await store.close();
      await hold.close();
      return await startSite(ground, held, next);
    },
  };
}

/** What is the same at every site, and keeps nothing. */
const PURE_PARTS = {
  bundles: { writeBundle, previewBundle, openBundle, importBundle, verifySignatures, verifyBundle },
  envelopes: { signEnvelope, renderEnvelope, parseEnvelope, verifyEnvelope, keyId },
  passphrases: { openWithPassphrase, sealWithPassphrase },
  newId: nextId,
  randomBytes: (length: number) => new Uint8Array(length).map((_, at) => (at * 37 + 11) % 256),
  sha256: (text: string) => sha256(text),
  sha256Bytes: (bytes: Uint8Array) => sha256(bytes),
  wake: () => undefined,
  productVersion: "0.0.0-test",
  inFlight: 4,
  allows: { privileged: false },
};

async function teamOf(store: Store) {
  return (await store.teams.findByName("shop")) ?? (await store.teams.create({ name: "shop" }));
}

async function findApp(store: Store, teamId: string, name: string): Promise<StoredApp> {
  const app = await store.apps.findByName(teamId, name);
  if (app === undefined) throw new Error(`there is no app ${name}`);
  return app;
}

/** The hold's images as the engine pulls them. */
function servedFrom(hold: Hold, held: { pull?: NonNullable<MemoryEngine["pull"]> }): ImageSource {
  held.pull = async ({ imageId }) => {
    const image = await hold.image(imageId);
    return image && { id: imageId, names: [], os: image.os, architecture: image.architecture };
  };
  return {
    pullReference: async (id) => (await hold.image(id)) && { reference: `site.test/images:${digestHex(id)}` },
  };
}

async function settleAll(parts: Parts): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { items } = await parts.store.apps.list({ kind: "all" }, {}, { limit: 200 });
    const answers: string[] = [];
    for (const { id } of items) answers.push(await reconcile(parts, id, never));
    const open = await parts.store.rollouts.list({ kind: "all" }, { open: true }, { limit: 10 });
    if (open.items.length === 0 && answers.every((answer) => answer === "settled")) return;
  }
  throw new Error(`not settled after ${ROUNDS_MAX} rounds`);
}

let ids = 0;

/** Ids in the order of their making, so that a failure is the same each time. */
function nextId(prefix: string): string {
  return `${prefix}_${String(++ids).padStart(6, "0")}`;
}

function sha256(content: string | Uint8Array): Digest {
  return digestFromHex(createHash("sha256").update(content).digest("hex"));
}

/** Puts an image into the site's engine, as `docker build` would; the same name and text give the same image. */
export function build(site: Ground, name: string, text = name, architecture?: string) {
  const image = makeImage({
    name,
    layers: [[{ name: "etc/what", bytes: Buffer.from(text) }]],
    ...(architecture === undefined ? {} : { architecture }),
  });
  for (const other of site.engine.images.values())
    if (other.names.includes(name)) site.engine.images.set(other.id, { ...other, names: [] });
  site.engine.images.set(image.id, image);
  return image;
}

/** What runs of an app, one line each: `web 1 ready serving`. */
export async function running(site: TestSite, appId: string): Promise<string[]> {
  const seen = await site.parts.driver.observe({ id: appId, images: [] });
  return seen.instances
    .map((one) => `${one.component} ${one.index} ${one.state}${one.serving ? "" : " aside"}`)
    .toSorted();
}
