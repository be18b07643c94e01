import { contentProblem, type Digest, type PackFile } from "@sampan/content";
import { digestOf } from "./hold-files.ts";
import { type HoldParts, keepLayer } from "./layer-intake.ts";
import { decodePack } from "./pack.ts";

/** Keeps a pack that came from outside: its file and every piece in it are verified first. */
export async function addPack(hold: HoldParts, pack: PackFile): Promise<void> {
  if (digestOf(pack.bytes) !== pack.digest)
    throw contentProblem("CONTENT_MISMATCH", `these bytes are not pack ${pack.digest}`);
  const { index, now } = hold;
  if (hasPack(hold, pack.digest)) {
    index.transaction(() => index.touchPacks([index.pack(pack.digest)!.pack], now()));
    return;
  }
  const run = await decodePack(pack.bytes);
  const damaged = index.damagedPacks();
  const places = run.ids.map((id) => index.locate(id));
  if (places.some((place) => place === undefined || damaged.has(place.pack)))
    return hold.packs.keep({ ...pack, sequence: run.sequence }, run, { now });
  const { sequence, ids } = run;
  index.transaction(() => {
    index.touchPacks(new Set(places.map((place) => place!.pack)), now());
    const sizes = { size: pack.bytes.length, rawSize: run.raw.length };
    index.absorbPack({ digest: pack.digest, ...sizes, sequence, ids }, now());
  });
}

export function hasPack(hold: HoldParts, digest: Digest): boolean {
  const row = hold.index.pack(digest);
  return row !== undefined && row.state !== "damaged";
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
    await temp.write(layer.recipe);
    await keepLayer(hold, layer.diffId, temp, { signal });
  } finally {
    await temp.discard();
  }
}
