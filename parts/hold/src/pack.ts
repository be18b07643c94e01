/**
 * A pack: pieces compressed together, named by the SHA-256 of the file (SPEC.md, "Packs"). Integers are little-endian.
 *
 *     0    "SAMPANPK" | u16 version | u8 codec (1: zstd, 2: with a dictionary) | 5 zero bytes
 *     16   codec 2 only: u32 pieces of the dictionary | u32 its bytes | 32 bytes SHA-256 of it
 *          per piece of the dictionary the first 16 bytes of its id
 *     …    one zstd frame of all pieces, with content size and checksum
 *     …    index: per piece its length as a varint
 *     -64  trailer: u32 pieces | u32 raw bytes | u32 frame bytes | u32 index bytes
 *          32 bytes SHA-256 over the ids of all pieces in order | 16 bytes "sampan pack v1" and two zero bytes
 */
import { createHash, hash } from "node:crypto";
import { contentProblem, type Digest, digestFromHex } from "@sampan/content";
import { ByteReader, ByteWriter } from "./byte-columns.ts";
import { compressAgainst, compressFrame, DICTIONARY_LIMITS, decompressFrame } from "./frame.ts";
import { RECIPE_LIMITS } from "./recipe.ts";

export const PACK_LIMITS = {
  fileSizeMax: 32 * 1024 * 1024,
  rawSizeMax: 32 * 1024 * 1024,
  pieces: 8192,
  /** What may be asked for: what does not compress must still fit the file. */
  sizeMax: 24 * 1024 * 1024,
} as const;
export const PACK_SIZE_DEFAULT = 16 * 1024 * 1024;

const PREFIX_SIZE = 16;
const PREFIXES = {
  plain: Buffer.from("SAMPANPK\x01\x00\x01\x00\x00\x00\x00\x00", "latin1"),
  against: Buffer.from("SAMPANPK\x01\x00\x02\x00\x00\x00\x00\x00", "latin1"),
};
const END_MAGIC = Buffer.from("sampan pack v1\0\0", "latin1");
const TRAILER_SIZE = 64;
const DICTIONARY_HEAD_SIZE = 40;
/** Enough of an id to find a piece by; whether it was the right one, the digest of the dictionary tells. */
const ID_PREFIX_SIZE = 16;

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
  return packOf(run, [PREFIXES.plain, await compressFrame(run.raw, level)]);
}

/** What a pack is compressed against: one zero byte and pieces, as bytes, and the ids of those pieces. */
export interface PackDictionary {
  readonly bytes: Uint8Array;
  readonly ids: readonly Uint8Array[];
}

/** So little, dictionary included, is compressed as well as can be whatever was asked for: it takes a fraction of a second. */
const LITTLE_SIZE_MAX = 2 * 1024 * 1024;
const LEVEL_OF_LITTLE = 19;

/** A pack of codec 2, or of codec 1 when that is not larger. */
export async function encodePackAgainst(
  dictionary: PackDictionary,
  run: PieceRun,
  level: number,
): Promise<EncodedPack> {
  const isLittle = dictionary.bytes.length + run.raw.length <= LITTLE_SIZE_MAX;
  const levelAgainst = isLittle ? LEVEL_OF_LITTLE : level;
  const against = await compressAgainst(dictionary.bytes, run.raw, levelAgainst);
  const headSize = DICTIONARY_HEAD_SIZE + dictionary.ids.length * ID_PREFIX_SIZE;
  const size = headSize + against.length;
  if (!(await isWellBelowPlain(size, run.raw))) {
    const plain = await compressFrame(run.raw, level);
    if (plain.length <= size) return packOf(run, [PREFIXES.plain, plain]);
  }
  const head = Buffer.alloc(headSize);
  head.writeUInt32LE(dictionary.ids.length, 0);
  head.writeUInt32LE(dictionary.bytes.length, 4);
  head.set(hash("sha256", dictionary.bytes, "buffer"), 8);
  dictionary.ids.forEach((id, index) => {
    head.set(id.subarray(0, ID_PREFIX_SIZE), DICTIONARY_HEAD_SIZE + index * ID_PREFIX_SIZE);
  });
  return packOf(run, [PREFIXES.against, head, against]);
}

/** Whether it is not worth the time of trying without a dictionary: no level halves what the quickest makes. */
async function isWellBelowPlain(size: number, raw: Uint8Array): Promise<boolean> {
  if (size <= raw.length >> 5) return true;
  return size <= (await compressFrame(raw, 1)).length / 2;
}

function packOf(run: PieceRun, start: readonly Uint8Array[]): EncodedPack {
  const index = new ByteWriter();
  for (const length of run.lengths) index.varint(length);
  const sequence = sequenceOf(run.ids);
  const trailer = Buffer.alloc(TRAILER_SIZE);
  trailer.writeUInt32LE(run.lengths.length, 0);
  trailer.writeUInt32LE(run.raw.length, 4);
  trailer.writeUInt32LE(start.at(-1)!.length, 8);
  trailer.writeUInt32LE(index.length, 12);
  trailer.set(sequence, 16);
  END_MAGIC.copy(trailer, 48);
  const bytes = Buffer.concat([...start, index.view(), trailer]);
  return { digest: digestFromHex(hash("sha256", bytes, "hex")), sequence, bytes };
}

