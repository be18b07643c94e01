import { createHash } from "node:crypto";
import {
  type ByteRange,
  type Bytes,
  type ContentStore,
  contentProblem,
  type Descriptor,
  type Digest,
  digestFromHex,
  type HeldImage,
} from "@sampan/content";

/** A ContentStore in memory, for tests: the same promises, nothing durable. */
export class MemoryContentStore implements ContentStore {
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly references = new Map<string, Descriptor>();
  readonly images = new Map<Digest, HeldImage>();

  async stat(digest: Digest): Promise<{ readonly size: number } | undefined> {
    const bytes = this.blobs.get(digest);
    return bytes === undefined ? undefined : { size: bytes.byteLength };
  }

  async *read(digest: Digest, range?: ByteRange): Bytes {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) throw contentProblem("CONTENT_ABSENT", `${digest} is not held`);
    const part = bytes.subarray(range?.start ?? 0, range?.end ?? bytes.byteLength);
    for (let at = 0; at < part.byteLength; at += 65_536) yield part.subarray(at, at + 65_536);
  }

  async write(source: Bytes, expect: { readonly digest: Digest; readonly sizeBytesMax: number }) {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of source) {
      size += chunk.byteLength;
      if (size > expect.sizeBytesMax) throw contentProblem("CONTENT_MISMATCH", "more bytes than announced");
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    if (digestOf(bytes) !== expect.digest) throw contentProblem("CONTENT_MISMATCH", "another digest");
    this.blobs.set(expect.digest, bytes);
    return { size };
  }

  async setReference(name: string, target: Descriptor): Promise<void> {
    this.references.set(name, target);
  }

  async getReference(name: string): Promise<Descriptor | undefined> {
    return this.references.get(name);
  }

  async listReferences(prefix: string, page: { readonly after?: string; readonly limit: number }) {
    return [...this.references]
      .filter(([name]) => name.startsWith(prefix) && name > (page.after ?? ""))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, page.limit)
      .map(([name, target]) => ({ name, target }));
  }

  async removeReference(name: string): Promise<boolean> {
    return this.references.delete(name);
  }

  async image(imageId: Digest): Promise<HeldImage | undefined> {
    return this.images.get(imageId);
  }
}

export function digestOf(bytes: Uint8Array): Digest {
  return digestFromHex(createHash("sha256").update(bytes).digest("hex"));
}
