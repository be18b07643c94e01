import type { Digest } from "@sampan/content";
import type { BlobStore } from "./blob-store.ts";
import { yieldTurn } from "./gate.ts";
import { fromBlob, type HoldIndex, type PackRow } from "./hold-index.ts";
import { IMAGE_LIMITS, linksOf } from "./image-form.ts";
import type { HoldParts } from "./layer-intake.ts";
import { PieceSet } from "./piece-set.ts";
import { openHeldRecipe } from "./recipe-store.ts";

/** A pack is written anew when less than this part of it is still in use. */
const LIVE_SHARE_MIN = 0.5;
const ROWS_AT_ONCE = 20_000;

export interface PruneInputs {
  /** Image IDs that stay, with all they need, beside what references reach. */
  readonly protect: readonly Digest[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What came or was used later than this before `now` stays: somebody may be about to refer to it. */
  readonly keepYoungerThanMs: number;
}

/** What a pruning would do, as data: to be shown first. Sizes are stored bytes. */
export interface PrunePlan {
  readonly inputs: PruneInputs;
  readonly goes: {
    readonly images: readonly Digest[];
    readonly layers: readonly { readonly diffId: Digest; readonly size: number }[];
    readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
    readonly packs: readonly { readonly digest: Digest; readonly size: number }[];
    /** Packs written anew without what is not needed; `bytesFreed` of each is an estimate. */
    readonly rewrites: readonly {
      readonly digest: Digest;
      readonly size: number;
      readonly bytesFreed: number;
    }[];
  };
  /** Every image that stays, and what protects it. */
  readonly keeps: readonly { readonly imageId: Digest; readonly because: string }[];
  readonly bytesFreed: number;
}

/** What stays of images, layers and blobs. */
export interface Marks {
  readonly images: ReadonlyMap<Digest, string>;
  readonly layers: ReadonlySet<Digest>;
  readonly blobs: ReadonlySet<Digest>;
}

/** Throws CONTENT_DAMAGED when a recipe or manifest that stays cannot be read: what it needs would not be known. */
export async function planPrune(hold: HoldParts, blobs: BlobStore, inputs: PruneInputs): Promise<PrunePlan> {
  const marks = await mark(hold.index, blobs, inputs);
  const layers = hold.index.layers();
  const goneLayers = layers.filter(({ diffId }) => !marks.layers.has(diffId));
  const goneBlobs = blobRows(hold.index).filter(({ digest }) => !marks.blobs.has(digest));
  const live = await markPieces(
    hold,
    layers.map(({ diffId }) => diffId).filter((diffId) => marks.layers.has(diffId)),
  );
  const { drop, rewrite } = choosePacks(hold.index, await weighPacks(hold.index, live), { inputs, marks });
  const goes: PrunePlan["goes"] = {
    images: hold.index
      .images()
      .map(({ image }) => image.imageId)
      .filter((imageId) => !marks.images.has(imageId)),
    layers: goneLayers.map(({ diffId, recipeSize }) => ({ diffId, size: recipeSize })),
    blobs: goneBlobs.map(({ digest, size }) => ({ digest, size })),
    packs: drop.map(({ digest, size }) => ({ digest, size })),
    rewrites: rewrite.map(({ row, liveBytes }) => ({
      digest: row.digest,
      size: row.size,
      bytesFreed: Math.floor(row.size * (1 - liveBytes / row.rawSize)),
    })),
  };
  const freed =
    [...goes.layers, ...goes.blobs, ...goes.packs].reduce((sum, { size }) => sum + size, 0) +
    goes.rewrites.reduce((sum, { bytesFreed }) => sum + bytesFreed, 0);
  const keeps = [...marks.images].map(([imageId, because]) => ({ imageId, because }));
  return { inputs, goes, keeps, bytesFreed: freed };
}

/** Follows every root to what it needs. */
export async function mark(index: HoldIndex, blobs: BlobStore, inputs: PruneInputs): Promise<Marks> {
  const images = new Map<Digest, string>();
  const layers = new Set<Digest>();
  const kept = new Set<Digest>();
  const keepImage = (imageId: Digest, because: string) => {
    const image = index.image(imageId);
    if (image === undefined || images.has(imageId)) return;
    images.set(imageId, because);
    kept.add(imageId).add(image.manifest.digest);
    for (const { diffId } of image.layers) layers.add(diffId);
  };
  // A blob that is no manifest says nothing about others, whatever it holds.
  const follow = async (digest: Digest, because: string): Promise<void> => {
    keepImage(digest, because);
    layers.add(digest);
    const blob = index.blob(digest);
    if (blob === undefined || kept.has(digest)) return;
    kept.add(digest);
    if (blob.size > IMAGE_LIMITS.configSizeMax) return;
    const links = linksOf(await blobs.readAll(digest, IMAGE_LIMITS.configSizeMax));
    if (links.config !== undefined) keepImage(links.config, because);
    for (const child of [...links.layers, ...(links.config === undefined ? [] : [links.config])]) {
      layers.add(child);
      kept.add(child);
    }
    for (const child of links.manifests) await follow(child, because);
  };
  for (const imageId of inputs.protect) keepImage(imageId, "its release is in use");
  for (const row of index.all("SELECT name, target FROM named ORDER BY name")) {
    const { digest } = JSON.parse(String(row.target)) as { digest: Digest };
    await follow(digest, `reference ${String(row.name)}`);
  }
  const youngFrom = inputs.now - inputs.keepYoungerThanMs;
  for (const { image, usedAt } of index.images())
    if (usedAt > youngFrom) keepImage(image.imageId, "it came only just now");
  for (const { diffId, usedAt } of index.layers()) if (usedAt > youngFrom) layers.add(diffId);
  for (const { digest, usedAt } of blobRows(index))
    if (usedAt > youngFrom) await follow(digest, "it came only just now");
  return { images, layers, blobs: kept };
}

function blobRows(
  index: HoldIndex,
): { readonly digest: Digest; readonly size: number; readonly usedAt: number }[] {
  return index.all("SELECT digest, size, used_at FROM blobs ORDER BY digest").map((row) => ({
    digest: fromBlob(row.digest),
    size: Number(row.size),
    usedAt: Number(row.used_at),
  }));
}

/** The pieces that these layers need. */
export async function markPieces(hold: HoldParts, diffIds: readonly Digest[]): Promise<PieceSet> {
  const live = new PieceSet();
  for (const diffId of diffIds) {
    const recipe = await openHeldRecipe(hold.files, diffId);
    try {
      for (const segment of recipe.frame.segments)
        for (const part of await recipe.parts(segment)) {
          const place = part.kind === "piece" ? hold.index.locate(part.id) : undefined;
          if (place !== undefined) live.add(place.piece);
        }
    } finally {
      await recipe.close();
    }
  }
  return live;
}

/** Raw bytes in use, by pack. */
export async function weighPacks(index: HoldIndex, live: PieceSet): Promise<ReadonlyMap<number, number>> {
  const weights = new Map<number, number>();
  const sql = "SELECT piece, pack, length FROM pieces WHERE piece > ? ORDER BY piece LIMIT ?";
  for (let after = 0; ; ) {
    const rows = index.all(sql, after, ROWS_AT_ONCE);
    for (const row of rows) {
      after = Number(row.piece);
      const pack = Number(row.pack);
      if (live.has(after)) weights.set(pack, (weights.get(pack) ?? 0) + Number(row.length));
    }
    if (rows.length < ROWS_AT_ONCE) return weights;
    await yieldTurn();
  }
}

export function choosePacks(
  index: HoldIndex,
  weights: ReadonlyMap<number, number>,
  { inputs, marks }: { readonly inputs: PruneInputs; readonly marks: Marks },
): { readonly drop: PackRow[]; readonly rewrite: { readonly row: PackRow; readonly liveBytes: number }[] } {
  const drop: PackRow[] = [];
  const rewrite: { readonly row: PackRow; readonly liveBytes: number }[] = [];
  let rows = index.packsAfter(0);
  while (rows.length > 0) {
    for (const row of rows) {
      if (row.state === "absorbed" || row.usedAt > inputs.now - inputs.keepYoungerThanMs) continue;
      // Of a bundle that is still arriving: its manifest names the pack, and the layers that need it are yet to come.
      if (marks.blobs.has(row.digest)) continue;
      const liveBytes = weights.get(row.pack) ?? 0;
      if (liveBytes === 0) drop.push(row);
      else if (row.state === "held" && liveBytes < row.rawSize * LIVE_SHARE_MIN)
        rewrite.push({ row, liveBytes });
    }
    rows = index.packsAfter(rows.at(-1)!.pack);
  }
  return { drop, rewrite };
}
