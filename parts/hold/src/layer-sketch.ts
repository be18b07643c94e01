import { NumberList } from "./path-keys.ts";

const SKETCH_SIZE = 512;

/** A few of the ids in a layer, the smallest: enough to tell how many pieces two layers share. Ids are digests, so it is a fair sample. */
export interface LayerSketch {
  readonly smallest: Float64Array;
  /** Different ids in the layer, nearly. */
  readonly pieces: number;
}

export class Sketcher {
  readonly #heads = new NumberList();

  /** Ids of 32 bytes, one after another. */
  add(ids: Uint8Array): void {
    const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
    for (let at = 0; at < ids.length; at += 32) this.#heads.push(view.getUint32(at));
  }

  finish(): LayerSketch {
    const heads = this.#heads.view().slice().sort();
    let pieces = 0;
    for (let at = 0; at < heads.length; at += 1)
      if (at === 0 || heads[at] !== heads[at - 1]) {
        heads[pieces] = heads[at]!;
        pieces += 1;
      }
    return { smallest: heads.slice(0, Math.min(pieces, SKETCH_SIZE)), pieces };
  }
}

/** How many pieces two layers share, about. */
export function sharedPieces(one: LayerSketch, other: LayerSketch): number {
  let common = 0;
  let seen = 0;
  const [a, b] = [one.smallest, other.smallest];
  for (let i = 0, j = 0; seen < SKETCH_SIZE && i < a.length && j < b.length; seen += 1) {
    if (a[i] === b[j]) common += 1;
    const [x, y] = [a[i]!, b[j]!];
    if (x <= y) i += 1;
    if (y <= x) j += 1;
  }
  if (common === 0) return 0;
  // Where both sketches are whole, what is left of the longer one is in neither's intersection, and counting is exact.
  const isWhole = one.pieces <= SKETCH_SIZE && other.pieces <= SKETCH_SIZE;
  if (isWhole) return common;
  const likeness = common / seen;
  return (likeness / (1 + likeness)) * (one.pieces + other.pieces);
}

/** The one that shares most, the first of equals; undefined when none shares anything. */
export function mostAlike<T extends { readonly sketch: LayerSketch }>(
  sketch: LayerSketch,
  candidates: readonly T[],
): T | undefined {
  let best: T | undefined;
  let most = 0;
  for (const candidate of candidates) {
    const shared = sharedPieces(sketch, candidate.sketch);
    if (shared <= most) continue;
    most = shared;
    best = candidate;
  }
  return best;
}
