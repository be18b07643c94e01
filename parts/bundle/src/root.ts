import { createHash } from "node:crypto";
import { type Digest, digestFromHex, digestHex, MEDIA_TYPE } from "@sampan/content";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import type { BundleDocument } from "./document.ts";
import { type Envelope, renderEnvelope } from "./envelope.ts";
import { type BundlePart, PART_ANNOTATION, renderPart, WHOLE } from "./part.ts";
import { BLOCK, entryBytes, renderEntry } from "./tar-entry.ts";

export const PAYLOAD_TYPE = `${MEDIA_TYPE.bundle}+json`;
export const LAYOUT_NAME = "oci-layout";
export const INDEX_NAME = "index.json";
export const LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}';
const SPACE = 0x20;

export function blobName(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

export function digestOf(bytes: Uint8Array): Digest {
  return digestFromHex(createHash("sha256").update(bytes).digest("hex"));
}

/** The manifest, which follows from the document and its envelope (SPEC.md section 4). */
export function renderManifest(document: Omit<BundleDocument, "sizes">, envelope: Uint8Array): Buffer {
  const content = contentOf(document).map(({ digest, mediaType, size }) => ({ digest, mediaType, size }));
  return renderCanonical({
    artifactType: MEDIA_TYPE.bundle,
    config: EMPTY_CONFIG,
    layers: [
      { digest: digestOf(envelope), mediaType: MEDIA_TYPE.bundleEnvelope, size: envelope.length },
      ...content,
    ],
    mediaType: MEDIA_TYPE.ociManifest,
    schemaVersion: 2,
  });
}

/** The text of `index.json`, without its spaces. */
export function renderIndex(
  manifest: { readonly digest: Digest; readonly size: number },
  part: BundlePart = WHOLE,
): Buffer {
  const said = renderPart(part);
  const descriptor = {
    ...manifest,
    ...(said === undefined ? {} : { annotations: { [PART_ANNOTATION]: said } }),
    artifactType: MEDIA_TYPE.bundle,
    mediaType: MEDIA_TYPE.ociManifest,
  };
  return renderCanonical({ manifests: [descriptor], mediaType: MEDIA_TYPE.ociIndex, schemaVersion: 2 });
}

/** The smallest root that a document and envelope fit into, in a file that has this part. */
export function rootBytesMin(
  document: Omit<BundleDocument, "sizes">,
  envelope: Envelope,
  part: BundlePart = WHOLE,
): number {
  const blobs = rootBlobs(document, envelope);
  return fixedBytes(blobs) + entryBytes(indexOf(blobs, part).length);
}

/** The root as it stands at the front of the file: exactly `document.sizes.root` bytes. Undefined when they cannot hold it. */
export function renderRoot(
  document: BundleDocument,
  envelope: Envelope,
  part: BundlePart = WHOLE,
): { readonly bytes: Buffer; readonly manifestDigest: Digest } | undefined {
  return renderRoots(document, envelope, [part])?.[0];
}

/** The roots of several parts: what is the same in all is made once. */
export function renderRoots(
  document: BundleDocument,
  envelope: Envelope,
  parts: readonly BundlePart[],
): { readonly bytes: Buffer; readonly manifestDigest: Digest }[] | undefined {
  const blobs = rootBlobs(document, envelope);
  const indexBytes = document.sizes.root - fixedBytes(blobs) - BLOCK;
  const texts = parts.map((part) => indexOf(blobs, part));
  if (indexBytes % BLOCK !== 0 || texts.some((text) => text.length > indexBytes)) return undefined;
  const after = Buffer.concat([
    renderEntry(blobName(blobs.manifestDigest), blobs.manifest),
    renderEntry(blobName(EMPTY_CONFIG.digest), Buffer.from("{}")),
    renderEntry(blobName(digestOf(blobs.envelope)), blobs.envelope),
  ]);
  return texts.map((text) => {
    const index = Buffer.alloc(indexBytes, SPACE);
    text.copy(index);
    const before = [renderEntry(LAYOUT_NAME, Buffer.from(LAYOUT_TEXT)), renderEntry(INDEX_NAME, index)];
    return { bytes: Buffer.concat([...before, after]), manifestDigest: blobs.manifestDigest };
  });
}

interface RootBlobs {
  readonly envelope: Buffer;
  readonly manifest: Buffer;
  readonly manifestDigest: Digest;
}

function rootBlobs(document: Omit<BundleDocument, "sizes">, envelope: Envelope): RootBlobs {
  const envelopeBytes = renderEnvelope(envelope);
  const manifest = renderManifest(document, envelopeBytes);
  return { envelope: envelopeBytes, manifest, manifestDigest: digestOf(manifest) };
}

function indexOf(blobs: RootBlobs, part: BundlePart): Buffer {
  return renderIndex({ digest: blobs.manifestDigest, size: blobs.manifest.length }, part);
}

function fixedBytes(blobs: RootBlobs): number {
  const sizes = [LAYOUT_TEXT.length, blobs.manifest.length, EMPTY_CONFIG.size, blobs.envelope.length];
  return sizes.reduce((sum, size) => sum + entryBytes(size), 0);
}
