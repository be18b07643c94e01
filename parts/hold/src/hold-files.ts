import { createHash, hash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { contentProblem, type Digest, digestFromHex, digestHex } from "@sampan/content";

/** What is kept as files: each kind in a folder of its own, spread by the first two hex digits. */
export type FileKind = "packs" | "recipes" | "blobs";
export const FILE_KINDS: readonly FileKind[] = ["packs", "recipes", "blobs"];

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** Turns a full disk into CONTENT_NO_SPACE and passes everything else on. */
export async function whileWriting<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (!FULL.has(code)) throw cause;
    throw contentProblem("CONTENT_NO_SPACE", "the disk of the hold is full", {
      hint: "free some space, or prune the hold, and start again: what was already kept is used",
      cause,
    });
  }
}

/** The files of a hold. A file is visible under its name only when it is whole and durable. */
export class HoldFiles {
  readonly folder: string;
  #temps = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(kind: FileKind, digest: Digest): string {
    const hex = digestHex(digest);
    return join(this.folder, kind, hex.slice(0, 2), hex);
  }

  async makeFolder(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
  }

  /** Makes the folders and removes what unfinished writers left. */
  async prepare(): Promise<void> {
    await rm(join(this.folder, "temp"), { recursive: true, force: true });
    for (const folder of ["temp", ...FILE_KINDS]) await mkdir(join(this.folder, folder), { recursive: true });
  }

  async openTemp(): Promise<TempFile> {
    this.#temps += 1;
    const path = join(this.folder, "temp", `${process.pid}-${this.#temps}`);
    return new TempFile(this, path, await whileWriting(() => open(path, "wx+")));
  }

  /** A file for what need not outlive the process: nothing is left of it when it is closed. */
  async openNameless(): Promise<FileHandle> {
    this.#temps += 1;
    const path = join(this.folder, "temp", `${process.pid}-${this.#temps}`);
    const handle = await open(path, "wx+");
    await rm(path);
    return handle;
  }

  async remove(kind: FileKind, digest: Digest): Promise<void> {
    await rm(this.path(kind, digest), { force: true });
  }

  async size(kind: FileKind, digest: Digest): Promise<number | undefined> {
    return (await stat(this.path(kind, digest)).catch(() => undefined))?.size;
  }

  /** Names of all files of a kind; other names are given as they are, with no digest. */
  async *list(kind: FileKind): AsyncGenerator<{ readonly path: string; readonly digest: Digest }> {
    for (const folder of await readdir(join(this.folder, kind)))
      for (const name of await readdir(join(this.folder, kind, folder)))
        yield { path: join(this.folder, kind, folder, name), digest: digestFromHex(name) };
  }

  async freeBytes(): Promise<number> {
    const disk = await statfs(this.folder);
    return disk.bavail * disk.bsize;
  }
}

/** A file that becomes one of the hold's, or disappears. */
export class TempFile {
  readonly #files: HoldFiles;
  readonly path: string;
  readonly #handle: FileHandle;
  #open = true;
  size = 0;

  constructor(files: HoldFiles, path: string, handle: FileHandle) {
    this.#files = files;
    this.path = path;
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await whileWriting(async () => {
      let done = 0;
      while (done < bytes.length) done += (await this.#handle.write(bytes, done)).bytesWritten;
    });
    this.size += bytes.length;
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    return readExactly(this.#handle, at, length);
  }

  /** Of what is in it now. */
  digest(): Promise<Digest> {
    return digestOfFile(this.#handle, this.size);
  }

  /** Makes it durable under its name. With `verify` the file is read again first, and must have this digest. */
  async keep(kind: FileKind, name: Digest, options: { readonly verify?: Digest } = {}): Promise<void> {
    await whileWriting(() => this.#handle.sync());
    if (options.verify !== undefined && (await this.digest()) !== options.verify)
      throw contentProblem("CONTENT_DAMAGED", "the disk gave back other bytes than were written", {
        hint: "the disk or its memory fails: check it before you go on",
      });
    await this.#close();
    const path = this.#files.path(kind, name);
    const folder = join(path, "..");
    await whileWriting(async () => {
      if ((await mkdir(folder, { recursive: true })) !== undefined) await syncFolder(join(folder, ".."));
      await rename(this.path, path);
      await syncFolder(folder);
    });
  }

  /** Removes it, if it was not kept. */
  async discard(): Promise<void> {
    await this.#close();
    await rm(this.path, { force: true });
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

const READ_SIZE = 1024 * 1024;

async function digestOfFile(handle: FileHandle, size: number): Promise<Digest> {
  const hasher = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.min(READ_SIZE, Math.max(size, 1)));
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    hasher.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return digestFromHex(hasher.digest("hex"));
}

export function digestOf(bytes: Uint8Array): Digest {
  return digestFromHex(hash("sha256", bytes, "hex"));
}

/** Throws CONTENT_DAMAGED when the file is shorter. */
export async function readExactly(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0)
      throw contentProblem(
        "CONTENT_DAMAGED",
        "a file of the hold is shorter than it was when it was written",
      );
    done += bytesRead;
  }
  return bytes;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
