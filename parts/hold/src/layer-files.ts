import type { Digest } from "@sampan/content";
import type { HoldFiles } from "./hold-files.ts";
import { NumberList } from "./path-keys.ts";
import { PieceSet } from "./piece-set.ts";
import type { Part } from "./recipe.ts";
import { openHeldRecipe } from "./recipe-store.ts";
import { BLOCK, paddingOf, parseEntry, parsePax, textOf } from "./tar-header.ts";

/** A file with pieces in a layer. One object for all its pieces. */
export interface LayerFile {
  /** As in the archive, without `./` or `/` at its start. */
  readonly path: Uint8Array;
  readonly size: number;
}

export interface FilePiece {
  readonly id: Uint8Array;
  readonly length: number;
  /** Absent where the archive was not understood. */
  readonly file?: LayerFile;
  /** Where the piece begins in the file. */
  readonly offset: number;
}

/** The pieces of a segment. */
export interface SegmentPieces {
  /** How many pieces of the layer come before. */
  readonly first: number;
  readonly pieces: readonly FilePiece[];
}

/** A segment with more of the layer than this may be in the middle of a large file, whose header must not be missed. */
const SKIPPED_BYTES_MAX = 128 * 1024 * 1024;

/**
 * The pieces of a held layer in order, with the files that they are of, segment by segment. With `wanted`, only of segments in which some
 * of these pieces are (and those before them). Throws what opening a recipe throws.
 */
export async function* readFilePieces(
  files: HoldFiles,
  diffId: Digest,
  wanted?: PieceMarks,
): AsyncGenerator<SegmentPieces> {
  const recipe = await openHeldRecipe(files, diffId);
  try {
    let walk = new FileWalk();
    let first = 0;
    for (const [number, segment] of recipe.frame.segments.entries()) {
      const isSkipped =
        wanted?.isIn(number) === false && !wanted.isIn(number + 1) && segment.layerBytes <= SKIPPED_BYTES_MAX;
      if (isSkipped) {
        walk = new FileWalk();
        first = wanted.firstOf(number + 1);
        continue;
      }
      const pieces: FilePiece[] = [];
      for (const part of await recipe.parts(segment)) {
        const piece = walk.next(part);
        if (piece !== undefined) pieces.push(piece);
      }
      yield { first, pieces };
      first += pieces.length;
    }
  } finally {
    await recipe.close();
  }
}

/** Some of the pieces of a layer, by their order in it: one bit each, and a few bytes a segment. */
export class PieceMarks {
  readonly #marked = new PieceSet();
  readonly #firsts = new NumberList();
  readonly #marksBefore = new NumberList();
  #pieces = 0;

  beginSegment(): void {
    this.#firsts.push(this.#pieces);
    this.#marksBefore.push(this.#marked.size);
  }

  add(isMarked: boolean): void {
    if (isMarked) this.#marked.add(this.#pieces);
    this.#pieces += 1;
  }

  get size(): number {
    return this.#marked.size;
  }

  has(piece: number): boolean {
    return this.#marked.has(piece);
  }

  isIn(segment: number): boolean {
    if (segment >= this.#firsts.length) return false;
    const isLast = segment + 1 === this.#firsts.length;
    const after = isLast ? this.#marked.size : this.#marksBefore.at(segment + 1);
    return after > this.#marksBefore.at(segment);
  }

  firstOf(segment: number): number {
    return segment < this.#firsts.length ? this.#firsts.at(segment) : this.#pieces;
  }
}

const LONG_NAME_MAX = 64 * 1024;
const HEADER_ONLY = "123456";

/**
 * Follows the headers of a tar through the parts of its recipe. What it takes for a file only helps to find something
 * similar, so where it does not understand an archive, nothing but size depends on it.
 */
class FileWalk {
  #left = 0;
  #bodyStart = 0;
  #file: LayerFile | undefined;
  #longName: Uint8Array | undefined;
  #longSize: number | undefined;
  /** The body of a header that tells about the next one. */
  #about: { readonly type: string; readonly chunks: Uint8Array[] } | undefined;

  next(part: Part): FilePiece | undefined {
    const length = part.kind === "bytes" ? part.bytes.length : part.length;
    if (this.#left === 0 && part.kind === "bytes" && length === BLOCK && this.#header(part.bytes))
      return undefined;
    const offset = this.#bodyStart - this.#left;
    this.#left = Math.max(0, this.#left - length);
    if (part.kind === "bytes") this.#about?.chunks.push(part.bytes);
    if (this.#left === 0) this.#endAbout();
    if (part.kind !== "piece") return undefined;
    const file = this.#file;
    return { id: part.id, length, ...(file === undefined ? {} : { file }), offset };
  }

  #header(block: Uint8Array): boolean {
    const entry = parseEntry(block);
    this.#file = undefined;
    if (entry === undefined) return false;
    const { type } = entry;
    const isAbout = type === "L" || type === "K" || type === "x" || type === "g";
    const hasBody = !HEADER_ONLY.includes(type) && !isAbout;
    const size = hasBody ? (this.#longSize ?? entry.size) : entry.size;
    this.#left = size + paddingOf(size);
    this.#bodyStart = this.#left;
    if (isAbout) {
      if ((type === "L" || type === "x") && size <= LONG_NAME_MAX) this.#about = { type, chunks: [] };
      return true;
    }
    if (size > 0) this.#file = { path: trimPath(this.#longName ?? pathOf(block)), size };
    this.#longName = undefined;
    this.#longSize = undefined;
    return true;
  }

  #endAbout(): void {
    if (this.#about === undefined) return;
    const { type, chunks } = this.#about;
    const body = Buffer.concat(chunks);
    this.#about = undefined;
    if (type === "L") {
      this.#longName = textOf(body, 0, body.length);
      return;
    }
    const records = parsePax(body);
    const path = records.get("path");
    if (path !== undefined) this.#longName = Buffer.from(path);
    const size = Number(records.get("size"));
    if (Number.isSafeInteger(size) && size >= 0) this.#longSize = size;
  }
}

function pathOf(block: Uint8Array): Uint8Array {
  const name = textOf(block, 0, 100);
  // GNU headers keep other things where ustar has its prefix.
  const prefix = block[262] === 0 ? textOf(block, 345, 155) : new Uint8Array(0);
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

function trimPath(path: Uint8Array): Uint8Array {
  let from = 0;
  while (path[from] === 0x2f || (path[from] === 0x2e && path[from + 1] === 0x2f)) from += 1;
  return path.subarray(from);
}
