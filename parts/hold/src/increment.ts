import { type CargoBase, contentProblem, type Digest } from "@sampan/content";
import { type BaseLayer, type BaseView, readBase, sketchLayer } from "./base-view.ts";
import { Counterparts, type OfferedFile } from "./counterparts.ts";
import { type LayerFile, readFilePieces } from "./layer-files.ts";
import type { HoldParts } from "./layer-intake.ts";
import { type LayerSketch, mostAlike } from "./layer-sketch.ts";

/** What is known of a base and of the layers that are to be told by it, before anything is packed. */
export interface Increment {
  readonly base: BaseView;
  readonly counterparts: Counterparts;
  /** The layer of the base that shares most pieces with a layer, for those that share any. */
  readonly pairs: ReadonlyMap<Digest, BaseLayer>;
  readonly sketches: ReadonlyMap<Digest, LayerSketch>;
}

/**
 * Reads the recipes of the base and of the layers, and finds out which files of the base resemble those with missing pieces.
 * Memory: bits for pieces, and some dozen bytes for each file that has missing pieces. Throws CONTENT_ABSENT.
 */
export async function prepareIncrement(
  hold: HoldParts,
  diffIds: readonly Digest[],
  options: { readonly base: CargoBase; readonly signal?: AbortSignal | undefined },
): Promise<Increment> {
  const base = await readBase(hold, options.base, options.signal);
  const pairs = new Map<Digest, BaseLayer>();
  const sketches = new Map<Digest, LayerSketch>();
  const changed: Digest[] = [];
  for (const diffId of new Set(diffIds)) {
    options.signal?.throwIfAborted();
    let isChanged = false;
    const sketch = await sketchLayer(hold, diffId, (id) => {
      isChanged ||= !isHeldBy(hold, base, id);
    });
    if (sketch === undefined) throw contentProblem("CONTENT_ABSENT", `layer ${diffId} is not held here`);
    sketches.set(diffId, sketch);
    const pair = mostAlike(sketch, base.layers);
    if (pair !== undefined) pairs.set(diffId, pair);
    if (isChanged) changed.push(diffId);
  }
  const counterparts = new Counterparts();
  const increment = { base, counterparts, pairs, sketches };
  for (const diffId of changed) await wantCounterparts(hold, diffId, increment);
  if (changed.length > 0)
    for (const layer of base.layers) {
      options.signal?.throwIfAborted();
      await offerFiles(hold, layer, increment);
    }
  return increment;
}

function isHeldBy(hold: HoldParts, base: BaseView, id: Uint8Array): boolean {
  const place = hold.index.locate(id);
  return place !== undefined && base.pieces.has(place.piece);
}

async function wantCounterparts(hold: HoldParts, diffId: Digest, increment: Increment): Promise<void> {
  let wanted: LayerFile | undefined;
  for await (const pieces of readFilePieces(hold.files, diffId))
    for (const { id, file } of pieces) {
      if (file === undefined || file === wanted || isHeldBy(hold, increment.base, id)) continue;
      increment.counterparts.want(file, increment.pairs.get(diffId)?.number);
      wanted = file;
    }
}

async function offerFiles(hold: HoldParts, layer: BaseLayer, increment: Increment): Promise<void> {
  const { base, counterparts } = increment;
  const damaged = hold.index.damagedPacks();
  let file: LayerFile | undefined;
  let offered: OfferedFile | undefined;
  const settle = () => {
    if (offered !== undefined) counterparts.settle(offered);
  };
  for await (const pieces of readFilePieces(hold.files, layer.diffId))
    for (const piece of pieces) {
      if (piece.file === undefined) continue;
      if (piece.file !== file) {
        settle();
        file = piece.file;
        offered = counterparts.offer(file, layer.number);
      }
      if (offered === undefined) continue;
      const place = hold.index.locate(piece.id);
      const isUsable = place !== undefined && base.pieces.has(place.piece) && !damaged.has(place.pack);
      offered.pieces.push({ piece: isUsable ? place.piece : 0, length: piece.length });
    }
  settle();
}
