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

/** One pack file: many pieces compressed together, its index at the end (SPEC.md of the hold). At most 32 MiB, so it fits in memory. */
export interface PackFile {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** What a bundle is written from. The order of everything is a function of the image IDs and options alone, so equal inputs give equal bytes. */
export interface CargoSource {
  image(imageId: Digest): Promise<HeldImage | undefined>;
  readBlob(digest: Digest): Promise<Uint8Array>;
  /** The recipes of all layers, each once, in order of first use; compressed already. */
  recipes(
    diffIds: readonly Digest[],
  ): AsyncIterable<{ readonly diffId: Digest; readonly digest: Digest; readonly bytes: Uint8Array }>;
  /** All pieces that the layers need, each once, in order of first use, as packs. `packSizeBytes` is raw bytes, at most 24 MiB. */
  packs(
    diffIds: readonly Digest[],
    options: { readonly level: number; readonly packSizeBytes: number; readonly signal?: AbortSignal },
  ): AsyncIterable<PackFile>;
  /** Pieces that `packs` will give, and their raw bytes, exactly; bytes of recipes, about. Known before packing, so that progress and space can be told. */
  measure(
    diffIds: readonly Digest[],
  ): Promise<{ readonly pieceCount: number; readonly pieceBytes: number; readonly recipeBytes: number }>;
}

/** What a bundle is imported into. Each call is durable when it returns, and doing it again changes nothing: that is how an import resumes. */
export interface CargoSink {
  hasPack(digest: Digest): Promise<boolean>;
  /** Checks the digest of the file and of every piece in it, then keeps it. Throws CONTENT_MISMATCH or CONTENT_DAMAGED. */
  addPack(pack: PackFile): Promise<void>;
  hasLayer(diffId: Digest): Promise<boolean>;
  /** Keeps a recipe and replays it: every byte of the layer is rebuilt and must give the diffID. Throws CONTENT_MISMATCH, CONTENT_ABSENT. */
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
