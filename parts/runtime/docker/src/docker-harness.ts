import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { digestFromHex } from "@sampan/content";
import type { ImageSource } from "@sampan/runtime";
import type { ConformanceHarness } from "@sampan/runtime/conformance";
import { EngineClient } from "./engine-client.ts";
import { EngineScope } from "./engine-scope.ts";
import { findEngine } from "./find-engine.ts";
import { type ImageRegistry, openImageRegistry, readSavedImage } from "./image-registry.ts";
import { type DockerDriver, type DockerOptions, openDocker } from "./open-docker.ts";
import { makeRoleImage, removeImage } from "./role-image.ts";

export interface DockerHarness extends ConformanceHarness {
  readonly driver: DockerDriver;
  readonly client: EngineClient;
  readonly scope: EngineScope;
  /** How the driver was opened. */
  readonly options: DockerOptions;
}

/** A driver on this machine's engine, with images of its own; all of it goes at `close`. */
export async function makeDockerHarness(): Promise<DockerHarness> {
  const engine = findEngine(process.env);
  if (engine === undefined) throw new Error("there is no container engine; `npm test` brings one");
  const site = `test-${randomUUID().slice(0, 8)}`;
  const client = new EngineClient(engine);
  const scope = new EngineScope(client, site);
  const registry = await openImageRegistry();
  const source: ImageSource = {
    async pullReference(imageId) {
      const reference = registry.referenceOf(imageId);
      return reference === undefined ? undefined : { reference };
    },
  };
  const options: DockerOptions = { engine, images: source, site };
  const open = (address = engine) => openDocker({ ...options, engine: address });
  const driver = open();
  driver.startProbing();
  const images = await makeImages(driver, client, { site, registry });
  return {
    driver,
    client,
    scope,
    options,
    images,
    reopen: async () => open(),
    unreachable: async () => open({ kind: "socket", path: `/run/${site}.sock` }),
    freePort,
    takePort,
    sleep: (ms) => delay(ms),
    remains: (appId) => remains(scope, appId),
    async removeVolumes(appId) {
      for (const { Name } of await scope.volumes(appId))
        await client.call({ method: "DELETE", path: `/volumes/${Name}`, what: `remove volume ${Name}` });
    },
    async close() {
      await driver.close();
      const pulled = registry.referenceOf(images.pullable.id) ?? "";
      for (const reference of [images.role.name, images.other.name, pulled])
        await removeImage(client, reference);
      await registry.close();
      await client.close();
    },
  };
}

async function makeImages(
  driver: DockerDriver,
  client: EngineClient,
  { site, registry }: { readonly site: string; readonly registry: ImageRegistry },
): Promise<ConformanceHarness["images"]> {
  const make = (name: string) => makeRoleImage(client, { name: `sampan-${site}:${name}`, mark: name });
  const [role, other, third] = [await make("role"), await make("other"), await make("third")];
  const pieces: Uint8Array[] = [];
  for await (const piece of driver.saveImages([third.id])) pieces.push(piece);
  await removeImage(client, third.name);
  const taken = readSavedImage(Buffer.concat(pieces));
  const config = JSON.parse(Buffer.from(taken.config).toString()) as object;
  const elsewhere = driver.capabilities().then((told) => (told.architecture === "arm64" ? "amd64" : "arm64"));
  const foreign = Buffer.from(JSON.stringify({ ...config, architecture: await elsewhere }));
  return {
    role,
    other,
    pullable: { id: registry.add(taken), name: third.name },
    foreign: { id: registry.add({ ...taken, config: foreign }), name: `sampan-${site}:foreign` },
    absent: { id: digestFromHex("0".repeat(64)), name: `sampan-${site}:nobody` },
  };
}

async function remains(scope: EngineScope, appId: string): Promise<readonly string[]> {
  const [containers, networks, volumes, carriers, volumeCarriers] = await Promise.all([
    scope.containers(appId),
    scope.networks(appId),
    scope.volumes(appId),
    scope.carriers(appId),
    scope.volumeCarriers(appId),
  ]);
  return [
    ...containers.map(({ Names }) => `container ${Names?.[0]}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.map(({ Name }) => `volume ${Name}`),
    ...[...carriers, ...volumeCarriers.map(({ Id }) => Id)].map((id) => `carrier ${id}`),
  ];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function takePort(port: number): Promise<() => Promise<void>> {
  const server = createServer().listen(port, "0.0.0.0");
  await once(server, "listening");
  return async () => {
    server.close();
    await once(server, "close");
  };
}
