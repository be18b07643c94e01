import { createHash } from "node:crypto";
import { type Bytes, contentProblem, type Digest, digestFromHex } from "@sampan/content";
import type { HoldFiles, TempFile } from "./hold-files.ts";
import type { HoldIndex } from "./hold-index.ts";
import type { PackStore } from "./pack-store.ts";
import { PackWriter } from "./pack-writer.ts";
import { RECIPE_LIMITS, SegmentWriter } from "./recipe.ts";
import { openRecipe, RecipeFileWriter, readAtOfTemp } from "./recipe-file.ts";
import { replayDigest } from "./replay.ts";
import { LayerSplitter } from "./splitter.ts";

/** Level of packs that are made here: what is kept is made once and read often. Export chooses its own. */
export const HOLD_LEVEL = 3;
const STEP_SIZE = 1024 * 1024;
const IN_FLIGHT_MAX = 2;

/** A layer that was read to its end. `isCutOff`: its stream ended within the archive. */
export interface ReadLayer {
  readonly diffId: Digest;
  readonly size: number;
  readonly isCutOff: boolean;
}

/** The parts of a hold that the verbs of this room are written over. */
export interface HoldParts {
  readonly files: HoldFiles;
  readonly index: HoldIndex;
  readonly packs: PackStore;
  /** Milliseconds since 1970. Only ages are taken from it, never an order. */
  readonly now: () => number;
  readonly packSizeBytes: number;
}

export interface IntakeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of layers read so far; then, bytes of new layers replayed so far, of how many. */
  readonly onRead?: (bytes: number) => void;
  readonly onReplay?: (bytes: number, total: number) => void;
}

/**
 * Takes layers in, one after another, and keeps all of them at the end: pieces first, then each recipe once it has been
 * replayed to the layer's own digest. Stopped at any point, it leaves pieces that nothing refers to, and nothing else.
 */
export class LayerIntake {
  readonly #hold: HoldParts;
  readonly #options: IntakeOptions;
  readonly #writer: PackWriter;
  readonly #fresh = new Map<Digest, { readonly recipe: TempFile; readonly size: number }>();
  readonly #held = new Set<Digest>();
  #read = 0;

