import { createHash } from "node:crypto";
import { type Digest, digestFromHex, digestHex } from "@sampan/content";
import { type TarFile, writeTar } from "./tar-writer.ts";

/** An image in memory. Hollow ones have no content: they run, and cannot be saved. */
export interface MemoryImage {
  readonly id: Digest;
  readonly names: readonly string[];
  readonly os: string;
  readonly architecture: string;
  readonly content?: {
    /** The OCI image config; the image ID is its digest. */
    readonly config: Uint8Array;
    readonly layers: readonly { readonly diffId: Digest; readonly tar: Uint8Array }[];
  };
}

/** A real, tiny image: a config, and a layer for each list of files. The same input gives the same image ID. */
export function makeImage(image: {
  readonly name: string;
  readonly layers: readonly (readonly TarFile[])[];
  /** amd64 when absent. */
  readonly architecture?: string;
  readonly command?: readonly string[];
}): MemoryImage {
  const layers = image.layers.map((files) => {
    const tar = writeTar(files);
    return { diffId: sha256(tar), tar };
  });
  const architecture = image.architecture ?? "amd64";
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      config: { Cmd: image.command ?? [], Env: ["PATH=/bin:/usr/bin"] },
      history: layers.map(() => ({ created: "1970-01-01T00:00:00Z" })),
      os: "linux",
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    }),
  );
  return { id: sha256(config), names: [image.name], os: "linux", architecture, content: { config, layers } };
}

export function imageSizeBytes(image: MemoryImage): number {
  return image.content?.layers.reduce((total, layer) => total + layer.tar.length, 0) ?? 0;
}

/** What `docker save` writes: configs and layers as files, and `manifest.json` that names them (moby image-spec v1.2). */
export function dockerSaveTar(images: readonly MemoryImage[]): Uint8Array {
  const files = new Map<string, Uint8Array>();
  const manifest = images.map((image) => {
    const config = `${digestHex(image.id)}.json`;
    files.set(config, image.content?.config ?? new Uint8Array());
    const layers = image.content?.layers ?? [];
    for (const { diffId, tar } of layers) files.set(`${digestHex(diffId)}/layer.tar`, tar);
    return {
      Config: config,
      RepoTags: image.names,
      Layers: layers.map(({ diffId }) => `${digestHex(diffId)}/layer.tar`),
    };
  });
  files.set("manifest.json", Buffer.from(JSON.stringify(manifest)));
  return writeTar([...files].map(([name, bytes]) => ({ name, bytes })));
}

function sha256(bytes: Uint8Array): Digest {
  return digestFromHex(createHash("sha256").update(bytes).digest("hex"));
}
