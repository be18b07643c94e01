import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { contentProblem, type Digest } from "@sampan/content";
import { decompressFrame } from "./frame.ts";
import type { HoldFiles } from "./hold-files.ts";
import { digestOf } from "./hold-files.ts";
import type { HoldIndex, PackRow } from "./hold-index.ts";
import { type EncodedPack, encodePack, type PieceRun, readPackFrame } from "./pack.ts";
import { RawPacks } from "./raw-packs.ts";

/** How packs made here by this zstd at a level are marked: they may be given out again instead of being made anew. */
export function madeHow(level: number): string {
  return `zstd ${process.versions.zstd} level ${level}`;
}

/** Packs on disk: written durably, read verified, and decoded ones kept at hand. */
export class PackStore {
  readonly #files: HoldFiles;
  readonly #index: HoldIndex;
  /** Loads packs by number. Throws CONTENT_DAMAGED, naming the pack; from then on it is known as damaged. */
  readonly raw: RawPacks;

  constructor(
    files: HoldFiles,
    index: HoldIndex,
    options: { readonly memoryBytesMax: number; readonly diskBytesMax: number },
  ) {
    this.#files = files;
    this.#index = index;
    this.raw = new RawPacks(
      (pack) => this.#decode(pack),
      () => files.openNameless(),
      options,
    );
  }

  /** The file of a pack, verified. Throws CONTENT_DAMAGED. */
  async file(row: PackRow): Promise<Uint8Array> {
    const path = this.#files.path("packs", row.digest);
    const bytes = await readFile(path).catch((cause: unknown) =>
      this.#damaged(row, "its file cannot be read", cause),
    );
    if (digestOf(bytes) !== row.digest)
      return this.#damaged(row, "its bytes are not those that were written");
    return bytes;
  }

  /** Compresses pieces, keeps the pack durably and enters it in the index. */
  async make(
    run: PieceRun,
    options: { readonly level: number; readonly now: () => number },
  ): Promise<Digest> {
    const pack = await encodePack(run, options.level);
    await this.keep(pack, run, { made: madeHow(options.level), now: options.now });
    return pack.digest;
  }

  async keep(
    pack: EncodedPack,
    run: PieceRun,
    options: {
      readonly made?: string;
      readonly now: () => number;
      /** Numbers that these pieces have in other packs, which they leave. */
      readonly moved?: readonly number[];
    },
  ): Promise<void> {
    const temp = await this.#files.openTemp();
    try {
      await temp.write(pack.bytes);
      await temp.keep("packs", pack.digest, { verify: pack.digest });
    } finally {
      await temp.discard();
    }
    this.#index.transaction(() => {
      for (const piece of options.moved ?? []) this.#index.run("DELETE FROM pieces WHERE piece = ?", piece);
      this.#index.addPack(
        {
          digest: pack.digest,
          size: pack.bytes.length,
          rawSize: run.raw.length,
          sequence: pack.sequence,
          ids: run.ids,
          lengths: run.lengths,
          ...(options.made === undefined ? {} : { made: options.made }),
        },
        options.now(),
      );
    });
  }

  async #decode(pack: number): Promise<Uint8Array> {
    const row = this.#index.packByNumber(pack);
    if (row === undefined)
      throw contentProblem("CONTENT_DAMAGED", "a pack that holds a needed piece is gone");
    const frame = readPackFrame(await this.file(row));
    return decompressFrame(frame.frame, frame.rawSize).catch((cause: unknown) =>
      this.#damaged(row, "it does not decode", cause),
    );
  }

  #damaged(row: PackRow, why: string, cause?: unknown): never {
    if (row.state === "held") this.#index.markPackDamaged(row.pack);
    throw contentProblem("CONTENT_DAMAGED", `pack ${row.digest} is damaged`, {
      why,
      hint: "run `sampan hold check` to see what is hit; importing the bundle again mends it",
      cause,
    });
  }
}

export function idOf(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}
