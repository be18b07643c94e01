import type { CargoBase, Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import type { HoldParts } from "./layer-intake.ts";
import { type LayerSketch, Sketcher } from "./layer-sketch.ts";
import { PieceSet } from "./piece-set.ts";
import { idsOfSegment } from "./recipe.ts";
import { openHeldRecipe } from "./recipe-store.ts";

/** A layer that some starting point of the receiver has, and that is held here. */
export interface BaseLayer {
  readonly diffId: Digest;
  readonly number: number;
  readonly sketch: LayerSketch;
  /** Every starting point has it. */
  readonly isCommon: boolean;
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
    const sketch = await sketchLayer(hold, diffId, (id) => {
      const place = hold.index.locate(id);
      if (place !== undefined) for (const set of holders) set.add(place.piece);
    });
    if (sketch === undefined) continue;
    known.add(diffId);
    layers.push({ diffId, number: layers.length, sketch, isCommon: holders.length === lists.length });
  }
  const [pieces = new PieceSet(), ...others] = sets;
  for (const other of others) pieces.intersect(other);
  const unknownLayers = lists.map((list) => [...list].filter((diffId) => !known.has(diffId)).length);
  return { pieces, layers, unknownLayers };
}

/** Undefined when the layer is not held, or its recipe cannot be read any more. */
export async function sketchLayer(
  hold: HoldParts,
  diffId: Digest,
  visit: (id: Uint8Array) => void,
): Promise<LayerSketch | undefined> {
  if (hold.index.layer(diffId) === undefined) return undefined;
  try {
    const recipe = await openHeldRecipe(hold.files, diffId);
    try {
      const sketcher = new Sketcher();
      for (const segment of recipe.frame.segments) {
        const ids = idsOfSegment(await recipe.plain(segment));
        sketcher.add(ids);
        for (let at = 0; at < ids.length; at += 32) visit(ids.subarray(at, at + 32));
      }
      return sketcher.finish();
    } finally {
      await recipe.close();
    }
  } catch (error) {
    if (isProblem(error, "CONTENT_DAMAGED")) return undefined;
    throw error;
  }
}
