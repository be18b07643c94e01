import type { CargoBase, Digest } from "@sampan/content";
import { type BaseLayer, type BaseView, readBase, sketchLayer } from "./base-view.ts";
import { Counterparts, type OfferedFile } from "./counterparts.ts";
import { type LayerFile, PieceMarks, readFilePieces } from "./layer-files.ts";
import type { HoldParts } from "./layer-intake.ts";
import { mostAlike } from "./layer-sketch.ts";
import { locatePiece } from "./needed-layer.ts";
import { PieceSet } from "./piece-set.ts";

/** What is known of a base and of the layers that are to be told by it, before anything is packed. */
export interface Increment {
  readonly base: BaseView;
  readonly counterparts: Counterparts;
  /** By layer, in the order of the layers. */
  readonly layers: ReadonlyMap<Digest, IncrementLayer>;
  /** Different pieces of the layers that the base has. */
  readonly reused: { readonly count: number; readonly bytes: number };
  readonly missingBytes: number;
}

/** What is counted while layers are compared. */
interface Tally {
  readonly seen: PieceSet;
  readonly reused: { count: number; bytes: number };
  missingBytes: number;
}

export interface IncrementLayer {
  /** The pieces that the base lacks and no layer before has. */
  readonly missing: PieceMarks;
  /** The layer of the base that shares most pieces with it, if one shares any. */
  readonly pair: BaseLayer | undefined;
}

/**
 * Reads the recipes of the base and of the layers, and finds out which files of the base resemble those with missing pieces.
 * Memory: bits for pieces, and some dozen bytes for each file that has missing pieces. Throws CONTENT_ABSENT, CONTENT_DAMAGED.
 */
export async function prepareIncrement(
  hold: HoldParts,
  diffIds: readonly Digest[],
  options: { readonly base: CargoBase; readonly signal?: AbortSignal | undefined },
): Promise<Increment> {
  const base = await readBase(hold, options.base, options.signal);
  const layers = new Map<Digest, IncrementLayer>();
  const tally: Tally = { seen: new PieceSet(), reused: { count: 0, bytes: 0 }, missingBytes: 0 };
  for (const diffId of new Set(diffIds)) {
    options.signal?.throwIfAborted();
    layers.set(diffId, await compareLayer(hold, diffId, base, tally));
  }
  const counterparts = new Counterparts();
  const changed = [...layers].filter(([, { missing }]) => missing.size > 0);
  for (const [diffId, layer] of changed) await wantCounterparts(hold, diffId, layer, counterparts);
  if (changed.length > 0)
    for (const layer of base.layers) {
      options.signal?.throwIfAborted();
      await offerFiles(hold, layer, base, counterparts);
    }
  return { base, counterparts, layers, reused: tally.reused, missingBytes: tally.missingBytes };
}

async function compareLayer(
  hold: HoldParts,
  diffId: Digest,
  base: BaseView,
  tally: Tally,
): Promise<IncrementLayer> {
  const missing = new PieceMarks();
  const sketch = await sketchLayer(hold, diffId, {
    segment: () => missing.beginSegment(),
    id: (id) => {
      const place = locatePiece(hold.index, diffId, id);
      const isNew = tally.seen.add(place.piece);
      const isHeld = base.pieces.has(place.piece);
      missing.add(isNew && !isHeld);
      if (!isNew) return;
      if (!isHeld) {
        tally.missingBytes += place.length;
        return;
      }
      tally.reused.count += 1;
      tally.reused.bytes += place.length;
    },
  });
  return { missing, pair: mostAlike(sketch, base.layers) };
}

async function wantCounterparts(
  hold: HoldParts,
  diffId: Digest,
  { missing, pair }: IncrementLayer,
  counterparts: Counterparts,
): Promise<void> {
  let wanted: LayerFile | undefined;
  for await (const { first, pieces } of readFilePieces(hold.files, diffId, missing))
    for (const [number, { file }] of pieces.entries()) {
      if (file === undefined || file === wanted || !missing.has(first + number)) continue;
      counterparts.want(file, pair?.number);
      wanted = file;
    }
}

async function offerFiles(
  hold: HoldParts,
  layer: BaseLayer,
  base: BaseView,
  counterparts: Counterparts,
): Promise<void> {
  const damaged = hold.index.damagedPacks();
  let file: LayerFile | undefined;
  let offered: OfferedFile | undefined;
  const settle = () => {
    if (offered !== undefined) counterparts.settle(offered);
  };
  for await (const { pieces } of readFilePieces(hold.files, layer.diffId))
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
