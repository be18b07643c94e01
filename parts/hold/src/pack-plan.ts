import type { Digest } from "@sampan/content";
import { Bug } from "@sampan/problem";
import type { Counterpart } from "./counterparts.ts";
import { DICTIONARY_LIMITS, dictionaryReach } from "./frame.ts";
import type { PiecePlace } from "./hold-index.ts";
import type { Increment } from "./increment.ts";
import { type FilePiece, type LayerFile, readFilePieces } from "./layer-files.ts";
import type { HoldParts } from "./layer-intake.ts";
import { locatePiece, openLayer } from "./needed-layer.ts";
import { fillsPack } from "./pack-writer.ts";
import { PieceSet } from "./piece-set.ts";
import { idsOfSegment } from "./recipe.ts";

/** Raw bytes of a pack that has a dictionary: the window must span both. */
const AGAINST_SIZE_MAX = 4 * 1024 * 1024;

/** Which pieces a pack is to hold, in what order, and what of the base it is compressed against. Nothing is decoded yet. */
export class PlannedPack {
  readonly ids: Uint8Array[] = [];
  readonly places: PiecePlace[] = [];
  readonly dictionary = new PlannedDictionary();
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

type NamedPlace = PiecePlace & { readonly id: Uint8Array };

export class PlannedDictionary {
  readonly places: NamedPlace[] = [];
  readonly #has = new Set<number>();
  /** With the zero byte at its start. */
  size = 1;

  get count(): number {
    return this.places.length;
  }

  /** Numbers of pieces that are not in it yet. */
  lacks(pieces: readonly number[]): number[] {
    return pieces.filter((piece) => !this.#has.has(piece));
  }

  add(place: NamedPlace): void {
    this.#has.add(place.piece);
    this.places.push(place);
    this.size += place.length;
  }
}

/** The pieces of the layers in order of first use, cut into packs. */
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
      for (const segment of recipe.frame.segments) {
        const ids = idsOfSegment(await recipe.plain(segment));
        for (let at = 0; at < ids.length; at += 32) {
          const id = ids.subarray(at, at + 32);
          const place = locatePiece(hold.index, diffId, id);
          if (!seen.add(place.piece)) continue;
          if (fillsPack(plan, place.length, packSizeBytes)) {
            yield plan;
            plan = new PlannedPack();
          }
          plan.add(id, place);
        }
      }
    } finally {
      await recipe.close();
    }
  }
  if (plan.count > 0) yield plan;
}

/** Is told of each piece that the base lacks. */
export type OnMissing = (diffId: Digest, piece: FilePiece, counterpart: Counterpart | undefined) => void;

export interface IncrementPacking {
  readonly packSizeBytes: number;
  readonly level: number;
  readonly onMissing?: OnMissing;
}

/**
 * The pieces that the base lacks, in order of first use. Those that resemble something in the base go into packs with
 * dictionaries, the others into packs as always; at the end one pack takes what is left of both, if it can.
 */
export async function* planIncrement(
  hold: HoldParts,
  increment: Increment,
  packing: IncrementPacking,
): AsyncGenerator<PlannedPack> {
  const planner = new IncrementPlanner(hold, increment, packing);
  for (const [diffId, { missing, pair }] of increment.layers) {
    if (missing.size === 0) continue;
    let file: LayerFile | undefined;
    let counterpart: Counterpart | undefined;
    for await (const { first, pieces } of readFilePieces(hold.files, diffId, missing)) {
      for (const [number, piece] of pieces.entries()) {
        if (!missing.has(first + number)) continue;
        if (piece.file === undefined || piece.file !== file) {
          file = piece.file;
          counterpart = file === undefined ? undefined : increment.counterparts.find(file, pair?.number);
        }
        packing.onMissing?.(diffId, piece, counterpart);
        planner.add(piece, locatePiece(hold.index, diffId, piece.id), counterpart);
      }
      yield* planner.take();
    }
  }
  planner.finish();
  yield* planner.take();
}

class IncrementPlanner {
  readonly #hold: HoldParts;
  readonly #increment: Increment;
  readonly #packSizeBytes: number;
  readonly #againstSizeBytes: number;
  readonly #dictionarySizeMax: number;
  #ready: PlannedPack[] = [];
  #fresh = new PlannedPack();
  #against = new PlannedPack();

  constructor(hold: HoldParts, increment: Increment, packing: IncrementPacking) {
    this.#hold = hold;
    this.#increment = increment;
    this.#packSizeBytes = packing.packSizeBytes;
    this.#againstSizeBytes = Math.min(packing.packSizeBytes, AGAINST_SIZE_MAX);
    this.#dictionarySizeMax = dictionaryReach(packing.level);
  }

  add(piece: FilePiece, place: PiecePlace, counterpart: Counterpart | undefined): void {
    if (counterpart === undefined || piece.file === undefined) {
      if (fillsPack(this.#fresh, place.length, this.#packSizeBytes)) this.#closeFresh();
      this.#fresh.add(piece.id, place);
      return;
    }
    const { offset, length, file } = piece;
    const like = this.#increment.counterparts.piecesLike(counterpart, {
      offset,
      length,
      fileSize: file.size,
    });
    let lacking = this.#placesOf(this.#against.dictionary.lacks(like));
    if (fillsPack(this.#against, length, this.#againstSizeBytes) || !this.#fits(lacking)) {
      this.#closeAgainst();
      lacking = this.#placesOf(like);
    }
    for (const lacked of lacking) this.#against.dictionary.add(lacked);
    this.#against.add(piece.id, place);
  }

  finish(): void {
    const { size, count } = this.#fresh;
    const isOne =
      this.#against.size + size <= this.#againstSizeBytes &&
      this.#against.count > 0 &&
      !fillsPack({ size: 0, count: this.#against.count + count - 1 }, 0, this.#againstSizeBytes);
    if (isOne) {
      this.#fresh.ids.forEach((id, index) => {
        this.#against.add(id, this.#fresh.places[index]!);
      });
      this.#fresh = new PlannedPack();
    }
    this.#closeFresh();
    this.#closeAgainst();
  }

  take(): PlannedPack[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  #fits(lacking: readonly NamedPlace[]): boolean {
    const { size, count } = this.#against.dictionary;
    const bytes = lacking.reduce((sum, { length }) => sum + length, size);
    return bytes <= this.#dictionarySizeMax && count + lacking.length <= DICTIONARY_LIMITS.pieces;
  }

  #placesOf(pieces: readonly number[]): NamedPlace[] {
    return pieces.map((piece) => {
      const place = this.#hold.index.place(piece);
      if (place === undefined) throw new Bug(`piece ${piece} went away while it was being exported`);
      return place;
    });
  }

  #closeFresh(): void {
    if (this.#fresh.count > 0) this.#ready.push(this.#fresh);
    this.#fresh = new PlannedPack();
  }

  #closeAgainst(): void {
    if (this.#against.count > 0) this.#ready.push(this.#against);
    this.#against = new PlannedPack();
  }
}
