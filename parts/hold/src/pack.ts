/**
 * A pack: pieces compressed together, named by the SHA-256 of the file (SPEC.md, "Packs"). Integers are little-endian.
 *
 *     0    "SAMPANPK" | u16 version | u8 codec (1: zstd) | 5 zero bytes
 *     16   one zstd frame of all pieces, with content size and checksum
 *     …    index: per piece its length as a varint
 *     -64  trailer: u32 pieces | u32 raw bytes | u32 frame bytes | u32 index bytes
 *          32 bytes SHA-256 over the ids of all pieces in order | 16 bytes "sampan pack v1" and two zero bytes
 */
import { createHash, hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { contentProblem, type Digest, digestFromHex } from "@sampan/content";
import { ByteReader, ByteWriter } from "./byte-columns.ts";
import { RECIPE_LIMITS } from "./recipe.ts";

export const PACK_LIMITS = {
  fileSizeMax: 32 * 1024 * 1024,
  rawSizeMax: 32 * 1024 * 1024,
  pieces: 8192,
  /** What may be asked for: what does not compress must still fit the file. */
  sizeMax: 24 * 1024 * 1024,
} as const;
export const PACK_SIZE_DEFAULT = 16 * 1024 * 1024;

const PREFIX = Buffer.from("SAMPANPK\x01\x00\x01\x00\x00\x00\x00\x00", "latin1");
const END_MAGIC = Buffer.from("sampan pack v1\0\0", "latin1");
const TRAILER_SIZE = 64;
/** 8 MiB: matches reach over half a pack, at half the memory that reaching over all of it would take. */
const WINDOW_LOG = 23;
const WINDOW_LOG_MAX = 25;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Pieces in order: their bytes one after another, and of each its length and id (32 bytes). */
export interface PieceRun {
  readonly raw: Uint8Array;
  readonly lengths: readonly number[];
  readonly ids: readonly Uint8Array[];
}

export interface EncodedPack {
  readonly digest: Digest;
  /** Names the pieces and their order: equal sequences packed at one level by one zstd are equal files. */
  readonly sequence: Uint8Array;
  readonly bytes: Uint8Array;
}

export function sequenceOf(ids: readonly Uint8Array[]): Uint8Array {
  const hasher = createHash("sha256");
  for (const id of ids) hasher.update(id);
  return hasher.digest();
}

/** Compresses in the thread pool; nothing but the arguments decides about the bytes. */
export async function encodePack(run: PieceRun, level: number): Promise<EncodedPack> {
  const frame = await compressFrame(run.raw, level);
  const index = new ByteWriter();
  for (const length of run.lengths) index.varint(length);
  const sequence = sequenceOf(run.ids);
  const trailer = Buffer.alloc(TRAILER_SIZE);
  trailer.writeUInt32LE(run.lengths.length, 0);
  trailer.writeUInt32LE(run.raw.length, 4);
  trailer.writeUInt32LE(frame.length, 8);
  trailer.writeUInt32LE(index.length, 12);
  trailer.set(sequence, 16);
  END_MAGIC.copy(trailer, 48);
  const bytes = Buffer.concat([PREFIX, frame, index.view(), trailer]);
  return { digest: digestFromHex(hash("sha256", bytes, "hex")), sequence, bytes };
}

/** One zstd frame with a checksum of its content. */
export function compressFrame(raw: Uint8Array, level: number): Promise<Uint8Array> {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_windowLog]: WINDOW_LOG,
  };
  // One output buffer of the largest possible size: Node would otherwise gather 64 KiB parts and join them.
  return compress(raw, {
    params,
    pledgedSrcSize: raw.length,
    chunkSize: raw.length + (raw.length >> 8) + 1024,
  });
}

/** Throws CONTENT_INVALID when the frame is damaged or does not make exactly `rawSize` bytes. */
export async function decompressFrame(frame: Uint8Array, rawSize: number): Promise<Uint8Array> {
  let raw: Uint8Array;
  try {
    raw = await decompress(frame, {
      maxOutputLength: Math.max(rawSize, 1),
      chunkSize: Math.max(rawSize + 64, 64),
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    });
  } catch (cause) {
    throw contentProblem("CONTENT_INVALID", "a compressed part does not decode", { cause });
  }
  if (raw.length !== rawSize)
    throw contentProblem("CONTENT_INVALID", "a compressed part does not have the size it announces");
  return raw;
}

export interface PackFrame {
  readonly lengths: readonly number[];
  readonly rawSize: number;
  readonly sequence: Uint8Array;
  /** The zstd frame inside the file. */
  readonly frame: Uint8Array;
}

/** Checks the frame of a pack file, not its content. Throws CONTENT_INVALID. */
export function readPackFrame(bytes: Uint8Array): PackFrame {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const trailer = file.subarray(Math.max(0, file.length - TRAILER_SIZE));
  if (file.length > PACK_LIMITS.fileSizeMax || file.length < PREFIX.length + TRAILER_SIZE)
    throw invalid("its size is impossible");
  if (!PREFIX.equals(file.subarray(0, PREFIX.length)) || !END_MAGIC.equals(trailer.subarray(48)))
    throw invalid("it is not of a kind that this version reads");
  const count = trailer.readUInt32LE(0);
  const rawSize = trailer.readUInt32LE(4);
  const frameSize = trailer.readUInt32LE(8);
  const indexSize = trailer.readUInt32LE(12);
  if (count === 0 || count > PACK_LIMITS.pieces || rawSize > PACK_LIMITS.rawSizeMax)
    throw invalid("it announces more than a pack may hold");
  if (PREFIX.length + frameSize + indexSize + TRAILER_SIZE !== file.length)
    throw invalid("its sizes contradict each other");
  const frameEnd = PREFIX.length + frameSize;
  const index = new ByteReader(file.subarray(frameEnd, frameEnd + indexSize));
  const lengths: number[] = [];
  let total = 0;
  for (let piece = 0; piece < count; piece += 1) {
    const length = index.varint();
    if (length === 0 || length > RECIPE_LIMITS.pieceSizeMax) throw invalid("a piece has an impossible size");
    lengths.push(length);
    total += length;
  }
  if (total !== rawSize || index.rest > 0) throw invalid("its index does not fit its content");
  return {
    lengths,
    rawSize,
    sequence: trailer.subarray(16, 48),
    frame: file.subarray(PREFIX.length, frameEnd),
  };
}

/** Decodes a pack and names every piece in it by its bytes. Throws CONTENT_INVALID. */
export async function decodePack(bytes: Uint8Array): Promise<PieceRun & { readonly sequence: Uint8Array }> {
  const frame = readPackFrame(bytes);
  const raw = await decompressFrame(frame.frame, frame.rawSize);
  const ids: Uint8Array[] = [];
  let at = 0;
  for (const length of frame.lengths) {
    ids.push(hash("sha256", raw.subarray(at, at + length), "buffer"));
    at += length;
  }
  if (Buffer.compare(sequenceOf(ids), frame.sequence) !== 0)
    throw invalid("a piece in it is not what it was");
  return { raw, lengths: frame.lengths, ids, sequence: frame.sequence };
}

function invalid(why: string): Error {
  return contentProblem("CONTENT_INVALID", "a pack cannot be read", { why });
}
