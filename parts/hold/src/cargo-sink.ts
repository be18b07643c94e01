import { hash } from "node:crypto";
import { contentProblem, type Digest, type PackFile } from "@sampan/content";
import { digestOf, type TempFile } from "./hold-files.ts";
import type { PiecePlace } from "./hold-index.ts";
import { HOLD_LEVEL, type HoldParts, keepLayer } from "./layer-intake.ts";
import { type DictionaryNeed, decodePack, type PieceRun, readPackFrame } from "./pack.ts";
import { readPieces } from "./piece-reader.ts";
import type { RecipeBase } from "./recipe.ts";
import { transcribe } from "./recipe-cargo.ts";
import { openDictionary } from "./recipe-dictionary.ts";
import { type DictionaryOf, openRecipe } from "./recipe-file.ts";
import { type HeldRecipe, openHeldRecipe } from "./recipe-store.ts";

/** Keeps a pack that came from outside: its file and every piece in it are verified first. */
export async function addPack(hold: HoldParts, pack: PackFile): Promise<void> {
  if (digestOf(pack.bytes) !== pack.digest)
    throw contentProblem("CONTENT_MISMATCH", `these bytes are not pack ${pack.digest}`);
  const { index, now } = hold;
  if (hasPack(hold, pack.digest)) {
    index.transaction(() => index.touchPacks([index.pack(pack.digest)!.pack], now()));
    return;
  }
  const isPlain = readPackFrame(pack.bytes).dictionary === undefined;
  const run = await decodePack(pack.bytes, (need) => gatherDictionary(hold, pack.digest, need));
  const lacking = piecesLacking(hold, run);
  if (lacking.ids.length > 0 && isPlain)
    return hold.packs.keep({ ...pack, sequence: run.sequence }, run, { now });
  // What was told by the base stands on its own from here on.
  if (lacking.ids.length > 0) await hold.packs.make(lacking, { level: HOLD_LEVEL, now });
  const { sequence, ids } = run;
  index.transaction(() => {
    index.touchPacks(new Set(ids.map((id) => index.locate(id)!.pack)), now());
    const sizes = { size: pack.bytes.length, rawSize: run.raw.length };
    index.absorbPack({ digest: pack.digest, ...sizes, sequence, ids }, now());
  });
}

export function hasPack(hold: HoldParts, digest: Digest): boolean {
  const row = hold.index.pack(digest);
  return row !== undefined && row.state !== "damaged";
}

/** The pieces of a run that no sound pack holds. */
function piecesLacking({ index }: HoldParts, run: PieceRun): PieceRun {
  const damaged = index.damagedPacks();
  const lengths: number[] = [];
  const ids: Uint8Array[] = [];
  const pieces: Uint8Array[] = [];
  let at = 0;
  run.ids.forEach((id, number) => {
    const length = run.lengths[number]!;
    const place = index.locate(id);
    if (place === undefined || damaged.has(place.pack)) {
      lengths.push(length);
      ids.push(id);
      pieces.push(run.raw.subarray(at, at + length));
    }
    at += length;
  });
  return { raw: lengths.length === run.lengths.length ? run.raw : Buffer.concat(pieces), lengths, ids };
}

/** The dictionary of a pack from held pieces. Nothing is allocated before they are all known to be there, and of the size that is told. */
async function gatherDictionary(hold: HoldParts, pack: Digest, need: DictionaryNeed): Promise<Uint8Array> {
  const damaged = hold.index.damagedPacks();
  const places: PiecePlace[] = [];
  let size = 1;
  for (const prefix of need.idPrefixes) {
    const place = hold.index.locateByPrefix(prefix);
    if (place === undefined || damaged.has(place.pack)) continue;
    places.push(place);
    size += place.length;
  }
  const missing = need.idPrefixes.length - places.length;
  if (missing > 0)
    throw contentProblem(
      "CONTENT_ABSENT",
      `pack ${pack} needs ${missing} pieces of its base that are not held here`,
      {
        why: `it was made for a site that has all ${need.idPrefixes.length}`,
        hint: "import the base first, or ask for a full bundle",
      },
    );
  if (size !== need.size) throw notItsDictionary(pack);
  const bytes = Buffer.allocUnsafeSlow(size);
  bytes[0] = 0;
  await readPieces(hold, places, bytes.subarray(1));
  if (Buffer.compare(hash("sha256", bytes, "buffer"), need.sha256) !== 0) throw notItsDictionary(pack);
  return bytes;
}

function notItsDictionary(pack: Digest): Error {
  return contentProblem("CONTENT_INVALID", "a pack cannot be read", {
    why: `the pieces of the base that pack ${pack} names are not those that it was made with`,
  });
}

/** Keeps a recipe that came from outside, once every byte of its layer has been rebuilt. */
export async function addLayer(
  hold: HoldParts,
  layer: { readonly diffId: Digest; readonly recipe: Uint8Array },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { index, now } = hold;
  if (index.layer(layer.diffId)?.state === "held") {
    index.transaction(() => index.touchLayer(layer.diffId, now()));
    return;
  }
  const temp = await hold.files.openTemp();
  try {
    await writeUnfolded(hold, layer.recipe, temp);
    await keepLayer(hold, layer.diffId, temp, { signal });
  } finally {
    await temp.discard();
  }
}

/** A recipe that is told by another is written out; one that stands on its own is taken as it is. */
async function writeUnfolded(hold: HoldParts, recipe: Uint8Array, temp: TempFile): Promise<void> {
  let base: HeldRecipe | undefined;
  const openBase = async (wanted: RecipeBase): Promise<DictionaryOf> => {
    if (hold.index.layer(wanted.diffId) === undefined)
      throw contentProblem("CONTENT_ABSENT", `layer ${wanted.diffId} of the base is not held here`, {
        why: "a recipe that came is told by it",
        hint: "import the base first, or ask for a full bundle",
      });
    base = await openHeldRecipe(hold.files, wanted.diffId);
    return openDictionary(base, wanted);
  };
  try {
    const readAt = async (at: number, length: number) => recipe.subarray(at, at + length);
    const source = await openRecipe(readAt, recipe.length, openBase);
    if (source.frame.base === undefined) await temp.write(recipe);
    else await transcribe(source, (bytes) => temp.write(bytes));
  } finally {
    await base?.close();
  }
}
