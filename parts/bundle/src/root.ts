import { createHash } from "node:crypto";
import { type Digest, digestFromHex, digestHex, MEDIA_TYPE } from "@sampan/content";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import type { BundleDocument } from "./document.ts";
import { type Envelope, renderEnvelope } from "./envelope.ts";
import { BLOCK, entryBytes, paddedBytes, renderEntry } from "./tar-entry.ts";

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
export function renderIndex(manifest: { readonly digest: Digest; readonly size: number }): Buffer {
  const descriptor = { ...manifest, artifactType: MEDIA_TYPE.bundle, mediaType: MEDIA_TYPE.ociManifest };
  return renderCanonical({ manifests: [descriptor], mediaType: MEDIA_TYPE.ociIndex, schemaVersion: 2 });
}

/** The smallest root that a document and envelope fit into. */
export function rootBytesMin(document: Omit<BundleDocument, "sizes">, envelope: Envelope): number {
  const parts = rootParts(document, envelope);
  return fixedBytes(parts) + BLOCK + paddedBytes(parts.index.length);
}

/** The root as it stands at the front of the file: exactly `document.sizes.root` bytes. Undefined when they cannot hold it. */
export function renderRoot(
  document: BundleDocument,
  envelope: Envelope,
): { readonly bytes: Buffer; readonly manifestDigest: Digest } | undefined {
  const parts = rootParts(document, envelope);
  const indexBytes = document.sizes.root - fixedBytes(parts) - BLOCK;
  if (indexBytes < parts.index.length || indexBytes % BLOCK !== 0) return undefined;
  const index = Buffer.alloc(indexBytes, SPACE);
  parts.index.copy(index);
  const bytes = Buffer.concat([
    renderEntry(LAYOUT_NAME, Buffer.from(LAYOUT_TEXT)),
    renderEntry(INDEX_NAME, index),
    renderEntry(blobName(parts.manifestDigest), parts.manifest),
    renderEntry(blobName(EMPTY_CONFIG.digest), Buffer.from("{}")),
    renderEntry(blobName(digestOf(parts.envelope)), parts.envelope),
  ]);
  return { bytes, manifestDigest: parts.manifestDigest };
}

interface RootParts {
  readonly envelope: Buffer;
  readonly manifest: Buffer;
  readonly manifestDigest: Digest;
  readonly index: Buffer;
}

function rootParts(document: Omit<BundleDocument, "sizes">, envelope: Envelope): RootParts {
  const envelopeBytes = renderEnvelope(envelope);
  const manifest = renderManifest(document, envelopeBytes);
  const manifestDigest = digestOf(manifest);
  const index = renderIndex({ digest: manifestDigest, size: manifest.length });
  return { envelope: envelopeBytes, manifest, manifestDigest, index };
}

function fixedBytes(parts: RootParts): number {
  const sizes = [LAYOUT_TEXT.length, parts.manifest.length, EMPTY_CONFIG.size, parts.envelope.length];
  return sizes.reduce((sum, size) => sum + entryBytes(size), 0);
}
