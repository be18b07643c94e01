/** Layers, images and save streams for the tests of this room. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bytes, Digest } from "@sampan/content";
import { digestHex } from "@sampan/content";
import { type Header, pack } from "tar-stream";
import { type Hold, type HoldOptions, openHold } from "./hold.ts";
import { digestOf } from "./hold-files.ts";

export type TestEntry = Partial<Header> & { readonly name: string; readonly body?: Uint8Array | string };

export async function tarOf(entries: readonly TestEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { body, ...header } of entries)
    tar.entry({ mtime: new Date(1_700_000_000_000), ...header }, body === undefined ? "" : Buffer.from(body));
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Bytes that look random and are the same for the same seed. */
export function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = (seed + 1) * 0x9e3779b1;
  for (let at = 0; at < size; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

export interface TestImage {
  readonly config: Buffer;
  readonly imageId: Digest;
  readonly layers: readonly Buffer[];
  readonly diffIds: readonly Digest[];
}

export function imageOf(layers: readonly Buffer[], extra: object = {}): TestImage {
  const diffIds = layers.map(digestOf);
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: diffIds },
      ...extra,
    }),
  );
  return { config, imageId: digestOf(config), layers, diffIds };
}

/** As Docker 20.10 saves: one folder per layer, a repeated layer as a symlink, manifest.json last. */
export async function classicSave(images: readonly TestImage[]): Promise<Buffer> {
  const entries: TestEntry[] = [];
  const places = new Map<Digest, string>();
  const list = images.map((image, number) => {
    const layers = image.layers.map((layer, at) => {
      const path = `${number}-${at}/layer.tar`;
      const first = places.get(image.diffIds[at]!);
      if (first === undefined) entries.push({ name: path, body: layer });
      else entries.push({ name: path, type: "symlink", linkname: `../${first}` });
      places.set(image.diffIds[at]!, first ?? path);
      entries.push({ name: `${number}-${at}/VERSION`, body: "1.0" });
      return path;
    });
    const config = `${digestHex(image.imageId)}.json`;
    entries.push({ name: config, body: image.config });
    return { Config: config, RepoTags: null, Layers: layers };
  });
  return tarOf([...entries, { name: "manifest.json", body: JSON.stringify(list) }]);
}

/** As an OCI layout, with layers coded by `code`; no manifest.json. */
export async function ociSave(images: readonly TestImage[], code: (tar: Buffer) => Buffer): Promise<Buffer> {
  const blobs = new Map<Digest, Buffer>();
  const put = (bytes: Buffer) => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  const manifests = images.map((image) =>
    put(
      Buffer.from(
        JSON.stringify({ config: put(image.config), layers: image.layers.map((tar) => put(code(tar))) }),
      ),
    ),
  );
  const files = [...blobs].map(([digest, body]) => ({ name: `blobs/${digest.replace(":", "/")}`, body }));
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  return tarOf([...files, { name: "index.json", body: index }, { name: "oci-layout", body: "{}" }]);
}

export async function* inChunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function gather(stream: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A folder and the holds opened in it, gone at the end of the test. */
export class TestHolds implements AsyncDisposable {
  readonly folders: string[] = [];
  readonly #open: Hold[] = [];

  async fresh(options: Partial<HoldOptions> = {}): Promise<Hold> {
    return this.open({ folder: await this.folder(), ...options });
  }

  /** An empty folder. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "hold-"));
    this.folders.push(folder);
    return folder;
  }

  async open(options: HoldOptions): Promise<Hold> {
    const hold = await openHold({ busyTimeoutMs: 0, ...options });
    this.#open.push(hold);
    return hold;
  }

  /** Closes and opens again. */
  async reopen(hold: Hold): Promise<Hold> {
    await this.close(hold);
    return this.open({ folder: this.folders.at(-1)! });
  }

  async close(hold: Hold): Promise<void> {
    this.#open.splice(this.#open.indexOf(hold), 1);
    await hold.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const hold of this.#open) await hold.close();
    for (const folder of this.folders) await rm(folder, { recursive: true, force: true });
  }
}

/** Two images that share pieces, each in a save stream of its own: pruning the second writes packs anew. */
export async function crashImages(): Promise<{ readonly images: TestImage[]; readonly saves: Buffer[] }> {
  const layer = (seeds: readonly number[]) =>
    tarOf(seeds.map((seed) => ({ name: `file-${seed}`, body: noise(15_000, seed) })));
  const both = imageOf([await layer([1, 11, 12, 13, 2, 14, 15, 16, 3, 17, 18, 19])]);
  const kept = imageOf([await layer([1, 2, 3])]);
  return { images: [kept, both], saves: [await classicSave([both]), await classicSave([kept])] };
}

/** A volume that shares a file with them. */
export function crashVolume(): Promise<Buffer> {
  return tarOf([1, 51, 52].map((seed) => ({ name: `data-${seed}`, body: noise(15_000, seed) })));
}
