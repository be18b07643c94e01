import type { LayerFile } from "./layer-files.ts";
import { baseName, KeyTable, maskDigits, NumberList, pathKey } from "./path-keys.ts";

/** Counterparts up to this size are taken whole, larger ones around the place in proportion. */
const WHOLE_SIZE_MAX = 2 * 1024 * 1024;
const WINDOW_RADIUS = 512 * 1024;

const SEED = { path: 1, masked: 2, name: 3, inLayer: 16 } as const;
const WANTED = -1;

/** A file of the base. `isSamePath`: it has the same path, else only a similar one. */
export interface Counterpart {
  readonly file: number;
  readonly isSamePath: boolean;
}

/**
 * Which files of the base resemble those that have missing pieces. First all of these are wanted; then the files of the
 * base are offered, and only what is wanted is remembered; then one asks. Nothing but numbers is kept.
 */
export class Counterparts {
  readonly #keys = new KeyTable();
  readonly #starts = new NumberList();
  /** Pieces of all remembered files in a row, and where each ends in that row; number 0 is a piece that cannot be used. */
  readonly #pieces = new NumberList();
  readonly #ends = new NumberList();
  #end = 0;

  /** `pair` is the number of the layer of the base that resembles the file's own most. */
  want(file: LayerFile, pair: number | undefined): void {
    for (const key of keysOf(file.path, pair))
      if (this.#keys.get(key) === undefined) this.#keys.set(key, WANTED);
  }

  /** A file in a layer of the base, if it is wanted: the caller then adds its pieces and settles it. */
  offer(file: LayerFile, layer: number): OfferedFile | undefined {
    const keys = keysOf(file.path, layer).filter((key) => this.#keys.get(key) === WANTED);
    return keys.length === 0 ? undefined : new OfferedFile(keys);
  }

  settle(offered: OfferedFile): void {
    if (!offered.pieces.some(({ piece }) => piece !== 0)) return;
    const file = this.#starts.length;
    this.#starts.push(this.#pieces.length);
    for (const { piece, length } of offered.pieces) {
      this.#pieces.push(piece);
      this.#end += length;
      this.#ends.push(this.#end);
    }
    for (const key of offered.keys) this.#keys.set(key, file);
  }

  find(file: LayerFile, pair: number | undefined): Counterpart | undefined {
    for (const [rank, key] of keysOf(file.path, pair).entries()) {
      const found = this.#keys.get(key);
      if (found !== undefined && found !== WANTED)
        return { file: found, isSamePath: rank < (pair === undefined ? 1 : 2) };
    }
    return undefined;
  }

  /** The pieces of the base that resemble this one: of a small counterpart all, of a large one those around the same place. */
  piecesLike(
    counterpart: Counterpart,
    piece: { readonly offset: number; readonly length: number; readonly fileSize: number },
  ): number[] {
    const from = this.#starts.at(counterpart.file);
    const isLast = counterpart.file + 1 === this.#starts.length;
    const to = isLast ? this.#pieces.length : this.#starts.at(counterpart.file + 1);
    const base = from === 0 ? 0 : this.#ends.at(from - 1);
    const size = this.#ends.at(to - 1) - base;
    const scale = size / Math.max(1, piece.fileSize);
    const isWhole = size <= WHOLE_SIZE_MAX;
    const start = isWhole ? 0 : piece.offset * scale - WINDOW_RADIUS;
    const end = isWhole ? size : (piece.offset + piece.length) * scale + WINDOW_RADIUS;
    const like: number[] = [];
    for (let at = this.#ends.firstAbove(base + start, from); at < to; at += 1) {
      if (at > from && this.#ends.at(at - 1) - base >= end) break;
      if (this.#pieces.at(at) !== 0) like.push(this.#pieces.at(at));
    }
    return like;
  }
}

export class OfferedFile {
  readonly keys: readonly number[];
  readonly pieces: { readonly piece: number; readonly length: number }[] = [];

  constructor(keys: readonly number[]) {
    this.keys = keys;
  }
}

/** In the order in which they are asked: the same path in the layer most alike, anywhere; the path without its numbers; the name. */
function keysOf(path: Uint8Array, layer: number | undefined): number[] {
  const keys = [
    pathKey(path, SEED.path),
    pathKey(maskDigits(path), SEED.masked),
    pathKey(baseName(path), SEED.name),
  ];
  return layer === undefined ? keys : [pathKey(path, SEED.inLayer + layer), ...keys];
}