  constructor(hold: HoldParts, options: IntakeOptions) {
    this.#hold = hold;
    this.#options = options;
    const make = hold.packs.make.bind(hold.packs);
    this.#writer = new PackWriter(hold.index, (run) => make(run, { level: HOLD_LEVEL, now: hold.now }), {
      packSizeBytes: hold.packSizeBytes,
      inFlightMax: IN_FLIGHT_MAX,
    });
  }

  /** Reads a layer to its end, cuts it, and tells its diffID. With `claim`, a layer that is held under it is only hashed. */
  async add(tar: Bytes, claim?: Digest): Promise<ReadLayer> {
    if (claim !== undefined && this.#isHeld(claim)) return this.#hashOnly(tar);
    const recipe = await this.#hold.files.openTemp();
    try {
      const layer = await this.#cut(tar, recipe);
      if (this.#isHeld(layer.diffId) || this.#fresh.has(layer.diffId)) await recipe.discard();
      else this.#fresh.set(layer.diffId, { recipe, size: layer.size });
      return layer;
    } catch (error) {
      await recipe.discard();
      throw error;
    }
  }

  /** Makes everything durable and readable. */
  async finish(): Promise<void> {
    await this.#writer.flush();
    const { index, now } = this.#hold;
    index.transaction(() => index.touchPacks(this.#writer.reused, now()));
    const total = [...this.#fresh.values()].reduce((sum, { size }) => sum + size, 0);
    let done = 0;
    for (const [diffId, { recipe }] of this.#fresh) {
      await keepLayer(this.#hold, diffId, recipe, {
        signal: this.#options.signal,
        onBytes: (length) => {
          done += length;
          this.#options.onReplay?.(done, total);
        },
      });
      this.#fresh.delete(diffId);
    }
    index.transaction(() => {
      for (const diffId of this.#held) index.touchLayer(diffId, now());
    });
  }

  /** Must be called in the end, whatever happened. */
  async close(): Promise<void> {
    await this.#writer.settle();
    for (const { recipe } of this.#fresh.values()) await recipe.discard();
    this.#fresh.clear();
  }

  #isHeld(diffId: Digest): boolean {
    if (this.#hold.index.layer(diffId)?.state !== "held") return false;
    this.#held.add(diffId);
    return true;
  }

  async #hashOnly(tar: Bytes): Promise<ReadLayer> {
    const hasher = createHash("sha256");
    let size = 0;
    for await (const chunk of tar) {
      this.#step(chunk.length);
      hasher.update(chunk);
      size += chunk.length;
    }
    return { diffId: digestFromHex(hasher.digest("hex")), size, isCutOff: false };
  }

  async #cut(tar: Bytes, recipe: TempFile): Promise<ReadLayer> {
    const hasher = createHash("sha256");
    const file = await RecipeFileWriter.begin((bytes) => recipe.write(bytes));
    const ready: { readonly plain: Uint8Array; readonly layerBytes: number }[] = [];
    const segments = new SegmentWriter((segment) => ready.push(segment));
    const splitter = new LayerSplitter({
      header: (block) => segments.header(block),
      literal: (bytes) => segments.literal(bytes),
      zeros: (length) => segments.zeros(length),
      piece: (bytes) => segments.piece(this.#writer.add(bytes), bytes.length),
    });
    const drain = async () => {
      for (let next = ready.shift(); next !== undefined; next = ready.shift()) await file.add(next);
      await this.#writer.drain();
    };
    let size = 0;
    for await (const chunk of tar) {
      for (let at = 0; at < chunk.length; at += STEP_SIZE) {
        const step = chunk.subarray(at, at + STEP_SIZE);
        this.#step(step.length);
        hasher.update(step);
        splitter.push(step);
        size += step.length;
        if (size > RECIPE_LIMITS.layerSizeMax)
          throw contentProblem("CONTENT_INVALID", "a layer or volume is too large to be held", {
            why: `it has more than ${RECIPE_LIMITS.layerSizeMax} bytes`,
          });
        await drain();
      }
    }
    const { isCutOff } = splitter.end();
    segments.end();
    await drain();
    const diffId = digestFromHex(hasher.digest("hex"));
    await file.finish(diffId);
    return { diffId, size, isCutOff };
  }

  #step(length: number): void {
    this.#options.signal?.throwIfAborted();
    this.#read += length;
    this.#options.onRead?.(this.#read);
  }
}

/** Replays a recipe and, when it makes the layer it names, keeps it durably. Throws CONTENT_MISMATCH, CONTENT_ABSENT, CONTENT_DAMAGED. */
export async function keepLayer(
  hold: HoldParts,
  diffId: Digest,
  recipe: TempFile,
  options: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (length: number) => void },
): Promise<void> {
  const source = await openRecipe(readAtOfTemp(recipe), recipe.size);
  if (source.frame.diffId !== diffId)
    throw contentProblem("CONTENT_MISMATCH", `this is not the recipe of layer ${diffId}`, {
      why: `it is that of ${source.frame.diffId}`,
    });
  const made = await replayDigest(hold, source, { hasher: createHash("sha256"), ...options });
  if (made !== diffId)
    throw contentProblem("CONTENT_MISMATCH", `the recipe of layer ${diffId} makes another layer`, {
      why: `it makes ${made}`,
    });
  const recipeDigest = await recipe.digest();
  await recipe.keep("recipes", diffId);
  const { index, now } = hold;
  const sizes = { size: source.frame.layerSize, recipeSize: recipe.size };
  index.transaction(() => index.putLayer({ diffId, ...sizes, recipeDigest, usedAt: now() }));
}
