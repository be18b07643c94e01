import type { HoldIndex } from "./hold-index.ts";
import { PACK_LIMITS, type PieceRun } from "./pack.ts";
import { idOf } from "./pack-store.ts";
import { RECIPE_LIMITS } from "./recipe.ts";

/** A pack is closed before the piece that it has no room for. Capture and export cut alike, so that packs can be used again. */
export function fillsPack(
  pack: { readonly size: number; readonly count: number },
  nextLength: number,
  packSizeBytes: number,
): boolean {
  const isFull = pack.size + nextLength > packSizeBytes || pack.count >= PACK_LIMITS.pieces;
  return isFull && pack.count > 0;
}

/** Raw bytes that a pack may come to: one piece may be larger than the packs that were asked for. */
export function bufferSizeOf(packSizeBytes: number): number {
  return Math.max(packSizeBytes, RECIPE_LIMITS.pieceSizeMax);
}

/** Fills buffers with pieces. */
export class PackFiller {
  readonly #sizeBytes: number;
  readonly #bufferSize: number;
  readonly #free: Uint8Array[] = [];
  #buffer: Uint8Array | undefined;
  #size = 0;
  #lengths: number[] = [];
  #ids: Uint8Array[] = [];

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#bufferSize = bufferSizeOf(sizeBytes);
  }

  /** Adds a piece, and returns the pack that was closed before it, if one was. */
  add(id: Uint8Array, bytes: Uint8Array): PieceRun | undefined {
    const filled = { size: this.#size, count: this.#ids.length };
    const closed = fillsPack(filled, bytes.length, this.#sizeBytes) ? this.close() : undefined;
    this.#buffer ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bufferSize);
    this.#buffer.set(bytes, this.#size);
    this.#size += bytes.length;
    this.#lengths.push(bytes.length);
    this.#ids.push(id);
    return closed;
  }

  close(): PieceRun | undefined {
    if (this.#buffer === undefined) return undefined;
    const run = { raw: this.#buffer.subarray(0, this.#size), lengths: this.#lengths, ids: this.#ids };
    this.#buffer = undefined;
    this.#size = 0;
    this.#lengths = [];
    this.#ids = [];
    return run;
  }

  /** Lets go of buffers that wait to be used again. */
  trim(): void {
    this.#free.length = 0;
  }

  /** Gives the buffer of a run back, when nobody reads it any more. */
  release(run: PieceRun): void {
    this.#free.push(new Uint8Array(run.raw.buffer));
  }
}

/**
 * Takes pieces, passes those that are not held yet into packs, and packs several at a time in the thread pool.
 * `drain` is the brake: it waits while too many packs are under way.
 */
export class PackWriter {
  readonly #index: HoldIndex;
  readonly #make: (run: PieceRun) => Promise<unknown>;
  readonly #filler: PackFiller;
  readonly #inFlightMax: number;
  readonly #inFlight = new Set<Promise<void>>();
  /** Ids of pieces that are in no durable pack yet. */
  readonly #pending = new Set<string>();
  readonly #damaged: ReadonlySet<number>;
  /** Packs that held pieces which came again: they are in use, though nothing may refer to them yet. */
  readonly reused = new Set<number>();
  #failure: { readonly error: unknown } | undefined;
  newBytes = 0;

  constructor(
    index: HoldIndex,
    make: (run: PieceRun) => Promise<unknown>,
    options: { readonly packSizeBytes: number; readonly inFlightMax: number },
  ) {
    this.#index = index;
    this.#make = make;
    this.#filler = new PackFiller(options.packSizeBytes);
    this.#inFlightMax = options.inFlightMax;
    this.#damaged = index.damagedPacks();
  }

  /** Returns the id of the piece. The bytes are copied when they are needed later. */
  add(bytes: Uint8Array): Uint8Array {
    const id = idOf(bytes);
    const key = keyOf(id);
    if (this.#pending.has(key)) return id;
    const place = this.#index.locate(id);
    if (place !== undefined && !this.#damaged.has(place.pack)) {
      this.reused.add(place.pack);
      return id;
    }
    this.#pending.add(key);
    this.newBytes += bytes.length;
    const closed = this.#filler.add(id, bytes);
    if (closed !== undefined) this.#start(closed);
    return id;
  }

  async drain(): Promise<void> {
    while (this.#inFlight.size >= this.#inFlightMax) await Promise.race(this.#inFlight);
    this.#rethrow();
  }

  /** Everything that was added is durable when it returns. */
  async flush(): Promise<void> {
    const last = this.#filler.close();
    if (last !== undefined) this.#start(last);
    await this.settle();
    this.#filler.trim();
    this.#rethrow();
  }

  /** Waits until nothing is under way any more, whatever came of it. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  #start(run: PieceRun): void {
    const task = this.#make(run).then(
      () => {
        for (const id of run.ids) this.#pending.delete(keyOf(id));
        this.#filler.release(run);
      },
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    const tracked: Promise<void> = task.finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1");
}
