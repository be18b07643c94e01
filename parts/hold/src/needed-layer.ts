import { contentProblem, type Digest } from "@sampan/content";
import type { HoldIndex, PiecePlace } from "./hold-index.ts";
import type { HoldParts } from "./layer-intake.ts";
import { type HeldRecipe, openHeldRecipe } from "./recipe-store.ts";

/** The recipe of a layer that must be here; the caller closes it. Throws CONTENT_ABSENT, CONTENT_DAMAGED. */
export async function openLayer(hold: HoldParts, diffId: Digest): Promise<HeldRecipe> {
  if (hold.index.layer(diffId) === undefined)
    throw contentProblem("CONTENT_ABSENT", `layer ${diffId} is not held here`);
  return openHeldRecipe(hold.files, diffId);
}

/** Where a piece of a held layer is. Throws CONTENT_DAMAGED. */
export function locatePiece(index: HoldIndex, diffId: Digest, id: Uint8Array): PiecePlace {
  const place = index.locate(id);
  if (place === undefined)
    throw contentProblem("CONTENT_DAMAGED", `a piece of layer ${diffId} is gone`, {
      hint: "run `sampan hold check`; importing the bundle again mends it",
    });
  return place;
}
