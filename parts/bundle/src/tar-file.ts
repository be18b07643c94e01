import { type FileHandle, open } from "node:fs/promises";
import { bundleProblem } from "./problems.ts";
import { END_BYTES, entryBytes, paddedBytes, renderHeader } from "./tar-entry.ts";

/** A bundle's tar on its way to disk: a gap at the front, then entries one after another. */
export class TarFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  #position: number;
  #isOpen = true;

  private constructor(handle: FileHandle, path: string, frontBytes: number) {
    this.#handle = handle;
    this.#path = path;
    this.#position = frontBytes;
  }

  /** Makes the file, or empties it. */
  static async create(path: string, frontBytes: number): Promise<TarFile> {
    return new TarFile(await writing(path, () => open(path, "w")), path, frontBytes);
  }

  async append(name: string, data: Uint8Array): Promise<void> {
    const padding = Buffer.alloc(paddedBytes(data.length) - data.length);
    await writeAt(this.#handle, this.#path, [renderHeader(name, data.length), data, padding], this.#position);
    this.#position += entryBytes(data.length);
  }

  /** Writes the end, and lets go of the file: only its front is still to be written. */
  async end(): Promise<void> {
    await writeAt(this.#handle, this.#path, [Buffer.alloc(END_BYTES)], this.#position);
    await this.close();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }
}

/** Fills the gap at the front, and makes all of the file durable. */
export async function writeFront(path: string, front: Uint8Array): Promise<void> {
  const handle = await writing(path, () => open(path, "r+"));
  try {
    await writeAt(handle, path, [front], 0);
    await writing(path, () => handle.sync());
  } finally {
    await handle.close();
  }
}

async function writeAt(
  handle: FileHandle,
  path: string,
  parts: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let at = position;
  for (const part of parts) {
    let done = 0;
    while (done < part.length) {
      const { bytesWritten } = await writing(path, () =>
        handle.write(part, done, part.length - done, at + done),
      );
      done += bytesWritten;
    }
    at += part.length;
  }
}

/** Turns what the system says into a Problem. */
export async function writing<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw bundleProblem("BUNDLE_NO_SPACE", `there is no room left for ${path}`, {
        why: "the disk, or the quota on it, is full",
        hint: "free some, or write the bundle to another disk",
        cause,
      });
    if (code === "EFBIG")
      throw bundleProblem("BUNDLE_UNWRITABLE", `${path} became too large for its file system`, {
        why: "some file systems (FAT32: 4 GiB) limit the size of a file",
        hint: "use a medium with exFAT, NTFS or ext4, or export fewer releases at once",
        cause,
      });
    throw bundleProblem("BUNDLE_UNWRITABLE", `${path} cannot be written`, {
      why: `the system says ${code}`,
      hint: "check the folder, its rights and the medium",
      cause,
    });
  }
}
