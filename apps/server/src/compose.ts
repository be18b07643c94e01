import { createHash, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
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
import { type Digest, digestFromHex } from "@sampan/content";
import { BundleFiles, imageTag, StepProgress } from "@sampan/delivery";
import { type Hold, openHold } from "@sampan/hold";
import { openSealer, openSiteKey, openWithPassphrase, sealWithPassphrase } from "@sampan/identity";
import { type Driver, type ImageSource, MemoryEngine, memoryDriver, systemClock } from "@sampan/runtime";
import { findEngine, openDocker } from "@sampan/runtime-docker";
import { openStore } from "@sampan/store";
import type { ServerConfig } from "./config.ts";
import { stockEngine } from "./dev-seed.ts";
import type { ServerParts } from "./handlers/server-parts.ts";
import { openSiteId } from "./site-id.ts";
import { PRODUCT_VERSION } from "./version.ts";

/** With this, publish, export and import stay below 500 MB, whatever the images. */
const PACK_SIZE_BYTES = 8 * 1024 * 1024;

export interface Composed {
  readonly parts: ServerParts;
  /** What the engine shows the registry when it pulls. */
  readonly engineSecret: string;
  /** In development: the engine that is not there. */
  readonly engine?: MemoryEngine;
  /** The port is known only once the server listens. */
  listensOn(port: number): void;
  /** Calls of `wake` go there. */
  onWake(wake: (appId: string) => void): void;
  close(): Promise<void>;
}

/** Opens every part once. This is the only place that names a concrete driver. */
export async function compose(config: ServerConfig): Promise<Composed> {
  const folder = (name: string) => join(config.dataFolder, name);
  await mkdir(config.dataFolder, { recursive: true, mode: 0o700 });
  const seal = await openSealer(folder("master.key"));
  const siteKey = await openSiteKey(folder("site.key"));
  const hold = await openHold({ folder: folder("hold"), packSizeBytes: PACK_SIZE_BYTES });
  const newId = (prefix: string) => `${prefix}_${randomBytes(10).toString("hex")}`;
  const store = await openStore({
    path: folder("sampan.sqlite"),
    now: () => new Date(),
    newId: () => randomBytes(12).toString("hex"),
    seal,
  });
  const engineSecret = randomBytes(24).toString("base64url");
  const address = { port: config.port };
  let wake: (appId: string) => void = () => undefined;
  const images = imagesOf(hold, address, engineSecret);
  const siteId = await openSiteId(folder("site.id"), {
    settings: store.settings,
    newId: () => newId("site"),
  });
  const { driver, engine } = openDriver(config, images, siteId);
  const parts: ServerParts = {
    store,
    hold,
    driver,
    driverName: driver.kind,
    ...WITHOUT_STATE,
    progress: new StepProgress(),
    site: { id: siteId, signer: siteKey, publicKeyPem: siteKey.publicKeyPem },
    files: openFiles(folder("bundles"), config),
    get registryHost() {
      return `127.0.0.1:${address.port}`;
    },
    ...machine(),
    newId,
    wake: (appId) => wake(appId),
    productVersion: PRODUCT_VERSION,
    inFlight: config.inFlight,
    allows: { privileged: config.allowsPrivileged },
  };
  return {
    parts,
    engineSecret,
    ...(engine === undefined ? {} : { engine }),
    listensOn: (actual) => {
      address.port = actual;
    },
    onWake: (next) => {
      wake = next;
    },
    async close() {
      await driver.close();
      await store.close();
      await hold.close();
    },
  };
}

function openFiles(folder: string, { importFrom }: ServerConfig): BundleFiles {
  return new BundleFiles({ folder, importFrom, now: () => new Date().toISOString() });
}

/** What rooms do that remember nothing. */
const WITHOUT_STATE = {
  bundles: { writeBundle, previewBundle, openBundle, importBundle, verifySignatures, verifyBundle },
  envelopes: { signEnvelope, renderEnvelope, parseEnvelope, verifyEnvelope, keyId },
  passphrases: { sealWithPassphrase, openWithPassphrase },
};

/** Engines take plain HTTP from a registry on loopback only, whatever else the server listens on. */
function imagesOf(hold: Hold, address: { readonly port: number }, engineSecret: string): ImageSource {
  return {
    pullReference: async (imageId) =>
      (await hold.image(imageId)) === undefined
        ? undefined
        : {
            reference: `127.0.0.1:${address.port}/images:${imageTag(imageId)}`,
            username: "sampan",
            password: engineSecret,
          },
  };
}

function openDriver(
  config: ServerConfig,
  images: ImageSource,
  siteId: string,
): { readonly driver: Driver; readonly engine?: MemoryEngine } {
  if (config.isDev) {
    const engine = new MemoryEngine({ clock: systemClock, pace: "watched" });
    stockEngine(engine);
    return { driver: memoryDriver({ engine, images }), engine };
  }
  const engine = findEngine(process.env) ?? { kind: "socket" as const, path: "/var/run/docker.sock" };
  const driver = openDocker({ engine, images, site: siteId });
  driver.startProbing();
  return { driver };
}

/** Time, chance and digests, as the machine has them. */
function machine() {
  return {
    nowMs: Date.now,
    startedMs: Date.now(),
    randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
    sha256: (text: string) => sha256(text),
    sha256Bytes: (bytes: Uint8Array) => sha256(bytes),
    sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms, signal),
  };
}

function sha256(content: string | Uint8Array): Digest {
  return digestFromHex(createHash("sha256").update(content).digest("hex"));
}
