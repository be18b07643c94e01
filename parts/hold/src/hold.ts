import { join } from "node:path";
import {
  type ByteRange,
  type Bytes,
  type CargoBase,
  type CargoMeasure,
  type CargoSink,
  type CargoSource,
  type ContentStore,
  contentProblem,
  type Descriptor,
  type Digest,
  type HeldImage,
  type PackFile,
  type PackingOptions,
  type RecipeFile,
} from "@sampan/content";
import { BlobStore } from "./blob-store.ts";
import { type CaptureOptions, captureFromBlobs, captureImages, captureLayer, keepImage } from "./capture.ts";
import { measureCargo } from "./cargo-measure.ts";
import { addLayer, addPack, hasPack } from "./cargo-sink.ts";
import { type CheckOptions, type CheckReport, checkHold, type HoldStats, measureHold } from "./check.ts";
import { Gate } from "./gate.ts";
import { digestOf, HoldFiles } from "./hold-files.ts";
import { HoldIndex } from "./hold-index.ts";
import { type Increment, prepareIncrement } from "./increment.ts";
import type { HoldParts } from "./layer-intake.ts";
import { PACK_SIZE_DEFAULT } from "./pack.ts";
import { exportPacks } from "./pack-cargo.ts";
import { PackStore } from "./pack-store.ts";
import { executePrune, type PruneResult } from "./prune.ts";
import { type PruneInputs, type PrunePlan, planPrune } from "./prune-plan.ts";
import { exportRecipes } from "./recipe-cargo.ts";
import { openHeldRecipe } from "./recipe-store.ts";
import { References } from "./references.ts";
import { replay } from "./replay.ts";
import { sweepOrphans } from "./sweep.ts";

const CACHE_SIZE_DEFAULT = 32 * 1024 * 1024;
const CACHE_DISK_SIZE_DEFAULT = 1024 ** 3;
const BLOB_AT_ONCE_MAX = 64 * 1024 * 1024;

export interface HoldOptions {
  readonly folder: string;
  /** Milliseconds since 1970; the system's clock unless given. */
  readonly now?: () => number;
  /** Raw bytes of a pack made here, at most 16 MiB. */
  readonly packSizeBytes?: number;
  /** Bytes of decoded packs kept in memory, and in nameless files of the hold's temp folder (never more than a tenth of what is free). */
  readonly cacheBytesMax?: number;
  readonly cacheDiskBytesMax?: number;
  /** How long to wait for another process to close this hold. */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens the hold in a folder, or makes one; sweeps what was unfinished when its last process ended. Throws HOLD_BUSY when
 * another process has it open, HOLD_FORMAT when it is from a newer version.
 */
export async function openHold(options: HoldOptions): Promise<Hold> {
  const files = new HoldFiles(options.folder);
  await files.makeFolder();
  const index = new HoldIndex(join(options.folder, "index.sqlite"), {
    busyTimeoutMs: options.busyTimeoutMs ?? 5000,
  });
  try {
    await files.prepare();
    await sweepOrphans(files, index);
    const packs = new PackStore(files, index, {
      memoryBytesMax: options.cacheBytesMax ?? CACHE_SIZE_DEFAULT,
      diskBytesMax: Math.min(
        options.cacheDiskBytesMax ?? CACHE_DISK_SIZE_DEFAULT,
        (await files.freeBytes()) / 10,
      ),
    });
    const packSizeBytes = Math.min(options.packSizeBytes ?? PACK_SIZE_DEFAULT, PACK_SIZE_DEFAULT);
    return new Hold({ files, index, packs, now: options.now ?? Date.now, packSizeBytes });
  } catch (error) {
    index.close();
    throw error;
  }
}

/** The content store on disk. All calls may run side by side; only pruning waits until nobody writes or exports. */
export class Hold implements ContentStore, CargoSource, CargoSink {
  readonly #parts: HoldParts;
  readonly #blobs: BlobStore;
  readonly #references: References;
  readonly #gate = new Gate();

