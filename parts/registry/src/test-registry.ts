import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, MEDIA_TYPE } from "@sampan/content";
import Fastify from "fastify";
import { expect, onTestFinished } from "vitest";
import { digestOf, MemoryContentStore } from "./memory-content-store.ts";
import { type RegistryOptions, registryRoutes } from "./registry-routes.ts";

export interface TestRegistry {
  readonly store: MemoryContentStore;
  readonly uploadsFolder: string;
  /** host:port */
  readonly host: string;
  call(method: string, path: string, init?: RequestInit & { duplex?: "half" }): Promise<Response>;
}

/** A registry over memory that listens on loopback. */
export async function startRegistry(options: Partial<RegistryOptions> = {}): Promise<TestRegistry> {
  const uploadsFolder = options.uploadsFolder ?? (await mkdtemp(join(tmpdir(), "sampan-registry-")));
  const store = (options.store as MemoryContentStore | undefined) ?? new MemoryContentStore();
  const app = Fastify({ logger: false, forceCloseConnections: true });
  await app.register(registryRoutes, {
    authorize: () => "allow",
    now: () => new Date(),
    ...options,
    store,
    uploadsFolder,
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await app.close();
    await rm(uploadsFolder, { recursive: true, force: true });
  });
  const host = `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return {
    store,
    uploadsFolder,
    host,
    call: (method, path, init) => fetch(`http://${host}${path}`, { method, ...init }),
  };
}

/** Checks status and OCI error code of an answer, and gives it. */
export async function check(answer: Promise<Response>, status: number, code?: string): Promise<Response> {
  const response = await answer;
  const text = code === undefined ? "" : await response.text();
  expect([response.status, ...(code === undefined ? [] : [text])]).toEqual([
    status,
    ...(code === undefined ? [] : [expect.stringContaining(`"errors":[{"code":"${code}"`)]),
  ]);
  return response;
}

/** Sends a blob in one request. */
export async function pushBlob(
  registry: TestRegistry,
  repository: string,
  bytes: Uint8Array,
): Promise<Digest> {
  const digest = digestOf(bytes);
  const begun = await check(registry.call("POST", `/v2/${repository}/blobs/uploads/`), 202);
  const location = begun.headers.get("location") ?? "";
  await check(registry.call("PUT", `${location}?digest=${digest}`, { body: bytes }), 201);
  return digest;
}

export interface Manifest {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly digest: Digest;
  readonly mediaType: string;
}

export function manifestOf(
  fields: Record<string, unknown>,
  mediaType: string = MEDIA_TYPE.ociManifest,
): Manifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }));
  return { bytes, digest: digestOf(bytes), mediaType };
}

/** A manifest of a small image whose blobs are in the repository. */
export async function pushParts(
  registry: TestRegistry,
  repository: string,
  more: Record<string, unknown> = {},
): Promise<Manifest> {
  const config = Buffer.from(JSON.stringify({ os: "linux", seed: randomBytes(8).toString("hex") }));
  const layer = randomBytes(500);
  return manifestOf({
    config: {
      mediaType: MEDIA_TYPE.ociConfig,
      digest: await pushBlob(registry, repository, config),
      size: config.length,
    },
    layers: [
      {
        mediaType: MEDIA_TYPE.ociLayerTar,
        digest: await pushBlob(registry, repository, layer),
        size: layer.length,
      },
    ],
    ...more,
  });
}

export function putManifest(registry: TestRegistry, repository: string, name: string, manifest: Manifest) {
  return registry.call("PUT", `/v2/${repository}/manifests/${name}`, {
    body: manifest.bytes,
    headers: { "content-type": manifest.mediaType },
  });
}
