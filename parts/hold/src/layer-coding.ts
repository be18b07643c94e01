import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Bytes } from "@sampan/content";
import { holdProblem } from "./problems.ts";

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const CHUNK_SIZE = 256 * 1024;

/** A stream with its first bytes known: what it is can be told before it is read. */
export async function peekStream(
  stream: Bytes,
  length: number,
): Promise<{ readonly start: Uint8Array; readonly bytes: Bytes }> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < length) {
    const next = await iterator.next();
    if (next.done === true) break;
    chunks.push(next.value);
    size += next.value.length;
  }
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { start: Buffer.concat(chunks).subarray(0, length), bytes: { [Symbol.asyncIterator]: read } };
}

/** The layer's tar, whether the stream holds it as it is, as gzip or as zstd: the first bytes tell. */
export function decodeLayer(
  start: Uint8Array,
  bytes: Bytes,
): { readonly isCoded: boolean; readonly tar: Bytes } {
  const begins = (magic: readonly number[]) => magic.every((byte, at) => start[at] === byte);
  if (begins(GZIP)) return { isCoded: true, tar: through(bytes, createGunzip({ chunkSize: CHUNK_SIZE })) };
  if (begins(ZSTD))
    return { isCoded: true, tar: through(bytes, createZstdDecompress({ chunkSize: CHUNK_SIZE })) };
  return { isCoded: false, tar: bytes };
}

async function* through(
  bytes: Bytes,
  transform: NodeJS.ReadWriteStream & Readable,
): AsyncGenerator<Uint8Array> {
  // Errors reach the reader through the transform; the callback only keeps them from being thrown twice.
  pipeline(
    Readable.from(bytes, { objectMode: false, highWaterMark: CHUNK_SIZE }),
    transform,
    () => undefined,
  );
  try {
    for await (const chunk of transform) yield chunk as Uint8Array;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (!/^(Z_|ZSTD_|ERR_ZSTD)/.test(code)) throw cause;
    throw holdProblem("HOLD_IMAGE_INVALID", "a compressed layer does not decode", {
      why: String(cause),
      cause,
    });
  }
}
