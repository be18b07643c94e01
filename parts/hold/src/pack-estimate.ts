import type { HoldParts } from "./layer-intake.ts";
import { sequenceOf } from "./pack.ts";
import type { PlannedPack } from "./pack-plan.ts";
import { madeHow } from "./pack-store.ts";

/** Raw bytes of packs that are really made before only every second one is, then every fourth, and so on. */
const SAMPLE_BYTES = 48 * 1024 * 1024;

/**
 * How large packs will be. Those that are held already tell it themselves; of the others some are made, and the rest are
 * guessed from how well their pieces compress in the packs that hold them (which tells text from images, but not levels), times
 * what the made ones came to against the same guess.
 */
export class PackEstimate {
  readonly #hold: HoldParts;
  readonly #level: number;
  readonly #ratios = new Map<number, number>();
  readonly #plain = new Sample();
  readonly #against = new Sample();
  #known = 0;

  constructor(hold: HoldParts, level: number) {
    this.#hold = hold;
    this.#level = level;
  }

  /** Adds a pack; `make` is called only for samples. */
  async add(plan: PlannedPack, make: () => Promise<{ readonly bytes: Uint8Array }>): Promise<void> {
    const isPlain = plan.dictionary.count === 0;
    const sequence = isPlain ? sequenceOf(plan.ids) : undefined;
    const same =
      sequence === undefined ? undefined : this.#hold.index.packOfSequence(sequence, madeHow(this.#level));
    if (same !== undefined) {
      this.#known += same.size;
      return;
    }
    const sample = isPlain ? this.#plain : this.#against;
    const guess = isPlain ? this.#guess(plan) : plan.size;
    if (sample.wants()) sample.made(plan.size, { guess, size: (await make()).bytes.length });
    else sample.skipped(guess);
  }

  get bytes(): number {
    return Math.round(this.#known + this.#plain.bytes + this.#against.bytes);
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

class Sample {
  #stride = 1;
  #seen = 0;
  #budget = SAMPLE_BYTES;
  #madeGuess = 0;
  #madeSize = 0;
  #skippedGuess = 0;

  wants(): boolean {
    this.#seen += 1;
    return (this.#seen - 1) % this.#stride === 0;
  }

  made(rawSize: number, { guess, size }: { readonly guess: number; readonly size: number }): void {
    this.#madeGuess += guess;
    this.#madeSize += size;
    this.#budget -= rawSize;
    if (this.#budget > 0) return;
    this.#budget = SAMPLE_BYTES;
    this.#stride *= 2;
  }

  skipped(guess: number): void {
    this.#skippedGuess += guess;
  }

  get bytes(): number {
    if (this.#skippedGuess === 0) return this.#madeSize;
    return this.#madeSize * (1 + this.#skippedGuess / this.#madeGuess);
  }
}