  /** Use {@link openHold}. */
  constructor(parts: HoldParts) {
    this.#parts = parts;
    this.#blobs = new BlobStore(parts.files, parts.index, parts.now);
    this.#references = new References(parts.index);
  }

  /** Waits for what is under way, then closes. */
  async close(): Promise<void> {
    await this.#gate.alone(async () => {
      await this.#parts.packs.raw.close();
      this.#parts.index.close();
    });
  }

  async stat(digest: Digest): Promise<{ readonly size: number } | undefined> {
    const layer = this.#parts.index.layer(digest);
    return this.#blobs.stat(digest) ?? (layer === undefined ? undefined : { size: layer.size });
  }

  async *read(digest: Digest, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const held = await this.stat(digest);
    if (held === undefined) throw contentProblem("CONTENT_ABSENT", `${digest} is not held here`);
    const start = Math.max(0, range?.start ?? 0);
    const wanted = { start, end: Math.min(held.size, range?.end ?? held.size) };
    if (this.#blobs.stat(digest) !== undefined) {
      yield* this.#blobs.read(digest, held.size, wanted);
      return;
    }
    const recipe = await openHeldRecipe(this.#parts.files, digest);
    try {
      yield* replay(this.#parts, recipe, wanted);
    } finally {
      await recipe.close();
    }
  }

  /** The source is not read when the content is held already. */
  async write(
    source: Bytes,
    expect: { readonly digest: Digest; readonly sizeBytesMax: number },
  ): Promise<{ readonly size: number }> {
    return this.#gate.share(async () => {
      const held = await this.stat(expect.digest);
      if (held === undefined) return this.#blobs.write(source, expect.digest, expect.sizeBytesMax);
      this.#blobs.touch(expect.digest);
      return held;
    });
  }

  /** Never in the middle of a pruning, which has already decided what is reached. */
  setReference(name: string, target: Descriptor): Promise<void> {
    return this.#gate.share(async () => this.#references.set(name, target));
  }

  async getReference(name: string): Promise<Descriptor | undefined> {
    return this.#references.get(name);
  }

  async listReferences(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly { readonly name: string; readonly target: Descriptor }[]> {
    return this.#references.list(prefix, page);
  }

  async removeReference(name: string): Promise<boolean> {
    return this.#references.remove(name);
  }

  async image(imageId: Digest): Promise<HeldImage | undefined> {
    return this.#parts.index.image(imageId);
  }

  /**
   * Takes in the images in a stream of `docker save`, in the stream's order. Nothing is recorded as an image unless all of it
   * is whole. Throws HOLD_SAVE_INVALID, HOLD_IMAGE_INVALID, CONTENT_MISMATCH, CONTENT_NO_SPACE.
   */
  captureImages(stream: Bytes, options: CaptureOptions = {}): Promise<HeldImage[]> {
    return this.#gate.share(() => captureImages(this.#parts, this.#blobs, stream, options));
  }

  /** Takes in an image that was pushed: manifest, config and layers (plain, gzip or zstd) are held as blobs. */
  captureFromBlobs(manifestDigest: Digest, options: CaptureOptions = {}): Promise<HeldImage> {
    return this.#gate.share(() => captureFromBlobs(this.#parts, this.#blobs, manifestDigest, options));
  }

  /**
   * Takes in the tar of a volume, or any other, as a layer: cut along its files, read back and compared, durable when it returns,
   * and not there before. `read(diffId)` gives the same bytes. What is no tar, or follows the end of one, is kept as it is; one
   * that ends in the middle is refused. Until an image or a reference names the layer, only its age protects it from pruning.
   * Throws CONTENT_INVALID, CONTENT_NO_SPACE, and what the stream throws.
   */
  captureLayer(
    stream: Bytes,
    options: CaptureOptions = {},
  ): Promise<{ readonly diffId: Digest; readonly size: number }> {
    return this.#gate.share(() => captureLayer(this.#parts, stream, options));
  }

  readBlob(digest: Digest): Promise<Uint8Array> {
    return this.#blobs.readAll(digest, BLOB_AT_ONCE_MAX);
  }

  async *recipes(
    diffIds: readonly Digest[],
    options: { readonly base?: CargoBase } = {},
  ): AsyncGenerator<RecipeFile> {
    const leave = await this.#gate.enterShared();
    try {
      yield* exportRecipes(this.#parts, diffIds, options.base ?? []);
    } finally {
      leave();
    }
  }

  async *packs(
    diffIds: readonly Digest[],
    options: PackingOptions & { readonly base?: CargoBase; readonly signal?: AbortSignal },
  ): AsyncGenerator<PackFile> {
    const { level, packSizeBytes, signal } = options;
    const leave = await this.#gate.enterShared();
    try {
      const increment = await this.#prepare(diffIds, options);
      yield* exportPacks(this.#parts, diffIds, { level, packSizeBytes, increment, signal });
    } finally {
      leave();
    }
  }

  measure(
    diffIds: readonly Digest[],
    options: {
      readonly base?: CargoBase;
      readonly packing?: PackingOptions;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<CargoMeasure> {
    const { base = [], packing, signal } = options;
    return this.#gate.share(async () => {
      const increment = await this.#prepare(diffIds, options);
      return measureCargo(this.#parts, diffIds, { base, increment, packing, signal });
    });
  }

  async #prepare(
    diffIds: readonly Digest[],
    { base = [], signal }: { readonly base?: CargoBase; readonly signal?: AbortSignal },
  ): Promise<Increment | undefined> {
    return base.length === 0 ? undefined : prepareIncrement(this.#parts, diffIds, { base, signal });
  }

  async hasPack(digest: Digest): Promise<boolean> {
    return hasPack(this.#parts, digest);
  }

  addPack(pack: PackFile): Promise<void> {
    return this.#gate.share(() => addPack(this.#parts, pack));
  }

  async hasLayer(diffId: Digest): Promise<boolean> {
    return this.#parts.index.layer(diffId)?.state === "held";
  }

  addLayer(
    layer: { readonly diffId: Digest; readonly recipe: Uint8Array },
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#gate.share(() => addLayer(this.#parts, layer, signal));
  }

  addImage(image: { readonly imageId: Digest; readonly config: Uint8Array }): Promise<HeldImage> {
    if (digestOf(image.config) !== image.imageId)
      return Promise.reject(contentProblem("CONTENT_MISMATCH", `this is not the config of ${image.imageId}`));
    return this.#gate.share(() => keepImage(this.#parts, this.#blobs, image.config));
  }

  writeBlob(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.#gate.share(() => this.#blobs.writeBytes(digest, bytes));
  }

  /** What could go, and what protects the rest. Changes nothing. Throws CONTENT_DAMAGED when what stays cannot be read. */
  planPrune(inputs: PruneInputs): Promise<PrunePlan> {
    return this.#gate.share(() => planPrune(this.#parts, this.#blobs, inputs));
  }

  /** Does what the plan says, less what has come into use since. Waits until nobody writes or exports, and lets nobody begin. */
  executePrune(plan: PrunePlan): Promise<PruneResult> {
    return this.#gate.alone(() => executePrune(this.#parts, this.#blobs, plan));
  }

  /** Reads everything again and tells what no longer verifies, and which images it hits. Damage is marked, so that it can be mended. */
  check(options: CheckOptions = {}): Promise<CheckReport> {
    return this.#gate.share(() => checkHold(this.#parts, this.#blobs, options));
  }

  async stats(): Promise<HoldStats> {
    return measureHold(this.#parts);
  }

  freeBytes(): Promise<number> {
    return this.#parts.files.freeBytes();
  }
}