export interface PackFrame {
  readonly lengths: readonly number[];
  readonly rawSize: number;
  readonly sequence: Uint8Array;
  /** The zstd frame inside the file. */
  readonly frame: Uint8Array;
  /** Of codec 2: what it needs to be decoded. */
  readonly dictionary?: DictionaryNeed;
}

export interface DictionaryNeed {
  /** The first bytes of the ids of its pieces, in order. */
  readonly idPrefixes: readonly Uint8Array[];
  readonly size: number;
  readonly sha256: Uint8Array;
}

/** Checks the frame of a pack file, not its content. Throws CONTENT_INVALID. */
export function readPackFrame(bytes: Uint8Array): PackFrame {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const trailer = file.subarray(Math.max(0, file.length - TRAILER_SIZE));
  if (file.length > PACK_LIMITS.fileSizeMax || file.length < PREFIX_SIZE + TRAILER_SIZE)
    throw invalid("its size is impossible");
  if (!END_MAGIC.equals(trailer.subarray(48))) throw invalid(UNKNOWN_KIND);
  const dictionary = readDictionaryNeed(file);
  const rawSize = trailer.readUInt32LE(4);
  const frameAt = PREFIX_SIZE + dictionary.size;
  const frameEnd = frameAt + trailer.readUInt32LE(8);
  const indexEnd = frameEnd + trailer.readUInt32LE(12);
  if (indexEnd + TRAILER_SIZE !== file.length) throw invalid("its sizes contradict each other");
  const lengths = readLengths(file.subarray(frameEnd, indexEnd), trailer.readUInt32LE(0), rawSize);
  const frame = {
    lengths,
    rawSize,
    sequence: trailer.subarray(16, 48),
    frame: file.subarray(frameAt, frameEnd),
  };
  return dictionary.need === undefined ? frame : { ...frame, dictionary: dictionary.need };
}

const UNKNOWN_KIND = "it is not of a kind that this version reads";

/** The section after the prefix, and how large it is: none in codec 1. */
function readDictionaryNeed(file: Buffer): { readonly size: number; readonly need?: DictionaryNeed } {
  const prefix = file.subarray(0, PREFIX_SIZE);
  if (PREFIXES.plain.equals(prefix)) return { size: 0 };
  if (!PREFIXES.against.equals(prefix)) throw invalid(UNKNOWN_KIND);
  const room = file.subarray(PREFIX_SIZE, file.length - TRAILER_SIZE);
  if (room.length < DICTIONARY_HEAD_SIZE) throw invalid("its dictionary is cut off");
  const count = room.readUInt32LE(0);
  const size = room.readUInt32LE(4);
  if (count === 0 || count > DICTIONARY_LIMITS.pieces || size > DICTIONARY_LIMITS.sizeMax || size <= count)
    throw invalid("its dictionary has an impossible size");
  const end = DICTIONARY_HEAD_SIZE + count * ID_PREFIX_SIZE;
  if (end > room.length) throw invalid("its dictionary is cut off");
  const idPrefixes = Array.from({ length: count }, (_, index) =>
    room.subarray(DICTIONARY_HEAD_SIZE + index * ID_PREFIX_SIZE, end).subarray(0, ID_PREFIX_SIZE),
  );
  return { size: end, need: { idPrefixes, size, sha256: room.subarray(8, DICTIONARY_HEAD_SIZE) } };
}

function readLengths(bytes: Uint8Array, count: number, rawSize: number): number[] {
  if (count === 0 || count > PACK_LIMITS.pieces || rawSize > PACK_LIMITS.rawSizeMax)
    throw invalid("it announces more than a pack may hold");
  const index = new ByteReader(bytes);
  const lengths: number[] = [];
  let total = 0;
  for (let piece = 0; piece < count; piece += 1) {
    const length = index.varint();
    if (length === 0 || length > RECIPE_LIMITS.pieceSizeMax) throw invalid("a piece has an impossible size");
    lengths.push(length);
    total += length;
  }
  if (total !== rawSize || index.rest > 0) throw invalid("its index does not fit its content");
  return lengths;
}

/**
 * Decodes a pack and names every piece in it by its bytes. `dictionaryOf` gives the bytes that a pack of codec 2 asks for;
 * where there is none, only codec 1 is taken. Throws CONTENT_INVALID, and what that throws.
 */
export async function decodePack(
  bytes: Uint8Array,
  dictionaryOf?: (need: DictionaryNeed) => Promise<Uint8Array>,
): Promise<PieceRun & { readonly sequence: Uint8Array }> {
  const frame = readPackFrame(bytes);
  const raw = await decodeFrame(frame, dictionaryOf);
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

async function decodeFrame(
  { frame, rawSize, dictionary }: PackFrame,
  dictionaryOf: ((need: DictionaryNeed) => Promise<Uint8Array>) | undefined,
): Promise<Uint8Array> {
  if (dictionary === undefined) return decompressFrame(frame, rawSize);
  if (dictionaryOf === undefined) throw invalid("it needs a dictionary, and packs of a hold need none");
  return decompressFrame(frame, rawSize, await dictionaryOf(dictionary));
}

function invalid(why: string): Error {
  return contentProblem("CONTENT_INVALID", "a pack cannot be read", { why });
}
