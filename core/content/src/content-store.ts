import type { Descriptor, HeldImage } from "./descriptor.ts";
import type { Digest } from "./digest.ts";

export interface ByteRange {
  /** First byte, from 0. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

export type Bytes = AsyncIterable<Uint8Array>;

/**
 * Content by digest, with names that protect it. What a reader gets is what was written, bit for bit.
 * All calls may run side by side; a blob is visible only when whole, verified and durable.
 */
export interface ContentStore {
  /** Size in bytes, or undefined when it is not held. */
  stat(digest: Digest): Promise<{ readonly size: number } | undefined>;
  /** Streams the content, or the part in `range`. Throws CONTENT_ABSENT; CONTENT_DAMAGED when stored bytes do not verify. */
  read(digest: Digest, range?: ByteRange): Bytes;
  /**
   * Stores a stream. Throws CONTENT_MISMATCH when digest or size is not as expected (nothing is kept then), CONTENT_NO_SPACE.
   * Writing what is held is cheap: the source is not even read, so a caller that must drain it does so itself.
   */
  write(
    source: Bytes,
    expect: { readonly digest: Digest; readonly sizeBytesMax: number },
  ): Promise<{ readonly size: number }>;

  /** Points a name at content; content that a name reaches is never pruned. Names: `room/what/...`, at most 512 characters. */
  setReference(name: string, target: Descriptor): Promise<void>;
  getReference(name: string): Promise<Descriptor | undefined>;
  /** Names that begin with `prefix`, sorted; after `after`, at most `limit`. */
  listReferences(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly { readonly name: string; readonly target: Descriptor }[]>;
  /** True when it existed. */
  removeReference(name: string): Promise<boolean>;

  image(imageId: Digest): Promise<HeldImage | undefined>;
}

/**
 * One pack file: many pieces compressed together, its index at the end (SPEC.md of the hold). At most 32 MiB, so it fits in memory.
 * Packs made against a base may be of codec 2, which needs pieces of that base to be decoded: a reader of level 1 cannot take them.
 */
export interface PackFile {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** The recipe of one layer, compressed. Made against a base it may be of coding 2, which needs the recipe of a layer of that base. */
export interface RecipeFile {
  readonly diffId: Digest;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/**
 * What the receiver has: one list of diffIDs for each starting point that the same cargo must serve. Counted on is what
 * **every** starting point has, as far as the source holds those layers itself; layers that it does not know are ignored. No lists: nothing.
 */
export type CargoBase = readonly (readonly Digest[])[];

/** How packs are made. `packSizeBytes` is raw bytes, at most 24 MiB; packs of codec 2 hold at most 4 MiB. */
export interface PackingOptions {
  readonly level: number;
  readonly packSizeBytes: number;
}

export interface CargoMeasure {
  /** Pieces that `packs` will give, and their raw bytes, exactly. */
  readonly pieceCount: number;
  readonly pieceBytes: number;
  /** Bytes of recipes: about; with a base, exactly. */
  readonly recipeBytes: number;
  /** With `packing`: how many packs `packs` will give, exactly, and their bytes, estimated from samples to a few per cent. */
  readonly packCount?: number;
  readonly packBytes?: number;
  /** With a base. */
  readonly increment?: IncrementMeasure;
}

export interface IncrementMeasure {
  /** Pieces of the layers that the base has, so that they need not travel. */
  readonly reusedPieceCount: number;
  readonly reusedPieceBytes: number;
  /** For each list of the base: how many of its layers the source does not hold, and so could not count on. */
  readonly unknownLayers: readonly number[];
  /** What is new, by layer; what is in several is told of the first. */
  readonly layers: ReadonlyMap<Digest, LayerNews>;
}

/** Files with content that the base lacks. Those of at most 32 bytes, and changes of names, times and owners, are not counted. */
export interface LayerNews {
  readonly newFiles: number;
  /** Files whose path the base has, with other content. */
  readonly changedFiles: number;
  /** Raw bytes of their missing pieces. */
  readonly newBytes: number;
  /** The files with the most new bytes, at most 20. */
  readonly largest: readonly {
    readonly path: string;
    readonly kind: "new" | "changed";
    readonly newBytes: number;
  }[];
}

/** What a bundle is written from. The order of everything is a function of the image IDs and options alone, so equal inputs give equal bytes. */
export interface CargoSource {
  image(imageId: Digest): Promise<HeldImage | undefined>;
  readBlob(digest: Digest): Promise<Uint8Array>;
  /** The recipes of all these layers, each once, in order of first use. Leave out layers that every list of the base has. */
  recipes(diffIds: readonly Digest[], options?: { readonly base?: CargoBase }): AsyncIterable<RecipeFile>;
  /** All pieces that the layers need and the base lacks, each once, as packs. */
  packs(
    diffIds: readonly Digest[],
    options: PackingOptions & { readonly base?: CargoBase; readonly signal?: AbortSignal },
  ): AsyncIterable<PackFile>;
  /** Known before packing, so that progress and space can be told, and an export shown before it is made. */
  measure(
    diffIds: readonly Digest[],
    options?: {
      readonly base?: CargoBase;
      readonly packing?: PackingOptions;
      readonly signal?: AbortSignal;
    },
  ): Promise<CargoMeasure>;
}

/**
 * What a bundle is imported into. Each call is durable when it returns, and doing it again changes nothing: that is how an import resumes.
 * A bundle can come in several files, on different days. Until it is whole, its manifest is kept as a blob and a reference points at it: all
 * that this manifest lists as layers stays then, blobs as well as packs, and all pieces that came in those packs.
 */
export interface CargoSink {
  /** Of a blob, or a layer: size in bytes, or undefined when it is not held. */
  stat(digest: Digest): Promise<{ readonly size: number } | undefined>;
  /** A blob that was written here. Throws CONTENT_ABSENT, CONTENT_DAMAGED. */
  readBlob(digest: Digest): Promise<Uint8Array>;
  hasPack(digest: Digest): Promise<boolean>;
  /**
   * Checks the digest of the file and of every piece in it, then keeps its pieces. Nothing that is kept needs the base any
   * more. Throws CONTENT_MISMATCH, CONTENT_INVALID; CONTENT_ABSENT when it needs pieces of a base that are not held.
   */
  addPack(pack: PackFile): Promise<void>;
  hasLayer(diffId: Digest): Promise<boolean>;
  /** Keeps a recipe and replays it: every byte of the layer is rebuilt and must give the diffID. Throws CONTENT_MISMATCH, CONTENT_INVALID; CONTENT_ABSENT when pieces, or the layer of the base that it is told by, are not held. */
  addLayer(
    layer: { readonly diffId: Digest; readonly recipe: Uint8Array },
    signal?: AbortSignal,
  ): Promise<void>;
  /** Keeps config and manifest of an image whose layers are all held. Throws CONTENT_ABSENT, CONTENT_MISMATCH. */
  addImage(image: { readonly imageId: Digest; readonly config: Uint8Array }): Promise<HeldImage>;
  writeBlob(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Bytes free on the disk that holds it. */
  freeBytes(): Promise<number>;
}

/** How far a long act has come. Bytes are of the unit named by the act; `total` is absent when not yet known. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total?: number;
  readonly note?: string;
}

export type OnProgress = (progress: Progress) => void;
