import { createHash, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { importBundle, openBundle, verifyBundle, verifySignatures, writeBundle } from "@sampan/bundle";
import { type Digest, digestFromHex } from "@sampan/content";
import { BundleFiles, imageTag } from "@sampan/delivery";
import { openHold } from "@sampan/hold";
import { openSealer, openSiteKey } from "@sampan/identity";
import { type Driver, type ImageSource, MemoryEngine, memoryDriver, systemClock } from "@sampan/runtime";
import { findEngine, openDocker } from "@sampan/runtime-docker";
import { openStore } from "@sampan/store";
import type { ServerConfig } from "./config.ts";
import type { ServerParts } from "./handlers/server-parts.ts";
import { openSiteId } from "./site-id.ts";
import { PRODUCT_VERSION } from "./version.ts";

/** With this, publish, export and import stay below 500 MB, whatever the images. */
const PACK_SIZE_BYTES = 8 * 1024 * 1024;

export interface Composed {
  readonly parts: ServerParts;
  /** What the engine shows the registry when it pulls. */
  readonly engineSecret: string;
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
  const hold = await openHold({
    folder: folder("hold"),
    packSizeBytes: PACK_SIZE_BYTES,
  });
  const newId = (prefix: string) => `${prefix}_${randomBytes(10).toString("hex")}`;
  const store = await openStore({
    path: folder("sampan.sqlite"),
    now: () => new Date(),
    newId: () => randomBytes(12).toString("hex"),
    seal,
  });
  const engineSecret = randomBytes(24).toString("base64url");
  let port = config.port;
  let wake: (appId: string) => void = () => undefined;
  const images: ImageSource = {
    pullReference: async (imageId) =>
      (await hold.image(imageId)) === undefined
        ? undefined
        : {
            reference: `127.0.0.1:${port}/images:${imageTag(imageId)}`,
            username: "sampan",
            password: engineSecret,
          },
  };
  const siteId = await openSiteId(folder("site.id"), {
    settings: store.settings,
    newId: () => newId("site"),
  });
  const driver = openDriver(config, images, siteId);
  const parts: ServerParts = {
    store,
    hold,
    driver,
    driverName: driver.kind,
    bundles: { writeBundle, openBundle, importBundle, verifySignatures, verifyBundle },
    site: { id: siteId, signer: siteKey, publicKeyPem: siteKey.publicKeyPem },
    files: new BundleFiles({
      folder: folder("bundles"),
      importFrom: config.importFrom,
      now: () => new Date().toISOString(),
    }),
    get registryHost() {
      return `127.0.0.1:${port}`;
    },
    nowMs: Date.now,
    newId,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    sha256: (text) => sha256(text),
    sha256Bytes: (bytes) => sha256(bytes),
    sleep,
    wake: (appId) => wake(appId),
    productVersion: PRODUCT_VERSION,
    allows: { privileged: config.allowsPrivileged },
  };
  return {
    parts,
    engineSecret,
    listensOn: (actual) => {
      port = actual;
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

function openDriver(config: ServerConfig, images: ImageSource, siteId: string): Driver {
  if (config.isDev)
    return memoryDriver({ engine: new MemoryEngine({ clock: systemClock, pace: "watched" }), images });
  const engine = findEngine(process.env) ?? { kind: "socket" as const, path: "/var/run/docker.sock" };
  const driver = openDocker({ engine, images, site: siteId });
  driver.startProbing();
  return driver;
}

function sha256(content: string | Uint8Array): Digest {
  return digestFromHex(createHash("sha256").update(content).digest("hex"));
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) return stop();
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
