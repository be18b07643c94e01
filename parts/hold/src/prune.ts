import type { Digest } from "@sampan/content";
import type { BlobStore } from "./blob-store.ts";
import { yieldTurn } from "./gate.ts";
import { type PackRow, toBlob } from "./hold-index.ts";
import { HOLD_LEVEL, type HoldParts } from "./layer-intake.ts";
import { encodePack } from "./pack.ts";
import { gatherRun } from "./pack-cargo.ts";
import { PlannedPack } from "./pack-plan.ts";
import { madeHow } from "./pack-store.ts";
import { fillsPack } from "./pack-writer.ts";
import type { PieceSet } from "./piece-set.ts";
import { choosePacks, mark, markPieces, type PrunePlan, weighPacks } from "./prune-plan.ts";

/** Few enough that others have their turn soon: each row is struck out of two trees. */
const ROWS_AT_ONCE = 4000;

export interface PruneResult {
  readonly images: number;
  readonly layers: number;
  readonly blobs: number;
  readonly packsDropped: number;
  readonly packsRewritten: number;
  /** Stored bytes before less stored bytes after. */
  readonly bytesFreed: number;
}

/**
 * Does what the plan says, less what has come into use since. Nothing else may write meanwhile. Names are struck out of the
 * index first and files removed after, so a crash leaves files that the next opening sweeps, and a plan that can be made again.
 */
export async function executePrune(hold: HoldParts, blobs: BlobStore, plan: PrunePlan): Promise<PruneResult> {
  const { index, files } = hold;
  const before = storedBytes(hold);
  const marks = await mark(index, blobs, plan.inputs);
  const images = plan.goes.images.filter((imageId) => !marks.images.has(imageId));
  const layers = plan.goes.layers.map(({ diffId }) => diffId).filter((diffId) => !marks.layers.has(diffId));
  const gone = plan.goes.blobs.map(({ digest }) => digest).filter((digest) => !marks.blobs.has(digest));
  strikeOut(hold, { images, layers, blobs: gone });
  for (const diffId of layers) await files.remove("recipes", diffId);
  for (const digest of gone) await files.remove("blobs", digest);
  const live = await markPieces(
    hold,
    index.layers().map(({ diffId }) => diffId),
  );
  const planned = new Set([...plan.goes.packs, ...plan.goes.rewrites].map(({ digest }) => digest));
  const chosen = choosePacks(index, await weighPacks(index, live), { inputs: plan.inputs, marks });
  const drop = chosen.drop.filter(({ digest }) => planned.has(digest));
  const rewrite = chosen.rewrite.map(({ row }) => row).filter(({ digest }) => planned.has(digest));
  await rewritePacks(hold, rewrite, live);
  await removePacks(hold, [...drop, ...rewrite]);
  return {
    images: images.length,
    layers: layers.length,
    blobs: gone.length,
    packsDropped: drop.length,
    packsRewritten: rewrite.length,
    bytesFreed: before - storedBytes(hold),
  };
}

function strikeOut(
  { index }: HoldParts,
  goes: {
    readonly images: readonly Digest[];
    readonly layers: readonly Digest[];
    readonly blobs: readonly Digest[];
  },
): void {
  index.transaction(() => {
    for (const imageId of goes.images) index.run("DELETE FROM images WHERE image_id = ?", toBlob(imageId));
    for (const diffId of goes.layers) index.run("DELETE FROM layers WHERE diff_id = ?", toBlob(diffId));
    for (const digest of goes.blobs) index.run("DELETE FROM blobs WHERE digest = ?", toBlob(digest));
    // Packs whose pieces other packs hold: those may be about to go.
    index.run("DELETE FROM packs WHERE state = 'absorbed'");
  });
}

/** Moves the living pieces of these packs into new ones, in the order in which they came. */
async function rewritePacks(hold: HoldParts, rows: readonly PackRow[], live: PieceSet): Promise<void> {
  const from = JSON.stringify(rows.map(({ pack }) => pack));
  const sql =
    "SELECT * FROM pieces WHERE piece > ? AND pack IN (SELECT value FROM json_each(?)) ORDER BY piece LIMIT ?";
  let plan = new PlannedPack();
  // Pieces that are moved get higher numbers in other packs, so the walk ends.
  for (let after = 0; rows.length > 0; ) {
    const found = hold.index.all(sql, after, from, ROWS_AT_ONCE);
    for (const row of found) {
      const { id, ...place } = row as unknown as { id: Uint8Array } & PlannedPack["places"][number];
      after = place.piece;
      if (!live.has(place.piece)) continue;
      if (fillsPack(plan, place.length, hold.packSizeBytes)) {
        await movePieces(hold, plan);
        plan = new PlannedPack();
      }
      plan.add(id, place);
    }
    if (found.length < ROWS_AT_ONCE) break;
    await yieldTurn();
  }
  if (plan.count > 0) await movePieces(hold, plan);
}

async function movePieces(hold: HoldParts, plan: PlannedPack): Promise<void> {
  const run = await gatherRun(hold, plan, Buffer.allocUnsafeSlow(plan.size));
  const pack = await encodePack(run, HOLD_LEVEL);
  await hold.packs.keep(pack, run, {
    made: madeHow(HOLD_LEVEL),
    now: hold.now,
    moved: plan.places.map(({ piece }) => piece),
  });
}

/** Strikes out pieces, then packs, then removes files: what is told of is always there. */
async function removePacks(hold: HoldParts, rows: readonly PackRow[]): Promise<void> {
  const { index, files } = hold;
  const from = JSON.stringify(rows.map(({ pack }) => pack));
  const last = Number(index.get("SELECT max(piece) AS last FROM pieces")?.last ?? 0);
  const sql =
    "DELETE FROM pieces WHERE piece > ? AND piece <= ? AND pack IN (SELECT value FROM json_each(?))";
  for (let after = 0; rows.length > 0 && after < last; after += ROWS_AT_ONCE) {
    index.transaction(() => index.run(sql, after, after + ROWS_AT_ONCE, from));
    await yieldTurn();
  }
  index.transaction(() => {
    for (const { pack } of rows) index.run("DELETE FROM packs WHERE pack = ?", pack);
  });
  for (const { digest } of rows) if (index.pack(digest) === undefined) await files.remove("packs", digest);
}

function storedBytes({ index }: HoldParts): number {
  const row = index.get(
    `SELECT (SELECT coalesce(sum(size), 0) FROM packs WHERE state <> 'absorbed')
          + (SELECT coalesce(sum(recipe_size), 0) FROM layers)
          + (SELECT coalesce(sum(size), 0) FROM blobs) AS bytes`,
  );
  return Number(row?.bytes);
}
