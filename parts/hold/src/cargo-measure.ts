import type {
  CargoBase,
  CargoMeasure,
  Digest,
  IncrementMeasure,
  LayerNews,
  PackingOptions,
} from "@sampan/content";
import type { Increment } from "./increment.ts";
import type { LayerFile } from "./layer-files.ts";
import type { HoldParts } from "./layer-intake.ts";
import { PACK_LIMITS } from "./pack.ts";
import { makePack } from "./pack-cargo.ts";
import { PackEstimate } from "./pack-estimate.ts";
import { type OnMissing, planIncrement, planPacks } from "./pack-plan.ts";
import { exportRecipes } from "./recipe-cargo.ts";

/** What `packs` and `recipes` would give for the same layers and options. */
export async function measureCargo(
  hold: HoldParts,
  diffIds: readonly Digest[],
  options: {
    readonly base: CargoBase;
    readonly increment: Increment | undefined;
    readonly packing?: PackingOptions | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<CargoMeasure> {
  const { increment, packing } = options;
  const { packSizeBytes, level } = packing ?? { packSizeBytes: PACK_LIMITS.sizeMax, level: 3 };
  const news = new NewsTally();
  const plans =
    increment === undefined
      ? planPacks(hold, diffIds, packSizeBytes)
      : planIncrement(hold, increment, { packSizeBytes, level, onMissing: news.add });
  const estimate = new PackEstimate(hold, level, increment?.missingBytes);
  let [pieceCount, pieceBytes, packCount] = [0, 0, 0];
  for await (const plan of plans) {
    options.signal?.throwIfAborted();
    pieceCount += plan.count;
    pieceBytes += plan.size;
    packCount += 1;
    if (packing !== undefined) await estimate.add(plan, (sampleLevel) => makePack(hold, plan, sampleLevel));
  }
  return {
    pieceCount,
    pieceBytes,
    recipeBytes: await measureRecipes(hold, diffIds, options.base),
    ...(packing === undefined ? {} : { packCount, packBytes: estimate.bytes }),
    ...(increment === undefined ? {} : { increment: news.finish(increment) }),
  };
}

async function measureRecipes(hold: HoldParts, diffIds: readonly Digest[], base: CargoBase): Promise<number> {
  let bytes = 0;
  if (base.length === 0)
    for (const diffId of new Set(diffIds)) bytes += hold.index.layer(diffId)?.recipeSize ?? 0;
  else for await (const recipe of exportRecipes(hold, diffIds, base)) bytes += recipe.bytes.length;
  return bytes;
}

const NAMES_MAX = 20;

type NewFile = LayerNews["largest"][number];
type Tally = { newFiles: number; changedFiles: number; newBytes: number; largest: NewFile[] };

/** Gathers what is new, by layer and file, as the plan walks over the pieces. */
class NewsTally {
  readonly #layers = new Map<Digest, Tally>();
  #open:
    | { readonly tally: Tally; readonly file: LayerFile; readonly kind: NewFile["kind"]; newBytes: number }
    | undefined;

  readonly add: OnMissing = (diffId, piece, counterpart) => {
    const tally = this.#layers.get(diffId) ?? { newFiles: 0, changedFiles: 0, newBytes: 0, largest: [] };
    this.#layers.set(diffId, tally);
    tally.newBytes += piece.length;
    if (this.#open?.file !== piece.file) this.#settle();
    if (piece.file === undefined) return;
    const kind = counterpart?.isSamePath === true ? "changed" : "new";
    this.#open ??= { tally, file: piece.file, kind, newBytes: 0 };
    this.#open.newBytes += piece.length;
  };

  finish({ base, reused }: Increment): IncrementMeasure {
    this.#settle();
    return {
      reusedPieceCount: reused.count,
      reusedPieceBytes: reused.bytes,
      unknownLayers: base.unknownLayers,
      layers: this.#layers,
    };
  }

  #settle(): void {
    if (this.#open === undefined) return;
    const { tally, file, kind, newBytes } = this.#open;
    this.#open = undefined;
    if (kind === "new") tally.newFiles += 1;
    else tally.changedFiles += 1;
    const least = tally.largest.at(-1);
    if (tally.largest.length === NAMES_MAX && least !== undefined && least.newBytes >= newBytes) return;
    const path = Buffer.from(file.path).toString("utf8");
    const after = tally.largest.findIndex((other) => other.newBytes < newBytes);
    tally.largest.splice(after === -1 ? tally.largest.length : after, 0, { path, kind, newBytes });
    tally.largest.length = Math.min(tally.largest.length, NAMES_MAX);
  }
}
