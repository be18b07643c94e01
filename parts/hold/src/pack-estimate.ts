import type { HoldParts } from "./layer-intake.ts";
import { sequenceOf } from "./pack.ts";
import type { PlannedPack } from "./pack-plan.ts";
import { madeHow } from "./pack-store.ts";

/** Raw bytes of packs that are really made, about. The best levels are slow, and a plan should not be. */
const SAMPLE_BYTES = 64 * 1024 * 1024;
const SAMPLE_BYTES_SLOW = 16 * 1024 * 1024;
const LEVEL_SLOW = 16;
/** What packs with dictionaries come to differs wildly, so nearly all are made, at the quickest level. */
const QUICK_BYTES = 256 * 1024 * 1024;
const LEVEL_QUICK = 3;

/**
 * How large packs will be. Those that are held already tell it themselves; of the others some are made, and the rest are
 * guessed from how well their pieces compress in the packs that hold them (which tells text from images, but not levels), times
 * what the made ones came to against the same guess. For packs with dictionaries the quickest level is the guess.
 */
export class PackEstimate {
  readonly #hold: HoldParts;
  readonly #level: number;
  readonly #ratios = new Map<number, number>();
  readonly #plain: Sample;
  readonly #against: Sample;
  readonly #quick: Sample;
  #known = 0;

  /** With the raw bytes of all packs, if they are known, samples are spread evenly; else they get rarer. */
  constructor(hold: HoldParts, level: number, totalBytes?: number) {
    this.#hold = hold;
    this.#level = level;
    const sampleBytes = level >= LEVEL_SLOW ? SAMPLE_BYTES_SLOW : SAMPLE_BYTES;
    this.#plain = new Sample(sampleBytes, totalBytes);
    this.#against = new Sample(sampleBytes, totalBytes);
    this.#quick = new Sample(QUICK_BYTES, totalBytes);
  }

  /** Adds a pack; `make` is called only for samples, with a level. */
  async add(plan: PlannedPack, make: MakePack): Promise<void> {
    if (plan.dictionary.count > 0) return this.#addAgainst(plan, make);
    const same = this.#hold.index.packOfSequence(sequenceOf(plan.ids), madeHow(this.#level));
    if (same !== undefined) {
      this.#known += same.size;
      return;
    }
    const guess = this.#guess(plan);
    if (this.#plain.wants())
      this.#plain.made(plan.size, { guess, size: (await make(this.#level)).bytes.length });
    else this.#plain.skipped(guess);
  }

  async #addAgainst(plan: PlannedPack, make: MakePack): Promise<void> {
    if (!this.#quick.wants()) {
      this.#quick.skipped(plan.size);
      return;
    }
    const quick = (await make(Math.min(this.#level, LEVEL_QUICK))).bytes.length;
    this.#quick.made(plan.size, { guess: plan.size, size: quick });
    if (this.#level > LEVEL_QUICK && this.#against.wants())
      this.#against.made(plan.size, { guess: quick, size: (await make(this.#level)).bytes.length });
  }

  get bytes(): number {
    return Math.round(this.#known + this.#plain.bytes + this.#quick.bytes * this.#against.ratio);
  }

  #guess(plan: PlannedPack): number {
    return plan.places.reduce((sum, { pack, length }) => sum + length * this.#ratio(pack), 0);
  }

  #ratio(pack: number): number {
    let ratio = this.#ratios.get(pack);
    if (ratio === undefined) {
      const row = this.#hold.index.packByNumber(pack);
      ratio = row === undefined ? 1 : row.size / Math.max(1, row.rawSize);
      this.#ratios.set(pack, ratio);
    }
    return ratio;
  }
}

type MakePack = (level: number) => Promise<{ readonly bytes: Uint8Array }>;

class Sample {
  readonly #sampleBytes: number;
  #stride: number;
  #seen = 0;
  #budget: number;
  #madeGuess = 0;
  #madeSize = 0;
  #skippedGuess = 0;

  constructor(sampleBytes: number, totalBytes: number | undefined) {
    this.#sampleBytes = sampleBytes;
    this.#stride = Math.max(1, Math.ceil((totalBytes ?? 0) / sampleBytes));
    this.#budget = totalBytes === undefined ? sampleBytes : Number.POSITIVE_INFINITY;
  }

  wants(): boolean {
    this.#seen += 1;
    return (this.#seen - 1) % this.#stride === 0;
  }

  made(rawSize: number, { guess, size }: { readonly guess: number; readonly size: number }): void {
    this.#madeGuess += guess;
    this.#madeSize += size;
    this.#budget -= rawSize;
    if (this.#budget > 0) return;
    this.#budget = this.#sampleBytes;
    this.#stride *= 2;
  }

  skipped(guess: number): void {
    this.#skippedGuess += guess;
  }

  get bytes(): number {
    return this.#madeSize + this.#skippedGuess * this.ratio;
  }

  /** What was made, against the guesses; 1 when nothing was. */
  get ratio(): number {
    return this.#madeGuess === 0 ? 1 : this.#madeSize / this.#madeGuess;
  }
}
