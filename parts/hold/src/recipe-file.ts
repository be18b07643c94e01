import { contentProblem, type Digest } from "@sampan/content";
import type { TempFile } from "./hold-files.ts";
import { compressFrame, decompressFrame } from "./pack.ts";
import {
  decodeFrame,
  decodeSegment,
  encodePrefix,
  encodeTrailer,
  type Part,
  PREFIX_SIZE,
  type RecipeFrame,
  type SegmentPlace,
  TRAILER_SIZE,
  tailSizeOf,
} from "./recipe.ts";

/** Level of recipes, in the hold as in what leaves it: they are small, and every bundle carries them. */
export const RECIPE_LEVEL = 9;

/** Reads bytes of a recipe, wherever it is. Throws when they are not there. */
export type ReadAt = (at: number, length: number) => Promise<Uint8Array>;

/** Appends segments to a recipe as they come, coded. */
export class RecipeFileWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #rows: Pick<SegmentPlace, "storedBytes" | "plainBytes" | "layerBytes">[] = [];

  private constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  static async begin(write: (bytes: Uint8Array) => Promise<void>): Promise<RecipeFileWriter> {
    await write(encodePrefix());
    return new RecipeFileWriter(write);
  }

  async add(segment: { readonly plain: Uint8Array; readonly layerBytes: number }): Promise<void> {
    const stored = await compressFrame(segment.plain, RECIPE_LEVEL);
    await this.#write(stored);
    this.#rows.push({
      storedBytes: stored.length,
      plainBytes: segment.plain.length,
      layerBytes: segment.layerBytes,
    });
  }

  async finish(diffId: Digest): Promise<void> {
    await this.#write(encodeTrailer(diffId, this.#rows));
  }
}

/** An open recipe. */
export interface RecipeSource {
  readonly frame: RecipeFrame;
  /** The segment as coded by the writer of the file. Throws CONTENT_INVALID. */
  plain(segment: SegmentPlace): Promise<Uint8Array>;
  parts(segment: SegmentPlace): Promise<Part[]>;
}

/** Throws CONTENT_INVALID when it is not a whole recipe. */
export async function openRecipe(readAt: ReadAt, fileSize: number): Promise<RecipeSource> {
  if (fileSize < PREFIX_SIZE + TRAILER_SIZE)
    throw contentProblem("CONTENT_INVALID", "this recipe is cut off");
  const prefix = await readAt(0, PREFIX_SIZE);
  const tailSize = tailSizeOf(await readAt(fileSize - TRAILER_SIZE, TRAILER_SIZE));
  if (tailSize > fileSize - PREFIX_SIZE) throw contentProblem("CONTENT_INVALID", "this recipe is cut off");
  const frame = decodeFrame(fileSize, prefix, await readAt(fileSize - tailSize, tailSize));
  const plain = async (segment: SegmentPlace) =>
    decompressFrame(await readAt(segment.at, segment.storedBytes), segment.plainBytes);
  const parts = async (segment: SegmentPlace) => decodeSegment(await plain(segment), segment.layerBytes);
  return { frame, plain, parts };
}

export function readAtOfTemp(temp: TempFile): ReadAt {
  return (at, length) => temp.read(at, length);
}
