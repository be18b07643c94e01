import type { Digest } from "@sampan/content";
import { type ByteSource, openFile, readExactly } from "./byte-source.ts";
import { checkHeader, isZero } from "./check-entry.ts";
import { contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import type { BundleDocument } from "./document.ts";
import type { Envelope } from "./envelope.ts";
import type { BundlePart } from "./part.ts";
import { damaged, expectedAt, type PlacedEntry } from "./place-content.ts";
import { bundleProblem } from "./problems.ts";
import { type CheckedRoot, readRoot } from "./read-root.ts";
import { digestOf } from "./root.ts";
import { BLOCK, entryBytes } from "./tar-entry.ts";

/** An open bundle whose root has been checked. Nothing after the root has been read. */
export class Bundle {
  readonly document: BundleDocument;
  readonly envelope: Envelope;
  /** Names the bundle. */
  readonly manifestDigest: Digest;
  /** Of this file. */
  readonly sizeBytes: number;
  /** What this file has of the bundle. */
  readonly part: BundlePart;
  /** The blobs after the root of this file, in order. */
  readonly content: readonly PlacedEntry[];
  readonly #source: ByteSource;
  readonly #places: ReadonlyMap<Digest, PlacedEntry>;

  constructor(source: ByteSource, root: CheckedRoot) {
    this.#source = source;
    this.document = root.document;
    this.envelope = root.envelope;
    this.manifestDigest = root.manifestDigest;
    this.sizeBytes = root.sizeBytes;
    this.part = root.part;
    this.content = root.content;
    this.#places = new Map(root.content.map((entry) => [entry.digest, entry]));
  }

  /** Key IDs of those who signed, sorted; empty when nobody did. Their signatures are not checked by opening. */
  get signedBy(): readonly Digest[] {
    return this.envelope.signatures.map((signature) => signature.keyId);
  }

  /** True when this file has the blob. */
  has(digest: Digest): boolean {
    return digest === EMPTY_CONFIG.digest || this.#places.has(digest);
  }

  /**
   * Reads one listed blob whole (at most 64 MiB) and checks it. Throws BUNDLE_INVALID, BUNDLE_DAMAGED, BUNDLE_TRUNCATED;
   * BUNDLE_PART_MISSING when another file of the bundle has it.
   */
  async read(digest: Digest): Promise<Uint8Array> {
    if (digest === EMPTY_CONFIG.digest) return Buffer.from("{}");
    const place = this.#places.get(digest);
    if (place === undefined) throw this.#elsewhere(digest);
    const entry = await readExactly(this.#source, place.offset, entryBytes(place.size));
    checkHeader(entry.subarray(0, BLOCK), expectedAt(place));
    const bytes = entry.subarray(BLOCK, BLOCK + place.size);
    if (digestOf(bytes) !== digest || !isZero(entry.subarray(BLOCK + place.size))) throw damaged(place);
    return bytes;
  }

  #elsewhere(digest: Digest) {
    const entry = contentOf(this.document).find((one) => one.digest === digest);
    if (entry === undefined)
      return bundleProblem("BUNDLE_INVALID", `the bundle does not list ${digest}`, {
        why: "nothing in it has this digest",
      });
    return bundleProblem("BUNDLE_PART_MISSING", "another file of the bundle is needed", {
      why: `${entry.label} is not in this one`,
      hint: this.document.volumes === undefined ? "take the bundle itself" : `take volume ${entry.volume}`,
    });
  }

  /** Fills the buffer from `position` of the file; returns how many bytes there were. */
  readAt(buffer: Uint8Array, position: number): Promise<number> {
    return this.#source.read(buffer, position);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a file and checks its root: form, digests, limits, and that the file has exactly the size that follows from it.
 * Throws BUNDLE_ABSENT, BUNDLE_UNREADABLE, BUNDLE_INVALID, BUNDLE_TRUNCATED, BUNDLE_DAMAGED, BUNDLE_TOO_NEW.
 * Close it when done.
 */
export async function openBundle(path: string): Promise<Bundle> {
  return openBundleFrom(await openFile(path));
}

export async function openBundleFrom(source: ByteSource): Promise<Bundle> {
  try {
    return new Bundle(source, await readRoot(source));
  } catch (error) {
    await source.close();
    throw error;
  }
}
