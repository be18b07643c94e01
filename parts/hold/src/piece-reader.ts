import type { PiecePlace } from "./hold-index.ts";
import type { HoldParts } from "./layer-intake.ts";

/** Reads held pieces, one after another, into `room`, which has their size. Throws CONTENT_DAMAGED. */
export async function readPieces(
  hold: Pick<HoldParts, "packs">,
  places: readonly PiecePlace[],
  room: Uint8Array,
): Promise<void> {
  let at = 0;
  for (const place of places) {
    const target = room.subarray(at, at + place.length);
    let piece = hold.packs.raw.piece(place, target);
    while (piece === undefined) {
      await hold.packs.raw.load(place.pack);
      piece = hold.packs.raw.piece(place, target);
    }
    target.set(piece);
    at += place.length;
  }
}
