import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { bundleProblem } from "./problems.ts";

/** Bytes that can be read at any place: a file, or memory in tests. */
export interface ByteSource {
  readonly size: number;
  /** Fills the buffer from `position`; returns how many bytes there were. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Opening a named pipe must not wait for somebody to write into it. */
const READ_NOW = constants.O_RDONLY | constants.O_NONBLOCK;

/** Opens a regular file. Throws BUNDLE_ABSENT, BUNDLE_UNREADABLE, BUNDLE_INVALID when it is no file. */
export async function openFile(path: string): Promise<ByteSource> {
  const handle = await reading(path, () => open(path, READ_NOW));
  try {
    const stat = await reading(path, () => handle.stat());
    if (!stat.isFile())
      throw bundleProblem("BUNDLE_INVALID", `${path} is not a bundle`, { why: "it is not a regular file" });
    return {
      size: stat.size,
      read: (buffer, position) => reading(path, () => readFully(handle, buffer, position)),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads `length` bytes, which the caller has checked against a limit. Throws BUNDLE_TRUNCATED. */
export async function readExactly(source: ByteSource, position: number, length: number): Promise<Buffer> {
  if (position + length > source.size) throw truncated(position + length, source.size);
  const buffer = Buffer.allocUnsafe(length);
  const count = await source.read(buffer, position);
  if (count < length) throw truncated(position + length, position + count);
  return buffer;
}

export function truncated(neededBytes: number, sizeBytes: number, part = "the bundle") {
  return bundleProblem("BUNDLE_TRUNCATED", `${part} is cut off`, {
    why: `it has ${sizeBytes} bytes, and at least ${neededBytes} belong to it`,
    hint: "copy it again from where it came from, and unmount the stick before pulling it",
  });
}

async function readFully(handle: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function reading<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    if (code === "ENOENT" || code === "ENOTDIR")
      throw bundleProblem("BUNDLE_ABSENT", `there is no file ${path}`, { cause });
    throw bundleProblem("BUNDLE_UNREADABLE", `${path} cannot be read`, {
      why: `the system says ${code}`,
      hint: "check the rights and the medium, then copy the file again",
      cause,
    });
  }
}
