import type { Digest } from "@sampan/content";
import { MEDIA_TYPE } from "@sampan/content";
import { z } from "zod";
import { type ByteSource, openFile, readExactly, truncated } from "./byte-source.ts";
import { parseJson } from "./canonical-json.ts";
import { checkHeader, isZero } from "./check-entry.ts";
import { type ContentEntry, contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import { type BundleDocument, FORMAT_VERSION, parseDocument, tooNew } from "./document.ts";
import { type Envelope, parseEnvelope } from "./envelope.ts";
import { LIMIT } from "./limits.ts";
import { bundleProblem } from "./problems.ts";
import {
  blobName,
  digestOf,
  INDEX_NAME,
  LAYOUT_NAME,
  LAYOUT_TEXT,
  PAYLOAD_TYPE,
  renderRoot,
} from "./root.ts";
import { BLOCK, END_BYTES, entryBytes, paddedBytes } from "./tar-entry.ts";

/** A blob and where its tar entry begins. */
export interface PlacedEntry extends ContentEntry {
  readonly offset: number;
}

/** An open bundle whose root has been checked. Nothing after the root has been read. */
export class Bundle {
  readonly document: BundleDocument;
  readonly envelope: Envelope;
  /** Names the bundle. */
  readonly manifestDigest: Digest;
  readonly sizeBytes: number;
  /** All blobs after the root, in the order of the file. */
  readonly content: readonly PlacedEntry[];
  readonly #source: ByteSource;
  readonly #places: ReadonlyMap<Digest, PlacedEntry>;

  constructor(source: ByteSource, root: CheckedRoot) {
    this.#source = source;
    this.document = root.document;
    this.envelope = root.envelope;
    this.manifestDigest = root.manifestDigest;
    this.sizeBytes = root.sizeBytes;
    this.content = root.content;
    this.#places = new Map(root.content.map((entry) => [entry.digest, entry]));
  }

  /** Key IDs of those who signed, sorted; empty when nobody did. Their signatures are not checked by opening. */
  get signedBy(): readonly Digest[] {
    return this.envelope.signatures.map((signature) => signature.keyId);
  }

  /** Reads one listed blob whole (at most 64 MiB) and checks it. Throws BUNDLE_INVALID, BUNDLE_DAMAGED, BUNDLE_TRUNCATED. */
  async read(digest: Digest): Promise<Uint8Array> {
    if (digest === EMPTY_CONFIG.digest) return Buffer.from("{}");
    const place = this.#places.get(digest);
    if (place === undefined)
      throw bundleProblem("BUNDLE_INVALID", `the bundle does not list ${digest}`, {
        why: "nothing in it has this digest",
      });
    const entry = await readExactly(this.#source, place.offset, entryBytes(place.size));
    checkHeader(entry.subarray(0, BLOCK), expectedAt(place));
    const bytes = entry.subarray(BLOCK, BLOCK + place.size);
    if (digestOf(bytes) !== digest || !isZero(entry.subarray(BLOCK + place.size))) throw damaged(place);
    return bytes;
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

export function expectedAt(entry: ContentEntry) {
  return { name: blobName(entry.digest), size: entry.size, sizeBytesMax: entry.size };
}

export function damaged(entry: PlacedEntry) {
  return bundleProblem("BUNDLE_DAMAGED", "the bundle is damaged", {
    why: `${entry.label} (${entry.digest}, ${entry.size} bytes at ${entry.offset}) does not have its digest`,
    hint: "copy it again from where it came from",
  });
}

interface CheckedRoot {
  readonly document: BundleDocument;
  readonly envelope: Envelope;
  readonly manifestDigest: Digest;
  readonly sizeBytes: number;
  readonly content: readonly PlacedEntry[];
}

async function readRoot(source: ByteSource): Promise<CheckedRoot> {
  const walk = new RootWalk(source);
  const layout = await walk.next({ name: LAYOUT_NAME, sizeBytesMax: LAYOUT_TEXT.length });
  if (layout.toString("latin1") !== LAYOUT_TEXT) throw notCanonical(LAYOUT_NAME);
  const manifestAt = parseIndex(await walk.next({ name: INDEX_NAME, sizeBytesMax: LIMIT.indexBytes }));
  const manifest = await walk.nextBlob(manifestAt, LIMIT.manifestBytes);
  const envelopeAt = parseManifest(manifest);
  await walk.nextBlob(EMPTY_CONFIG, EMPTY_CONFIG.size);
  const envelope = parseEnvelope(await walk.nextBlob(envelopeAt, LIMIT.envelopeBytes));
  if (envelope.payloadType !== PAYLOAD_TYPE)
    throw bundleProblem("BUNDLE_INVALID", "the envelope does not carry a bundle's document", {
      why: `its payload is of type ${JSON.stringify(envelope.payloadType)}`,
    });
  if (envelope.payload.length > LIMIT.documentBytes)
    throw tooLarge("the document", envelope.payload.length, LIMIT.documentBytes);
  const document = parseDocument(envelope.payload);
  await compareRoot(source, document, envelope, walk.position);

  let offset = document.sizes.root;
  const content = contentOf(document).map((entry) => {
    const placed = { ...entry, offset };
    offset += entryBytes(entry.size);
    return placed;
  });
  const sizeBytes = offset + END_BYTES;
  if (source.size < sizeBytes) throw truncated(sizeBytes, source.size);
  if (source.size > sizeBytes)
    throw bundleProblem("BUNDLE_INVALID", "the file has bytes that do not belong to the bundle", {
      why: `it has ${source.size} bytes, the bundle ${sizeBytes}`,
    });
  return { document, envelope, manifestDigest: manifestAt.digest, sizeBytes, content };
}

/** The parts were found; now all of the root must be byte for byte what this document and envelope give. */
async function compareRoot(
  source: ByteSource,
  document: BundleDocument,
  envelope: Envelope,
  walkedBytes: number,
) {
  const root = document.sizes.root === walkedBytes ? renderRoot(document, envelope) : undefined;
  if (root === undefined)
    throw bundleProblem(
      "BUNDLE_INVALID",
      "the bundle's root does not have the size that its document tells",
      {
        why: `it has ${walkedBytes} bytes, the document tells ${document.sizes.root}`,
      },
    );
  if (!root.bytes.equals(await readExactly(source, 0, walkedBytes))) throw notCanonical("the root");
}

class RootWalk {
  position = 0;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async next(expected: {
    readonly name: string;
    readonly size?: number;
    readonly sizeBytesMax: number;
  }): Promise<Buffer> {
    const size = checkHeader(await readExactly(this.#source, this.position, BLOCK), expected);
    const data = await readExactly(this.#source, this.position + BLOCK, paddedBytes(size));
    this.position += entryBytes(size);
    if (!isZero(data.subarray(size))) throw notCanonical(expected.name);
    return data.subarray(0, size);
  }

  async nextBlob(
    blob: { readonly digest: Digest; readonly size: number },
    sizeBytesMax: number,
  ): Promise<Buffer> {
    if (blob.size > sizeBytesMax) throw tooLarge(blob.digest, blob.size, sizeBytesMax);
    const bytes = await this.next({ name: blobName(blob.digest), size: blob.size, sizeBytesMax });
    if (digestOf(bytes) !== blob.digest)
      throw bundleProblem("BUNDLE_DAMAGED", "the bundle is damaged", {
        why: `${blobName(blob.digest)} in its root does not have its digest`,
        hint: "copy it again from where it came from",
      });
    return bytes;
  }
}

const descriptor = z.object({
  digest: z.custom<Digest>((text) => typeof text === "string" && /^sha256:[0-9a-f]{64}$/.test(text)),
  size: z.int().min(0),
});
const indexSchema = z.object({ manifests: z.tuple([descriptor.extend({ artifactType: z.string() })]) });
const manifestSchema = z.object({ layers: z.tuple([descriptor], z.unknown()) });

/** Loose: what it finds is compared byte for byte once the document is known. Only the version is decided here. */
function parseIndex(bytes: Buffer): { readonly digest: Digest; readonly size: number } {
  const parsed = indexSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw notCanonical(INDEX_NAME);
  const { artifactType, ...found } = parsed.data.manifests[0];
  if (artifactType !== MEDIA_TYPE.bundle) {
    const version = Number(/^application\/vnd\.sampan\.bundle\.v([1-9][0-9]{0,5})$/.exec(artifactType)?.[1]);
    if (version > FORMAT_VERSION) throw tooNew(version);
    throw bundleProblem("BUNDLE_INVALID", "the file is an OCI image layout, but not a bundle", {
      why: `it holds a ${JSON.stringify(artifactType.slice(0, LIMIT.textChars))}`,
    });
  }
  return found;
}

function parseManifest(bytes: Buffer): { readonly digest: Digest; readonly size: number } {
  const parsed = manifestSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw notCanonical("the manifest");
  return parsed.data.layers[0];
}

function notCanonical(what: string) {
  return bundleProblem("BUNDLE_INVALID", "the file is not a bundle in the form of format 1", {
    why: `${what} is not exactly as the format fixes it`,
    hint: "it is damaged, or was packed anew by another tool; ask for the original file",
  });
}

function tooLarge(what: string, sizeBytes: number, sizeBytesMax: number) {
  return bundleProblem("BUNDLE_INVALID", "the file exceeds a limit of the format", {
    why: `${what} says ${sizeBytes} bytes, at most ${sizeBytesMax} are allowed`,
  });
}
