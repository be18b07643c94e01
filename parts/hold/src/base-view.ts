import type { CargoBase, Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import type { HoldParts } from "./layer-intake.ts";
import { type LayerSketch, Sketcher } from "./layer-sketch.ts";
import { openLayer } from "./needed-layer.ts";
import { PieceSet } from "./piece-set.ts";
import { idsOfSegment } from "./recipe.ts";

/** A layer that some starting point of the receiver has, and that is held here. */
export interface BaseLayer {
  readonly diffId: Digest;
  readonly number: number;
  readonly sketch: LayerSketch;
}

/** What can be counted on at the receiver. */
export interface BaseView {
  /** By their numbers here: what every starting point has. */
  readonly pieces: PieceSet;
  readonly layers: readonly BaseLayer[];
  /** Per starting point: layers that are not held here, or no longer readable. */
  readonly unknownLayers: readonly number[];
}

/** Reads the ids of every known layer once. */
export async function readBase(hold: HoldParts, base: CargoBase, signal?: AbortSignal): Promise<BaseView> {
  const lists = base.map((diffIds) => new Set(diffIds));
  const sets = lists.map(() => new PieceSet());
  const layers: BaseLayer[] = [];
  const known = new Set<Digest>();
  for (const diffId of new Set(base.flat())) {
    signal?.throwIfAborted();
    const holders = sets.filter((_, list) => lists[list]!.has(diffId));
    const sketch = await sketchLayer(hold, diffId, {
      id: (id) => {
        const place = hold.index.locate(id);
        if (place !== undefined) for (const set of holders) set.add(place.piece);
      },
    }).catch(isUnknown);
    if (sketch === undefined) continue;
    known.add(diffId);
    layers.push({ diffId, number: layers.length, sketch });
  }
  const [pieces = new PieceSet(), ...others] = sets;
  for (const other of others) pieces.intersect(other);
  const unknownLayers = lists.map((list) => [...list].filter((diffId) => !known.has(diffId)).length);
  return { pieces, layers, unknownLayers };
}

/** The held layers that every starting point has: recipes can be told by these. */
export async function sketchCommonLayers(
  hold: HoldParts,
  [first = [], ...others]: CargoBase,
): Promise<{ readonly diffId: Digest; readonly sketch: LayerSketch }[]> {
  const lists = others.map((diffIds) => new Set(diffIds));
  const layers: { readonly diffId: Digest; readonly sketch: LayerSketch }[] = [];
  for (const diffId of new Set(first)) {
    if (!lists.every((list) => list.has(diffId))) continue;
    const sketch = await sketchLayer(hold, diffId).catch(isUnknown);
    if (sketch !== undefined) layers.push({ diffId, sketch });
  }
  return layers;
}

/** Reads the ids of a held layer in order. Throws CONTENT_ABSENT, CONTENT_DAMAGED. */
export async function sketchLayer(
  hold: HoldParts,
  diffId: Digest,
  visit: { readonly id?: (id: Uint8Array) => void; readonly segment?: () => void } = {},
): Promise<LayerSketch> {
  const recipe = await openLayer(hold, diffId);
  try {
    const sketcher = new Sketcher();
    for (const segment of recipe.frame.segments) {
      const ids = idsOfSegment(await recipe.plain(segment));
      sketcher.add(ids);
      visit.segment?.();
      if (visit.id === undefined) continue;
      for (let at = 0; at < ids.length; at += 32) visit.id(ids.subarray(at, at + 32));
    }
    return sketcher.finish();
  } finally {
    await recipe.close();
  }
}

function isUnknown(error: unknown): undefined {
  if (isProblem(error, "CONTENT_ABSENT") || isProblem(error, "CONTENT_DAMAGED")) return undefined;
  throw error;
}
