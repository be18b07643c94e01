import { availableParallelism } from "node:os";
import { contentProblem, type Digest, type PackFile } from "@sampan/content";
import { Bug } from "@sampan/problem";
import { digestOf } from "./hold-files.ts";
import type { PiecePlace } from "./hold-index.ts";
import type { HoldParts } from "./layer-intake.ts";
import { encodePack, PACK_LIMITS, type PieceRun, sequenceOf } from "./pack.ts";
import { madeHow } from "./pack-store.ts";
import { bufferSizeOf, fillsPack } from "./pack-writer.ts";
import { PieceSet } from "./piece-set.ts";
import { RecipeFileWriter } from "./recipe-file.ts";
import { type HeldRecipe, openHeldRecipe } from "./recipe-store.ts";

/** More packs at a time than this cost memory and win little: a reader takes them one by one. */
const IN_FLIGHT_MAX = Math.min(4, Math.max(2, availableParallelism()));

/** The recipe of each layer, coded anew: how it came into the hold must not show. */
export async function* exportRecipes(
  hold: HoldParts,
  diffIds: readonly Digest[],
): AsyncGenerator<{ readonly diffId: Digest; readonly digest: Digest; readonly bytes: Uint8Array }> {
  for (const diffId of new Set(diffIds)) {
    const recipe = await openLayer(hold, diffId);
    try {
      const chunks: Uint8Array[] = [];
      const writer = await RecipeFileWriter.begin(async (bytes) => void chunks.push(bytes));
      for (const segment of recipe.frame.segments)
        await writer.add({ plain: await recipe.plain(segment), layerBytes: segment.layerBytes });
      await writer.finish(diffId);
      const bytes = Buffer.concat(chunks);
      yield { diffId, digest: digestOf(bytes), bytes };
    } finally {
      await recipe.close();
    }
  }
}

/** The pieces of the layers in order of first use, cut into packs: which, how large, in what order. Nothing is decoded. */
export async function* planPacks(
  hold: HoldParts,
  diffIds: readonly Digest[],
  packSizeBytes: number,
): AsyncGenerator<PlannedPack> {
  const seen = new PieceSet();
  let plan = new PlannedPack();
  for (const diffId of new Set(diffIds)) {
    const recipe = await openLayer(hold, diffId);
    try {
      for (const segment of recipe.frame.segments)
        for (const part of await recipe.parts(segment)) {
          if (part.kind !== "piece") continue;
          const place = hold.index.locate(part.id);
          if (place === undefined)
            throw contentProblem("CONTENT_DAMAGED", `a piece of layer ${diffId} is gone`, {
              hint: "run `sampan hold check`; importing the bundle again mends it",
            });
          if (!seen.add(place.piece)) continue;
          if (fillsPack(plan, place.length, packSizeBytes)) {
            yield plan;
            plan = new PlannedPack();
          }
          plan.add(part.id, place);
        }
    } finally {
      await recipe.close();
    }
  }
  if (plan.count > 0) yield plan;
}

export class PlannedPack {
  readonly ids: Uint8Array[] = [];
  readonly places: PiecePlace[] = [];
  size = 0;

  get count(): number {
    return this.ids.length;
  }

  add(id: Uint8Array, place: PiecePlace): void {
    this.ids.push(id.slice());
    this.places.push(place);
    this.size += place.length;
  }
}

/** The packs of the plan, in order. Several are compressed at a time; a held pack that is already the wanted one is given as it is. */
export async function* exportPacks(
  hold: HoldParts,
  diffIds: readonly Digest[],
  options: { readonly level: number; readonly packSizeBytes: number; readonly signal?: AbortSignal },
): AsyncGenerator<PackFile> {
  const { packSizeBytes } = options;
  if (packSizeBytes > PACK_LIMITS.sizeMax) throw new Bug(`packs of ${packSizeBytes} bytes are too large`);
  const underWay: Promise<PackFile>[] = [];
  const buffers: Uint8Array[] = [];
  try {
    for await (const plan of planPacks(hold, diffIds, packSizeBytes)) {
      options.signal?.throwIfAborted();
      const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(bufferSizeOf(packSizeBytes));
      const made = await beginPack(hold, plan, { level: options.level, buffer });
      made.pack.finally(() => buffers.push(buffer)).catch(() => undefined);
      underWay.push(made.pack);
      if (underWay.length >= IN_FLIGHT_MAX) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** Gathers the pieces now and packs them in the thread pool: what is returned settles later, so it is wrapped. */
async function beginPack(
  hold: HoldParts,
  plan: PlannedPack,
  { level, buffer }: { readonly level: number; readonly buffer: Uint8Array },
): Promise<{ readonly pack: Promise<PackFile> }> {
  const same = hold.index.packOfSequence(sequenceOf(plan.ids), madeHow(level));
  if (same !== undefined)
    return { pack: hold.packs.file(same).then((bytes) => ({ digest: same.digest, bytes })) };
  const run = await gatherRun(hold, plan, buffer);
  return { pack: encodePack(run, level).then(({ digest, bytes }) => ({ digest, bytes })) };
}

/** Reads the pieces of a plan, one after another, into a buffer of at least its size. */
export async function gatherRun(hold: HoldParts, plan: PlannedPack, buffer: Uint8Array): Promise<PieceRun> {
  const raw = buffer.subarray(0, plan.size);
  let at = 0;
  for (const place of plan.places) {
    const room = raw.subarray(at, at + place.length);
    let piece = hold.packs.raw.piece(place, room);
    while (piece === undefined) {
      await hold.packs.raw.load(place.pack);
      piece = hold.packs.raw.piece(place, room);
    }
    room.set(piece);
    at += place.length;
  }
  return { raw, lengths: plan.places.map(({ length }) => length), ids: plan.ids };
}

export async function measureCargo(
  hold: HoldParts,
  diffIds: readonly Digest[],
): Promise<{ readonly pieceCount: number; readonly pieceBytes: number; readonly recipeBytes: number }> {
  let pieceCount = 0;
  let pieceBytes = 0;
  for await (const plan of planPacks(hold, diffIds, PACK_LIMITS.sizeMax)) {
    pieceCount += plan.count;
    pieceBytes += plan.size;
  }
  let recipeBytes = 0;
  for (const diffId of new Set(diffIds)) recipeBytes += hold.index.layer(diffId)?.recipeSize ?? 0;
  return { pieceCount, pieceBytes, recipeBytes };
}

async function openLayer(hold: HoldParts, diffId: Digest): Promise<HeldRecipe> {
  if (hold.index.layer(diffId) === undefined)
    throw contentProblem("CONTENT_ABSENT", `layer ${diffId} is not held here`);
  return openHeldRecipe(hold.files, diffId);
}
