import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Digest, digestFromHex, MEDIA_TYPE } from "@sampan/content";

/** An image taken out of an engine: what a registry serves. */
export interface TakenImage {
  readonly config: Uint8Array;
  readonly layers: readonly Uint8Array[];
}

export interface ImageRegistry {
  /** Serves an image from now on; returns its image ID. */
  add(image: TakenImage): Digest;
  /** What to pull for an image ID. */
  referenceOf(imageId: Digest): string | undefined;
  close(): Promise<void>;
}

/** A registry for tests: serves images to an engine on this machine (OCI distribution-spec, pull by digest). */
export async function openImageRegistry(): Promise<ImageRegistry> {
  const blobs = new Map<string, { readonly bytes: Uint8Array; readonly mediaType: string }>();
  const manifests = new Map<Digest, Digest>();
  const keep = (bytes: Uint8Array, mediaType: string) => {
    const digest = digestFromHex(createHash("sha256").update(bytes).digest("hex"));
    blobs.set(digest, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  };
  const server = createServer((request, reply) => {
    if (request.url === "/v2/") return void reply.end();
    const blob = blobs.get(request.url?.split("/").at(-1) ?? "");
    if (blob === undefined) return void reply.writeHead(404).end();
    reply.setHeader("content-type", blob.mediaType);
    reply.setHeader("content-length", blob.bytes.length);
    reply.end(request.method === "HEAD" ? undefined : blob.bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    add(image) {
      const config = keep(image.config, MEDIA_TYPE.ociConfig);
      const layers = image.layers.map((layer) => keep(layer, MEDIA_TYPE.ociLayerTar));
      const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers };
      manifests.set(
        config.digest,
        keep(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPE.ociManifest).digest,
      );
      return config.digest;
    },
    referenceOf(imageId) {
      const manifest = manifests.get(imageId);
      return manifest === undefined ? undefined : `127.0.0.1:${port}/sampan/test@${manifest}`;
    },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Config and layers from the tar that the engine exports (moby image-spec v1.2). */
export function readSavedImage(tar: Buffer): TakenImage {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8) || 0;
    if (name !== "") files.set(name, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  const read = (name: string) => files.get(name) ?? new Uint8Array();
  const [manifest] = JSON.parse(Buffer.from(read("manifest.json")).toString()) as [
    { readonly Config: string; readonly Layers: readonly string[] },
  ];
  return { config: read(manifest.Config), layers: manifest.Layers.map(read) };
}
