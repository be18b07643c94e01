import { availableParallelism } from "node:os";
import type { Digest, PackFile, PackingOptions } from "@sampan/content";
import { Bug } from "@sampan/problem";
import type { Increment } from "./increment.ts";
import type { HoldParts } from "./layer-intake.ts";
import { encodePack, encodePackAgainst, PACK_LIMITS, type PieceRun, sequenceOf } from "./pack.ts";
import { type PlannedDictionary, type PlannedPack, planIncrement, planPacks } from "./pack-plan.ts";
import { madeHow } from "./pack-store.ts";
import { bufferSizeOf } from "./pack-writer.ts";
import { readPieces } from "./piece-reader.ts";

/** More packs at a time than this cost memory and win little: a reader takes them one by one. */
const IN_FLIGHT_MAX = Math.min(4, Math.max(2, availableParallelism()));

/** The packs of the plan, in order. Several are compressed at a time; a held pack that is already the wanted one is given as it is. */
export async function* exportPacks(
  hold: HoldParts,
  diffIds: readonly Digest[],
  options: PackingOptions & {
    readonly increment?: Increment | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<PackFile> {
  const { packSizeBytes, level, increment } = options;
  if (packSizeBytes > PACK_LIMITS.sizeMax) throw new Bug(`packs of ${packSizeBytes} bytes are too large`);
  const plans =
    increment === undefined
      ? planPacks(hold, diffIds, packSizeBytes)
      : planIncrement(hold, increment, { packSizeBytes, level });
  const underWay: Promise<PackFile>[] = [];
  const buffers: Uint8Array[] = [];
  try {
    for await (const plan of plans) {
      options.signal?.throwIfAborted();
      const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(bufferSizeOf(packSizeBytes));
      const made = await beginPack(hold, plan, { level, buffer });
      made.pack.finally(() => buffers.push(buffer)).catch(() => undefined);
      underWay.push(made.pack);
      if (underWay.length >= IN_FLIGHT_MAX) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** One pack of a plan. */
export async function makePack(hold: HoldParts, plan: PlannedPack, level: number): Promise<PackFile> {
  const buffer = Buffer.allocUnsafeSlow(plan.size);
  return (await beginPack(hold, plan, { level, buffer })).pack;
}

/** Gathers the pieces now and packs them in the thread pool: what is returned settles later, so it is wrapped. */
async function beginPack(
  hold: HoldParts,
  plan: PlannedPack,
  { level, buffer }: { readonly level: number; readonly buffer: Uint8Array },
): Promise<{ readonly pack: Promise<PackFile> }> {
  if (plan.dictionary.count > 0) {
    const run = await gatherRun(hold, plan, buffer);
    const dictionary = await gatherDictionary(hold, plan.dictionary);
    return { pack: encodePackAgainst(dictionary, run, level).then(fileOf) };
  }
  const same = hold.index.packOfSequence(sequenceOf(plan.ids), madeHow(level));
  if (same !== undefined)
    return { pack: hold.packs.file(same).then((bytes) => ({ digest: same.digest, bytes })) };
  const run = await gatherRun(hold, plan, buffer);
  return { pack: encodePack(run, level).then(fileOf) };
}

function fileOf({ digest, bytes }: PackFile): PackFile {
  return { digest, bytes };
}

/** Reads the pieces of a plan, one after another, into a buffer of at least its size. */
export async function gatherRun(hold: HoldParts, plan: PlannedPack, buffer: Uint8Array): Promise<PieceRun> {
  const raw = buffer.subarray(0, plan.size);
  await readPieces(hold, plan.places, raw);
  return { raw, lengths: plan.places.map(({ length }) => length), ids: plan.ids };
}

async function gatherDictionary(hold: HoldParts, plan: PlannedDictionary) {
  const bytes = Buffer.allocUnsafeSlow(plan.size);
  bytes[0] = 0;
  await readPieces(hold, plan.places, bytes.subarray(1));
  return { bytes, ids: plan.places.map(({ id }) => id) };
}
