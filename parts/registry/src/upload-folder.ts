import { createHash, type Hash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes, Digest } from "@sampan/content";
import { registryProblem } from "./problems.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface UploadLimits {
  /** Bytes of one blob. */
  readonly uploadSizeBytesMax: number;
  /** Uploads that are open at the same time, begun or waiting for their next chunk. */
  readonly uploadsMax: number;
  /** An upload that nothing was added to for so long is dropped. */
  readonly uploadIdleMs: number;
}

/** Hash of all bytes so far; lost with the process, then made again from the file. */
interface Running {
  readonly hash: Hash;
  readonly size: number;
}

/**
 * Uploads that are not whole yet: one file each, named `<id>.<repository's hash>`, so an upload is only found in the repository it
 * was begun in, and a restarted server goes on with it. Its size is how far it is.
 */
export class UploadFolder {
  readonly #folder: string;
  readonly #limits: UploadLimits;
  readonly #now: () => Date;
  readonly #busy = new Set<string>();
  readonly #running = new Map<string, Running>();

  constructor(folder: string, limits: UploadLimits, now: () => Date) {
    this.#folder = folder;
    this.#limits = limits;
    this.#now = now;
  }

  /** Makes an empty upload; drops stale ones first. Throws REGISTRY_TOOMANYREQUESTS. */
  async begin(repository: string): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const open_ = await this.sweep();
    if (open_ >= this.#limits.uploadsMax)
      throw registryProblem("REGISTRY_TOOMANYREQUESTS", "too many uploads are open", {
        why: `${open_} are open, ${this.#limits.uploadsMax} are allowed`,
      });
    const id = randomUUID();
    await (await open(this.#path(repository, id), "wx", 0o600)).close();
    return id;
  }

  /** Bytes that have arrived. Throws REGISTRY_BLOB_UPLOAD_UNKNOWN. */
  async size(repository: string, id: string): Promise<number> {
    try {
      return (await stat(this.#path(repository, id))).size;
    } catch (error) {
      throw unknownUpload(error);
    }
  }

  /**
   * Adds bytes at the end, as they come; returns the size then. What arrived before a stream breaks off stays. Throws
   * REGISTRY_BLOB_UPLOAD_UNKNOWN, REGISTRY_BLOB_UPLOAD_INVALID, REGISTRY_RANGE_INVALID, REGISTRY_TOO_LARGE.
   */
  append(repository: string, id: string, source: Bytes, expect: { start?: number }): Promise<number> {
    return this.#alone(id, async () => {
      const size = await this.size(repository, id);
      if (expect.start !== undefined && expect.start !== size)
        throw registryProblem("REGISTRY_RANGE_INVALID", "the chunk does not begin where the upload ends", {
          why: `it begins at ${expect.start}, and ${size} bytes have arrived`,
        });
      const file = await open(this.#path(repository, id), "r+");
      try {
        return await this.#write(id, file, { source, size });
      } finally {
        await file.close();
      }
    });
  }

  /** Checks the whole upload, hands it to `keep` and drops it, whether it was kept or not. Throws REGISTRY_DIGEST_INVALID. */
  finish(
    repository: string,
    id: string,
    digest: Digest,
    keep: (content: Bytes, size: number) => Promise<void>,
  ): Promise<void> {
    return this.#alone(id, async () => {
      const size = await this.size(repository, id);
      const path = this.#path(repository, id);
      try {
        const actual: Digest = `sha256:${(await this.#hash(id, path, size)).copy().digest("hex")}`;
        if (actual !== digest)
          throw registryProblem(
            "REGISTRY_DIGEST_INVALID",
            "the blob does not have the digest it was sent with",
            {
              why: `its ${size} bytes have ${actual}`,
            },
          );
        await keep(createReadStream(path), size);
      } finally {
        await this.#drop(id, path);
      }
    });
  }

  cancel(repository: string, id: string): Promise<void> {
    return this.#alone(id, async () => {
      await this.size(repository, id);
      await this.#drop(id, this.#path(repository, id));
    });
  }

  /** Drops uploads that were left alone too long; returns how many are open after it. */
  async sweep(): Promise<number> {
    let left = 0;
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const id = name.slice(0, name.indexOf("."));
      if (!UUID.test(id)) continue;
      const path = join(this.#folder, name);
      const touched = (await stat(path).catch(() => undefined))?.mtimeMs;
      if (touched === undefined) continue;
      const stale = this.#now().getTime() - touched > this.#limits.uploadIdleMs && !this.#busy.has(id);
      if (stale) await this.#drop(id, path);
      else left++;
    }
    return left;
  }

  async #write(
    id: string,
    file: FileHandle,
    { source, size }: { source: Bytes; size: number },
  ): Promise<number> {
    const hash = await this.#hash(id, file, size);
    this.#running.delete(id);
    let end = size;
    try {
      for await (const chunk of source) {
        if (end + chunk.byteLength > this.#limits.uploadSizeBytesMax)
          throw registryProblem("REGISTRY_TOO_LARGE", "the blob is larger than this registry takes", {
            why: `at most ${this.#limits.uploadSizeBytesMax} bytes are taken`,
          });
        await writeAll(file, chunk, end);
        hash.update(chunk);
        end += chunk.byteLength;
      }
      return end;
    } finally {
      this.#running.set(id, { hash, size: end });
    }
  }

  /** Hash of the first `size` bytes: kept from the last chunk, or made again. */
  async #hash(id: string, file: FileHandle | string, size: number): Promise<Hash> {
    const running = this.#running.get(id);
    if (running?.size === size) return running.hash;
    const hash = createHash("sha256");
    const source =
      typeof file === "string"
        ? createReadStream(file)
        : file.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 });
    for await (const chunk of source) hash.update(chunk);
    return hash;
  }

  async #drop(id: string, path: string): Promise<void> {
    this.#running.delete(id);
    await rm(path, { force: true });
  }

  /** One request at a time works on an upload: two writers would mix their bytes. */
  async #alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id))
      throw registryProblem("REGISTRY_BLOB_UPLOAD_INVALID", "another request is working on this upload");
    this.#busy.add(id);
    try {
      return await work();
    } finally {
      this.#busy.delete(id);
    }
  }

  #path(repository: string, id: string): string {
    if (!UUID.test(id)) throw unknownUpload();
    const owner = createHash("sha256").update(repository).digest("hex").slice(0, 16);
    return join(this.#folder, `${id}.${owner}`);
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.byteLength; )
    done += (await file.write(chunk, done, chunk.byteLength - done, position + done)).bytesWritten;
}

function unknownUpload(error?: unknown) {
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== "ENOENT") return error;
  return registryProblem("REGISTRY_BLOB_UPLOAD_UNKNOWN", "there is no such upload in this repository");
}
