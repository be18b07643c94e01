import { contentProblem, type Digest } from "@sampan/content";
import { compressFrame, decompressFrame } from "./frame.ts";
import type { TempFile } from "./hold-files.ts";
import {
  decodeFrame,
  decodeSegment,
  encodePrefix,
  encodeTrailer,
  type Part,
  PREFIX_SIZE,
  type RecipeBase,
  type RecipeFrame,
  type SegmentPlace,
  type SegmentRange,
  type SegmentRow,
  sizesOf,
  TRAILER_SIZE,
} from "./recipe.ts";

/** Level of recipes, in the hold as in what leaves it: they are small, and every bundle carries them. */
export const RECIPE_LEVEL = 9;

/** Reads bytes of a recipe, wherever it is. Throws when they are not there. */
export type ReadAt = (at: number, length: number) => Promise<Uint8Array>;

export interface PlainSegment {
  readonly plain: Uint8Array;
  readonly layerBytes: number;
}

/** Appends segments to a recipe as they come, coded. */
export class RecipeFileWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #base: RecipeBase | undefined;
  readonly #rows: SegmentRow[] = [];

  private constructor(write: (bytes: Uint8Array) => Promise<void>, base: RecipeBase | undefined) {
    this.#write = write;
    this.#base = base;
  }

  /** With `base`, of coding 2. */
  static async begin(
    write: (bytes: Uint8Array) => Promise<void>,
    base?: RecipeBase,
  ): Promise<RecipeFileWriter> {
    await write(encodePrefix(base));
    return new RecipeFileWriter(write, base);
  }

  async add(segment: PlainSegment): Promise<void> {
    await this.addCoded(segment, { stored: await compressFrame(segment.plain, RECIPE_LEVEL) });
  }

  async addCoded(
    segment: PlainSegment,
    coded: { readonly stored: Uint8Array; readonly against?: SegmentRange },
  ): Promise<void> {
    await this.#write(coded.stored);
    this.#rows.push({
      storedBytes: coded.stored.length,
      plainBytes: segment.plain.length,
      layerBytes: segment.layerBytes,
      ...(coded.against === undefined ? {} : { against: coded.against }),
    });
  }

  async finish(diffId: Digest): Promise<void> {
    await this.#write(encodeTrailer(diffId, this.#rows, this.#base));
  }
}

/** An open recipe. */
export interface RecipeSource {
  readonly frame: RecipeFrame;
  /** The segment as coded by the writer of the file. Throws CONTENT_INVALID. */
  plain(segment: SegmentPlace): Promise<Uint8Array>;
  parts(segment: SegmentPlace): Promise<Part[]>;
}

/** Gives the dictionary of segments of a recipe of coding 2. */
export type DictionaryOf = (range: SegmentRange) => Promise<Uint8Array>;

/**
 * Throws CONTENT_INVALID when it is not a whole recipe. One of coding 2 is taken where `openBase` is given, which is told what
 * recipe it needs; what that throws is passed on.
 */
export async function openRecipe(
  readAt: ReadAt,
  fileSize: number,
  openBase?: (base: RecipeBase) => Promise<DictionaryOf>,
): Promise<RecipeSource> {
  if (fileSize < PREFIX_SIZE + TRAILER_SIZE)
    throw contentProblem("CONTENT_INVALID", "this recipe is cut off");
  const prefix = await readAt(0, PREFIX_SIZE);
  const { headSize, tailSize } = sizesOf(prefix, await readAt(fileSize - TRAILER_SIZE, TRAILER_SIZE));
  if (headSize + tailSize > fileSize) throw contentProblem("CONTENT_INVALID", "this recipe is cut off");
  const head = headSize === PREFIX_SIZE ? prefix : await readAt(0, headSize);
  const frame = decodeFrame(fileSize, head, await readAt(fileSize - tailSize, tailSize));
  const dictionaryOf = frame.base === undefined ? undefined : await openBase?.(frame.base);
  if (frame.base !== undefined && dictionaryOf === undefined)
    throw contentProblem("CONTENT_INVALID", "this recipe is told by another, and recipes of a hold are not");
  const plain = async ({ at, storedBytes, plainBytes, against }: SegmentPlace) => {
    const dictionary = against === undefined ? undefined : await dictionaryOf?.(against);
    return decompressFrame(await readAt(at, storedBytes), plainBytes, dictionary);
  };
  const parts = async (segment: SegmentPlace) => decodeSegment(await plain(segment), segment.layerBytes);
  return { frame, plain, parts };
}

export function readAtOfTemp(temp: TempFile): ReadAt {
  return (at, length) => temp.read(at, length);
}
