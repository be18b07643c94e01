import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { type ByteRange, type Bytes, contentProblem, type Digest, digestFromHex } from "@sampan/content";
import { digestOf, type HoldFiles } from "./hold-files.ts";
import type { HoldIndex } from "./hold-index.ts";

const READ_SIZE = 256 * 1024;

/** Content kept as it came, one file each: configs, manifests, releases, and what was pushed. */
export class BlobStore {
  readonly #files: HoldFiles;
  readonly #index: HoldIndex;
  readonly #now: () => number;

  constructor(files: HoldFiles, index: HoldIndex, now: () => number) {
    this.#files = files;
    this.#index = index;
    this.#now = now;
  }

  stat(digest: Digest): { readonly size: number } | undefined {
    return this.#index.blob(digest);
  }

  /** Somebody counts on it: it is young again. */
  touch(digest: Digest): void {
    const held = this.stat(digest);
    if (held !== undefined)
      this.#index.transaction(() => this.#index.putBlob(digest, held.size, this.#now()));
  }

  /** Throws CONTENT_MISMATCH when the digest is another, or there is more than `sizeBytesMax`. */
  async write(source: Bytes, digest: Digest, sizeBytesMax: number): Promise<{ readonly size: number }> {
    const temp = await this.#files.openTemp();
    try {
      const hasher = createHash("sha256");
      for await (const chunk of source) {
        if (temp.size + chunk.length > sizeBytesMax)
          throw contentProblem(
            "CONTENT_MISMATCH",
            `${digest} is larger than the ${sizeBytesMax} bytes announced`,
          );
        hasher.update(chunk);
        await temp.write(chunk);
      }
      const made = digestFromHex(hasher.digest("hex"));
      if (made !== digest)
        throw contentProblem("CONTENT_MISMATCH", `these bytes are not ${digest}`, {
          why: `they are ${made}`,
        });
      await temp.keep("blobs", digest);
    } finally {
      await temp.discard();
    }
    this.#index.transaction(() => this.#index.putBlob(digest, temp.size, this.#now()));
    return { size: temp.size };
  }

  async writeBytes(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (this.stat(digest) !== undefined && (await this.#isSound(digest, bytes.length))) {
      this.touch(digest);
      return;
    }
    await this.write(streamOf(bytes), digest, bytes.length);
  }

  /** Streams a blob that `stat` knows. The end is held back until the whole has verified. Throws CONTENT_DAMAGED. */
  async *read(digest: Digest, size: number, range: ByteRange): AsyncGenerator<Uint8Array> {
    const handle = await this.#open(digest);
    try {
      const isWhole = range.start === 0 && range.end === size;
      const hasher = isWhole ? createHash("sha256") : undefined;
      for (let at = range.start; at < range.end; ) {
        const chunk = await readSome(handle, at, Math.min(READ_SIZE, range.end - at));
        if (chunk.length === 0) throw damaged(digest, "its file is shorter than it was");
        hasher?.update(chunk);
        at += chunk.length;
        if (at === size && hasher !== undefined && digestFromHex(hasher.digest("hex")) !== digest)
          throw damaged(digest, "its bytes are not those that were written");
        yield chunk;
      }
    } finally {
      await handle.close();
    }
  }

  /** A small blob at once. Throws CONTENT_ABSENT, CONTENT_DAMAGED; CONTENT_INVALID when it is larger than `sizeBytesMax`. */
  async readAll(digest: Digest, sizeBytesMax: number): Promise<Uint8Array> {
    const held = this.stat(digest);
    if (held === undefined) throw contentProblem("CONTENT_ABSENT", `${digest} is not held here`);
    if (held.size > sizeBytesMax)
      throw contentProblem("CONTENT_INVALID", `${digest} is too large for what it should be`, {
        why: `${held.size} bytes, and at most ${sizeBytesMax} are read`,
      });
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.read(digest, held.size, { start: 0, end: held.size })) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async #isSound(digest: Digest, size: number): Promise<boolean> {
    const handle = await open(this.#files.path("blobs", digest), "r").catch(() => undefined);
    if (handle === undefined) return false;
    try {
      return digestOf(await readSome(handle, 0, size + 1)) === digest;
    } finally {
      await handle.close();
    }
  }

  async #open(digest: Digest): Promise<FileHandle> {
    return open(this.#files.path("blobs", digest), "r").catch((cause: unknown) => {
      throw damaged(digest, "its file cannot be read", cause);
    });
  }
}

export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function readSome(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}

function damaged(digest: Digest, why: string, cause?: unknown): Error {
  return contentProblem("CONTENT_DAMAGED", `blob ${digest} is damaged`, {
    why,
    hint: "write it again: import the bundle, or push what it belongs to",
    cause,
  });
}
