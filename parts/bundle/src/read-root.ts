import { type Digest, MEDIA_TYPE } from "@sampan/content";
import { z } from "zod";
import { type ByteSource, readExactly } from "./byte-source.ts";
import { parseJson } from "./canonical-json.ts";
import { checkHeader, isZero } from "./check-entry.ts";
import { EMPTY_CONFIG } from "./content-entries.ts";
import { type BundleDocument, FORMAT_VERSION, parseDocument, tooNew } from "./document.ts";
import { type Envelope, parseEnvelope } from "./envelope.ts";
import { LIMIT } from "./limits.ts";
import { type BundlePart, PART_ANNOTATION, parsePart } from "./part.ts";
import { type PlacedEntry, placeContent } from "./place-content.ts";
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
import { BLOCK, entryBytes, paddedBytes } from "./tar-entry.ts";

export interface CheckedRoot {
  readonly document: BundleDocument;
  readonly envelope: Envelope;
  readonly manifestDigest: Digest;
  readonly part: BundlePart;
  readonly sizeBytes: number;
  readonly content: readonly PlacedEntry[];
}

/** Reads and checks the front of a file (SPEC.md sections 1 to 6). */
export async function readRoot(source: ByteSource): Promise<CheckedRoot> {
  const walk = new RootWalk(source);
  const layout = await walk.next({ name: LAYOUT_NAME, sizeBytesMax: LAYOUT_TEXT.length });
  if (layout.toString("latin1") !== LAYOUT_TEXT) throw notCanonical(LAYOUT_NAME);
  const { part, ...manifestAt } = parseIndex(
    await walk.next({ name: INDEX_NAME, sizeBytesMax: LIMIT.indexBytes }),
  );
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
  await compareRoot(source, { document, envelope, part, walkedBytes: walk.position });
  const placed = await placeContent(source, document, part);
  return { document, envelope, manifestDigest: manifestAt.digest, part, ...placed };
}

/** The parts were found; now all of the root must be byte for byte what this document and envelope give. */
async function compareRoot(
  source: ByteSource,
  found: Pick<CheckedRoot, "document" | "envelope" | "part"> & { readonly walkedBytes: number },
) {
  const { document, envelope, part, walkedBytes } = found;
  const root = document.sizes.root === walkedBytes ? renderRoot(document, envelope, part) : undefined;
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
const indexSchema = z.object({
  manifests: z.tuple([
    descriptor.extend({
      artifactType: z.string(),
      annotations: z.object({ [PART_ANNOTATION]: z.string() }).exactOptional(),
    }),
  ]),
});
const manifestSchema = z.object({ layers: z.tuple([descriptor], z.unknown()) });

/** Loose: what it finds is compared byte for byte once the document is known. Only the version is decided here. */
function parseIndex(bytes: Buffer): {
  readonly digest: Digest;
  readonly size: number;
  readonly part: BundlePart;
} {
  const parsed = indexSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw notCanonical(INDEX_NAME);
  const { artifactType, annotations, ...found } = parsed.data.manifests[0];
  if (artifactType !== MEDIA_TYPE.bundle) {
    const version = Number(/^application\/vnd\.sampan\.bundle\.v([1-9][0-9]{0,5})$/.exec(artifactType)?.[1]);
    if (version > FORMAT_VERSION) throw tooNew(version);
    throw bundleProblem("BUNDLE_INVALID", "the file is an OCI image layout, but not a bundle", {
      why: `it holds a ${JSON.stringify(artifactType.slice(0, LIMIT.textChars))}`,
    });
  }
  const part = parsePart(annotations?.[PART_ANNOTATION]);
  if (part === undefined) throw notCanonical(INDEX_NAME);
  return { ...found, part };
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
