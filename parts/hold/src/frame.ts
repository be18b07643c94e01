import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { contentProblem } from "@sampan/content";

/** 8 MiB: matches reach over half a pack, at half the memory that reaching over all of it would take. */
const WINDOW_LOG = 23;
const WINDOW_LOG_MAX = 25;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** What a reader takes (SPEC.md, "What is told by what the receiver has"). */
export const DICTIONARY_LIMITS = { sizeMax: 8 * 1024 * 1024, pieces: 8192 } as const;

/**
 * How zstd compresses against a dictionary, by the level that was asked for. By its own choice of table sizes it would silently
 * lose most of a dictionary above 1 MiB; with these it reaches all of `reachBytes` (a test proves it). Measured on security updates
 * of executables and on JavaScript: against the first row the second is 2 % and 22 % smaller, the third 14 % and 46 %; the
 * third takes thirty times as long.
 */
const AGAINST = [
  { upTo: 3, level: 3, hashLog: 22, chainLog: 20, minMatch: 6, reachBytes: 8 * 1024 * 1024 },
  { upTo: 15, level: 7, hashLog: 22, chainLog: 22, minMatch: 6, reachBytes: 4 * 1024 * 1024 },
  { upTo: 22, level: 19, hashLog: 22, chainLog: 23, minMatch: 3, reachBytes: 8 * 1024 * 1024 },
] as const;

function rowOf(level: number): (typeof AGAINST)[number] {
  return AGAINST.find(({ upTo }) => level <= upTo) ?? AGAINST[2];
}

/** Bytes of a dictionary whose start zstd still reaches when it compresses at this level. */
export function dictionaryReach(level: number): number {
  return rowOf(level).reachBytes;
}

/** One zstd frame with a checksum of its content. */
export function compressFrame(raw: Uint8Array, level: number): Promise<Uint8Array> {
  return compressWith(raw, {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_LOG },
  });
}

/** The same against a dictionary of at most {@link dictionaryReach} bytes. */
export function compressAgainst(dictionary: Uint8Array, raw: Uint8Array, level: number): Promise<Uint8Array> {
  const row = rowOf(level);
  const params = {
    [constants.ZSTD_c_compressionLevel]: row.level,
    [constants.ZSTD_c_windowLog]: Math.max(10, Math.ceil(Math.log2(dictionary.length + raw.length))),
    [constants.ZSTD_c_hashLog]: row.hashLog,
    [constants.ZSTD_c_chainLog]: row.chainLog,
    [constants.ZSTD_c_minMatch]: row.minMatch,
  };
  return compressWith(raw, { params, dictionary });
}

function compressWith(
  raw: Uint8Array,
  options: { readonly params: Readonly<Record<number, number>>; readonly dictionary?: Uint8Array },
): Promise<Uint8Array> {
  // One output buffer of the largest possible size: Node would otherwise gather 64 KiB parts and join them.
  return compress(raw, {
    ...options,
    params: { ...options.params, [constants.ZSTD_c_checksumFlag]: 1 },
    pledgedSrcSize: raw.length,
    chunkSize: raw.length + (raw.length >> 8) + 1024,
  });
}

/** Throws CONTENT_INVALID when the frame is damaged or does not make exactly `rawSize` bytes. */
export async function decompressFrame(
  frame: Uint8Array,
  rawSize: number,
  dictionary?: Uint8Array,
): Promise<Uint8Array> {
  let raw: Uint8Array;
  try {
    raw = await decompress(frame, {
      maxOutputLength: Math.max(rawSize, 1),
      chunkSize: Math.max(rawSize + 64, 64),
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
      ...(dictionary === undefined ? {} : { dictionary }),
    });
  } catch (cause) {
    throw contentProblem("CONTENT_INVALID", "a compressed part does not decode", { cause });
  }
  if (raw.length !== rawSize)
    throw contentProblem("CONTENT_INVALID", "a compressed part does not have the size it announces");
  return raw;
}
