import type { Digest } from "@sampan/content";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import type { BundleDocument } from "./document.ts";
import { type Envelope, signEnvelope } from "./envelope.ts";
import { signerOf } from "./keys.ts";
import {
  blobName,
  digestOf,
  LAYOUT_TEXT,
  PAYLOAD_TYPE,
  renderIndex,
  renderRoot,
  rootBytesMin,
} from "./root.ts";
import { sampleKey } from "./sample-bundle.ts";
import { BLOCK, END_BYTES, paddedBytes, renderEntry, renderHeader } from "./tar-entry.ts";

/** Makes bundles that the writer would not make: for tests only. */

export interface TarPart {
  readonly header: Buffer;
  readonly data: Buffer;
}

/** The entries of a bundle, to be altered. */
export function splitTar(bytes: Buffer): TarPart[] {
  const parts: TarPart[] = [];
  for (let at = 0; at < bytes.length - END_BYTES; ) {
    const header = bytes.subarray(at, at + BLOCK);
    const size = Number.parseInt(header.toString("ascii", 124, 135), 8);
    parts.push({ header, data: bytes.subarray(at + BLOCK, at + BLOCK + size) });
    at += BLOCK + paddedBytes(size);
  }
  return parts;
}

export function joinTar(parts: readonly TarPart[]): Buffer {
  const padding = (data: Buffer) => Buffer.alloc(paddedBytes(data.length) - data.length);
  const blocks = parts.flatMap(({ header, data }) => [header, data, padding(data)]);
  return Buffer.concat([...blocks, Buffer.alloc(END_BYTES)]);
}

export function tarPart(name: string, data: string | Buffer): TarPart {
  return { header: renderHeader(name, Buffer.byteLength(data)), data: Buffer.from(data) };
}

/** A header with other bytes in a field, and its checksum made right again. */
export function alteredHeader(header: Buffer, offset: number, field: string | Buffer): Buffer {
  const altered = Buffer.from(header);
  Buffer.from(field).copy(altered, offset);
  altered.fill(" ", 148, 156);
  const sum = altered.reduce((total, byte) => total + byte, 0);
  altered.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "ascii");
  return altered;
}

/** A root around an envelope of any form, with an index and a manifest that fit it. The document is not looked at. */
export function forgeRoot(envelope: Buffer, index?: (text: Buffer) => string | Buffer): Buffer {
  const manifest = renderCanonical({ layers: [{ digest: digestOf(envelope), size: envelope.length }] });
  const honest = renderIndex({ digest: digestOf(manifest), size: manifest.length });
  return Buffer.concat([
    renderEntry("oci-layout", Buffer.from(LAYOUT_TEXT)),
    renderEntry("index.json", Buffer.from(index?.(honest) ?? honest)),
    renderEntry(blobName(digestOf(manifest)), manifest),
    renderEntry(blobName(EMPTY_CONFIG.digest), Buffer.from("{}")),
    renderEntry(blobName(digestOf(envelope)), envelope),
    Buffer.alloc(END_BYTES),
  ]);
}

export async function forgeEnvelope(payload: string | Buffer, payloadType = PAYLOAD_TYPE): Promise<Envelope> {
  const signer = signerOf(sampleKey("vendor").privateKey);
  return signEnvelope({ payloadType, payload: Buffer.from(payload) }, [signer]);
}

/** A whole, signed bundle of any document, whose sums and sizes are made right. */
export async function forgeBundle(
  document: Omit<BundleDocument, "sizes">,
  blobs: ReadonlyMap<Digest, Uint8Array>,
): Promise<Buffer> {
  const content = contentOf(document);
  const sizes = {
    root: 0,
    layers: document.layers.reduce((sum, layer) => sum + layer.size, 0),
    pieces: 0,
    content: content.reduce((sum, entry) => sum + entry.size, 0),
  };
  const sealed = async (root: number) => {
    const whole = { ...document, sizes: { ...sizes, root } };
    return { whole, envelope: await forgeEnvelope(renderCanonical(whole)) };
  };
  const largest = await sealed(BLOCK * 1_000_000);
  const { whole, envelope } = await sealed(rootBytesMin(document, largest.envelope) + BLOCK);
  return Buffer.concat([
    renderRoot(whole, envelope)!.bytes,
    ...content.map((entry) => renderEntry(blobName(entry.digest), blobs.get(entry.digest)!)),
    Buffer.alloc(END_BYTES),
  ]);
}
