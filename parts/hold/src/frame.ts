import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { contentProblem } from "@sampan/content";

/** 8 MiB: matches reach over half a pack, at half the memory that reaching over all of it would take. */
const WINDOW_LOG = 23;
const WINDOW_LOG_MAX = 25;
const DICTIONARY_LEVEL_SMALL = 9;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** What a reader takes (SPEC.md, "What is told by what the receiver has"). */
export const DICTIONARY_LIMITS = { sizeMax: 8 * 1024 * 1024, pieces: 8192 } as const;

/** Bytes of a dictionary whose start zstd still reaches when it compresses at this level. */
export function dictionaryReach(level: number): number {
  return level >= DICTIONARY_LEVEL_SMALL ? DICTIONARY_LIMITS.sizeMax / 2 : DICTIONARY_LIMITS.sizeMax;
}

/** One zstd frame with a checksum of its content. */
export function compressFrame(raw: Uint8Array, level: number): Promise<Uint8Array> {
  return compressWith(raw, {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_LOG },
  });
}

/**
 * The same against a dictionary of at most {@link dictionaryReach} bytes; the level becomes 3 or 9. By its own choice of
 * table sizes zstd would silently lose most of a dictionary above 1 MiB.
 */
export function compressAgainst(dictionary: Uint8Array, raw: Uint8Array, level: number): Promise<Uint8Array> {
  const isSmall = level >= DICTIONARY_LEVEL_SMALL;
  const tableLog = isSmall ? 22 : 20;
  const windowLog = Math.max(10, Math.ceil(Math.log2(dictionary.length + raw.length)));
  const params = {
    [constants.ZSTD_c_compressionLevel]: isSmall ? DICTIONARY_LEVEL_SMALL : 3,
    [constants.ZSTD_c_windowLog]: windowLog,
    [constants.ZSTD_c_hashLog]: tableLog,
    [constants.ZSTD_c_chainLog]: tableLog,
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
