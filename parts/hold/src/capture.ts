import { posix } from "node:path";
import {
  type Bytes,
  contentProblem,
  type Digest,
  digestFromHex,
  type HeldImage,
  type OnProgress,
} from "@sampan/content";
import type { BlobStore } from "./blob-store.ts";
import { digestOf } from "./hold-files.ts";
import { IMAGE_LIMITS, isObject, linksOf, parseImageConfig, parseJson, remakeImage } from "./image-form.ts";
import { decodeLayer, peekStream } from "./layer-coding.ts";
import { type HoldParts, LayerIntake } from "./layer-intake.ts";
import { holdProblem } from "./problems.ts";
import { BLOCK, isZero, parseEntry } from "./tar-header.ts";
import { readTar, type TarStreamEntry } from "./tar-reader.ts";

const DOCUMENTS_SIZE_MAX = 64 * 1024 * 1024;
const LINKS_FOLLOWED_MAX = 8;
const REGULAR = "0\0" + "7";

export interface CaptureOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Takes in the stream of `docker save` (classic, OCI layout or Podman's docker-archive) as it comes. Layers come before
 * anything that tells what they are, so every file that looks like a layer is cut, and the images are put together at the end.
 */
export async function captureImages(
  hold: HoldParts,
  blobs: BlobStore,
  stream: Bytes,
  options: CaptureOptions,
): Promise<HeldImage[]> {
  const intake = beginIntake(hold, options);
  try {
    const save = new Save();
    for await (const entry of readTar(stream)) await takeEntry(save, intake, entry);
    const wanted = save.images();
    await intake.finish();
    const images: HeldImage[] = [];
    for (const config of wanted) images.push(await keepImage(hold, blobs, config));
    return images;
  } finally {
    await intake.close();
  }
}

/** Takes in an image whose manifest, config and layers were pushed as blobs. */
export async function captureFromBlobs(
  hold: HoldParts,
  blobs: BlobStore,
  manifestDigest: Digest,
  options: CaptureOptions,
): Promise<HeldImage> {
  const links = linksOf(await blobs.readAll(manifestDigest, IMAGE_LIMITS.configSizeMax));
  if (links.config === undefined)
    throw holdProblem("HOLD_IMAGE_INVALID", `${manifestDigest} is not the manifest of one image`, {
      hint:
        links.manifests.length > 0 ? "it is an index: name the manifest of one platform" : "push an image",
    });
  const config = await blobs.readAll(links.config, IMAGE_LIMITS.configSizeMax);
  const { diffIds } = parseImageConfig(config);
  if (diffIds.length !== links.layers.length)
    throw holdProblem("HOLD_IMAGE_INVALID", "manifest and config tell different numbers of layers");
  const intake = beginIntake(hold, options);
  try {
    for (const [index, digest] of links.layers.entries()) {
      const diffId = diffIds[index]!;
      if (hold.index.layer(diffId)?.state === "held" && digest === diffId) continue;
      const made = await takeBlob(blobs, intake, digest, diffId);
      if (made !== diffId) throw notTheLayer(diffId, made);
    }
    await intake.finish();
    return await keepImage(hold, blobs, config);
  } finally {
    await intake.close();
  }
}

/** Takes in one plain tar. A stream that ends within its archive was broken off, whether or not somebody said so. */
export async function captureLayer(
  hold: HoldParts,
  stream: Bytes,
  options: CaptureOptions,
): Promise<{ readonly diffId: Digest; readonly size: number }> {
  const intake = beginIntake(hold, options);
  try {
    const { diffId, size, isCutOff } = await intake.add(stream);
    if (isCutOff)
      throw contentProblem("CONTENT_INVALID", "the stream of files ends in the middle", {
        why: `after ${size} bytes it lacks the rest of a file, or the mark at the end of an archive`,
        hint: "nothing of it was kept: take it again",
      });
    await intake.finish();
    return { diffId, size };
  } finally {
    await intake.close();
  }
}

/** Keeps an image whose layers are all held. Throws CONTENT_ABSENT, HOLD_IMAGE_INVALID. */
export async function keepImage(hold: HoldParts, blobs: BlobStore, config: Uint8Array): Promise<HeldImage> {
  const parsed = parseImageConfig(config);
  const sizes = parsed.diffIds.map((diffId) => {
    const layer = hold.index.layer(diffId);
    if (layer?.state !== "held")
      throw contentProblem("CONTENT_ABSENT", `layer ${diffId} of the image is not held here`);
    return layer.size;
  });
  const { image, manifest } = remakeImage(config, parsed, sizes);
  await blobs.writeBytes(image.imageId, config);
  await blobs.writeBytes(image.manifest.digest, manifest);
  hold.index.transaction(() => hold.index.putImage(image, hold.now()));
  return image;
}

function beginIntake(hold: HoldParts, { signal, onProgress }: CaptureOptions): LayerIntake {
  return new LayerIntake(hold, {
    signal,
    onRead: (done) => onProgress?.({ stage: "read", done }),
    onReplay: (done, total) => onProgress?.({ stage: "verify", done, total }),
  });
}

async function takeBlob(
  blobs: BlobStore,
  intake: LayerIntake,
  digest: Digest,
  diffId: Digest,
): Promise<Digest> {
  const held = blobs.stat(digest);
  if (held === undefined) throw contentProblem("CONTENT_ABSENT", `layer blob ${digest} is not held here`);
  const { start, bytes } = await peekStream(
    blobs.read(digest, held.size, { start: 0, end: held.size }),
    BLOCK,
  );
  return (await intake.add(decodeLayer(start, bytes).tar, diffId)).diffId;
}

async function takeEntry(save: Save, intake: LayerIntake, entry: TarStreamEntry): Promise<void> {
  const path = posix.normalize(entry.name);
  if (entry.type === "2") return save.addLink(path, posix.join(posix.dirname(path), entry.linkName));
  if (entry.type === "1") return save.addLink(path, posix.normalize(entry.linkName));
  if (!REGULAR.includes(entry.type)) return;
  const { start, bytes } = await peekStream(entry.body, BLOCK);
  const { isCoded, tar } = decodeLayer(start, bytes);
  const isTar = start.length === BLOCK && (parseEntry(start) !== undefined || isZero(start));
  if (!isCoded && !isTar && entry.size <= IMAGE_LIMITS.configSizeMax) return save.addDocument(path, bytes);
  const claim = /^([0-9a-f]{64})(\.tar)?$/.exec(posix.basename(path))?.[1];
  const claimed = claim === undefined || isCoded ? undefined : digestFromHex(claim);
  save.addLayer(path, (await intake.add(tar, claimed)).diffId);
}

/** What a save stream has told, until its end tells what it means. */
class Save {
  readonly #documents = new Map<string, Uint8Array>();
  readonly #layers = new Map<string, Digest>();
  readonly #links = new Map<string, string>();
  #documentsSize = 0;

  addLink(path: string, target: string): void {
    this.#links.set(path, target);
  }

  addLayer(path: string, diffId: Digest): void {
    this.#layers.set(path, diffId);
  }

  async addDocument(path: string, bytes: Bytes): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) {
      this.#documentsSize += chunk.length;
      if (this.#documentsSize > DOCUMENTS_SIZE_MAX) throw lying("it holds too much that is no layer");
      chunks.push(Buffer.from(chunk));
    }
    this.#documents.set(path, Buffer.concat(chunks));
  }

  /** The configs of its images, in its order, each checked against the layers that came. */
  images(): Uint8Array[] {
    const list = this.#documents.get("manifest.json");
    const wanted = list === undefined ? this.#fromIndex("index.json", 0) : this.#fromList(parseJson(list));
    return wanted.map(({ config, layers }) => this.#checked(config, layers));
  }

  #fromList(list: unknown): { readonly config: string; readonly layers: readonly string[] }[] {
    if (!Array.isArray(list)) throw lying("its manifest.json is no list");
    return list.map((item: unknown) => {
      if (!isObject(item) || typeof item.Config !== "string" || !Array.isArray(item.Layers))
        throw lying("its manifest.json is not of the known form");
      return {
        config: posix.normalize(item.Config),
        layers: item.Layers.map((path) => posix.normalize(String(path))),
      };
    });
  }

  #fromIndex(path: string, depth: number): { readonly config: string; readonly layers: readonly string[] }[] {
    const document = this.#documents.get(path);
    if (document === undefined || depth > LINKS_FOLLOWED_MAX)
      throw lying(`it has neither manifest.json nor ${path}: it is cut off, or no stream of images`);
    const links = linksOf(document);
    if (links.config !== undefined)
      return [{ config: blobPath(links.config), layers: links.layers.map(blobPath) }];
    return links.manifests
      .filter((digest) => this.#documents.has(blobPath(digest)))
      .flatMap((digest) => this.#fromIndex(blobPath(digest), depth + 1))
      .filter(({ layers }) => layers.every((layer) => this.#layerAt(layer) !== undefined));
  }

  #checked(configPath: string, layerPaths: readonly string[]): Uint8Array {
    const config = this.#documents.get(configPath);
    if (config === undefined) throw lying(`the config ${configPath} is missing`);
    const named = /([0-9a-f]{64})/.exec(configPath)?.[1];
    if (named !== undefined && digestFromHex(named) !== digestOf(config))
      throw lying(`the config ${configPath} does not have the digest of its name`);
    const { diffIds } = parseImageConfig(config);
    if (diffIds.length !== layerPaths.length)
      throw lying("an image has not as many layers as its config tells");
    diffIds.forEach((diffId, index) => {
      const layer = this.#layerAt(layerPaths[index]!);
      if (layer === undefined) throw lying(`the layer ${layerPaths[index]} is missing`);
      if (layer !== diffId) throw notTheLayer(diffId, layer);
    });
    return config;
  }

  #layerAt(path: string): Digest | undefined {
    let at: string | undefined = path;
    for (let step = 0; at !== undefined && step < LINKS_FOLLOWED_MAX; step += 1) {
      const layer = this.#layers.get(at);
      if (layer !== undefined) return layer;
      at = this.#links.get(at);
    }
    return undefined;
  }
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function lying(why: string): Error {
  return holdProblem("HOLD_SAVE_INVALID", "the stream of images cannot be used", {
    why,
    hint: "take the images from the engine again",
  });
}

function notTheLayer(diffId: Digest, made: Digest): Error {
  return contentProblem("CONTENT_MISMATCH", `a layer is not ${diffId}, as its image says`, {
    why: `it is ${made}`,
  });
}
