import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { type Digest, digestFromHex, type OnProgress } from "@sampan/content";
import { describeError } from "@sampan/problem";
import type { BlobStore } from "./blob-store.ts";
import { fromBlob, type LayerRow, type PackRow } from "./hold-index.ts";
import type { HoldParts } from "./layer-intake.ts";
import { decodePack } from "./pack.ts";
import { openHeldRecipe } from "./recipe-store.ts";

/** One thing that no longer verifies. */
export interface Damage {
  readonly kind: "pack" | "blob" | "layer";
  readonly digest: Digest;
  readonly why: string;
  /** Image IDs that cannot be read whole because of it; for a pack they are told with the layers it hits. */
  readonly images: readonly Digest[];
}

export interface CheckReport {
  readonly packs: number;
  readonly blobs: number;
  readonly layers: number;
  readonly bytesRead: number;
  readonly damage: readonly Damage[];
}

export interface CheckOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Reads everything again: every pack and piece, every blob, every recipe, and whether each piece that a recipe names is
 * there. What is damaged is marked, so that it is taken in anew when it comes again; what has been mended is unmarked.
 */
export async function checkHold(
  hold: HoldParts,
  blobs: BlobStore,
  { signal, onProgress }: CheckOptions,
): Promise<CheckReport> {
  const damage: Damage[] = [];
  const counts = { packs: 0, blobs: 0, layers: 0 };
  const total = storedTotal(hold);
  let bytesRead = 0;
  const advance = (bytes: number) => {
    signal?.throwIfAborted();
    bytesRead += bytes;
    onProgress?.({ stage: "check", done: bytesRead, total });
  };
  for (let rows = hold.index.packsAfter(0); rows.length > 0; rows = hold.index.packsAfter(rows.at(-1)!.pack))
    for (const row of rows.filter(({ state }) => state !== "absorbed")) {
      const why = await faultOfPack(hold, row);
      if (why !== undefined) damage.push({ kind: "pack", digest: row.digest, why, images: [] });
      counts.packs += 1;
      advance(row.size);
    }
  const users = imagesBy(hold);
  for (const row of hold.index.all("SELECT digest, size FROM blobs ORDER BY digest")) {
    const digest = fromBlob(row.digest);
    const why = await faultOfBlob(blobs, digest, Number(row.size));
    if (why !== undefined) damage.push({ kind: "blob", digest, why, images: users.get(digest) ?? [] });
    counts.blobs += 1;
    advance(Number(row.size));
  }
  const damagedPacks = hold.index.damagedPacks();
  for (const row of hold.index.layers()) {
    const why = await faultOfLayer(hold, row, damagedPacks);
    if (why !== undefined)
      damage.push({ kind: "layer", digest: row.diffId, why, images: users.get(row.diffId) ?? [] });
    const state = why === undefined ? "held" : "damaged";
    if (state !== row.state) hold.index.transaction(() => hold.index.setLayerState(row.diffId, state));
    counts.layers += 1;
    advance(row.recipeSize);
  }
  return { ...counts, bytesRead, damage };
}

async function faultOfPack(hold: HoldParts, row: PackRow): Promise<string | undefined> {
  try {
    const run = await decodePack(await hold.packs.file(row));
    let offset = 0;
    run.ids.forEach((id, number) => {
      const place = hold.index.locate(id);
      const length = run.lengths[number]!;
      if (place?.pack === row.pack && (place.offset !== offset || place.length !== length))
        throw new Error("the index tells another place of a piece than it has");
      offset += length;
    });
    if (row.state === "damaged") hold.index.markPackSound(row.pack);
    return undefined;
  } catch (error) {
    if (row.state === "held") hold.index.markPackDamaged(row.pack);
    return describeError(error);
  }
}

async function faultOfBlob(blobs: BlobStore, digest: Digest, size: number): Promise<string | undefined> {
  try {
    for await (const _ of blobs.read(digest, size, { start: 0, end: size }));
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

async function faultOfLayer(
  hold: HoldParts,
  row: LayerRow,
  damagedPacks: ReadonlySet<number>,
): Promise<string | undefined> {
  try {
    if ((await digestOfRecipe(hold, row.diffId)) !== row.recipeDigest)
      return "its recipe is not what was written";
    const recipe = await openHeldRecipe(hold.files, row.diffId);
    let lost = 0;
    try {
      for (const segment of recipe.frame.segments)
        for (const part of await recipe.parts(segment)) {
          if (part.kind !== "piece") continue;
          const place = hold.index.locate(part.id);
          if (place === undefined || damagedPacks.has(place.pack)) lost += 1;
        }
    } finally {
      await recipe.close();
    }
    return lost === 0 ? undefined : `${lost} pieces of it are lost`;
  } catch (error) {
    return describeError(error);
  }
}

async function digestOfRecipe(hold: HoldParts, diffId: Digest): Promise<Digest> {
  const handle = await open(hold.files.path("recipes", diffId), "r");
  const hasher = createHash("sha256");
  for await (const chunk of handle.createReadStream()) hasher.update(chunk as Uint8Array);
  return digestFromHex(hasher.digest("hex"));
}

/** Image IDs by what they are made of: layers, config, manifest. */
function imagesBy(hold: HoldParts): Map<Digest, Digest[]> {
  const users = new Map<Digest, Digest[]>();
  for (const { image } of hold.index.images())
    for (const digest of [image.imageId, image.manifest.digest, ...image.layers.map(({ diffId }) => diffId)])
      users.set(digest, [...(users.get(digest) ?? []), image.imageId]);
  return users;
}

function storedTotal(hold: HoldParts): number {
  const { packs, recipes, blobs } = measureHold(hold);
  return packs.storedBytes + recipes.storedBytes + blobs.storedBytes;
}

/** What is in a hold: counts and bytes. */
export interface HoldStats {
  readonly images: number;
  readonly references: number;
  /** `bytes`: of the layers' tars, as if each were kept whole. */
  readonly layers: { readonly count: number; readonly bytes: number };
  readonly pieces: { readonly count: number; readonly bytes: number };
  readonly packs: { readonly count: number; readonly damaged: number; readonly storedBytes: number };
  readonly recipes: { readonly storedBytes: number };
  readonly blobs: { readonly count: number; readonly storedBytes: number };
}

export function measureHold({ index }: HoldParts): HoldStats {
  const row = index.get(`
    SELECT * FROM
      (SELECT count(*) AS images FROM images), (SELECT count(*) AS refs FROM named),
      (SELECT count(*) AS layers, total(size) AS layer_bytes, total(recipe_size) AS recipe_bytes FROM layers),
      (SELECT count(*) AS blobs, total(size) AS blob_bytes FROM blobs),
      (SELECT count(*) AS packs, total(state = 'damaged') AS damaged, total(pieces) AS pieces,
              total(raw_size) AS raw, total(size) AS pack_bytes FROM packs WHERE state <> 'absorbed')`);
  const number = (name: string) => Number(row?.[name] ?? 0);
  return {
    images: number("images"),
    references: number("refs"),
    layers: { count: number("layers"), bytes: number("layer_bytes") },
    pieces: { count: number("pieces"), bytes: number("raw") },
    packs: { count: number("packs"), damaged: number("damaged"), storedBytes: number("pack_bytes") },
    recipes: { storedBytes: number("recipe_bytes") },
    blobs: { count: number("blobs"), storedBytes: number("blob_bytes") },
  };
}
