/**
 * A tar header block (POSIX.1-1988 ustar, as GNU tar, Go, Python, BSD and others write it):
 *
 *     0 name 100 | 100 mode 8 | 108 uid 8 | 116 gid 8 | 124 size 12 | 136 mtime 12 | 148 checksum 8 | 156 type 1
 *     157 link 100 | 257 magic 8 | 265 user 32 | 297 group 32 | 329 major 8 | 337 minor 8 | 345 prefix 155 | 500 zero 12
 */
export const BLOCK = 512;

export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

/** Sum of all bytes, with the checksum field as eight spaces. */
export function checksumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at += 1) sum += block[at]!;
  for (let at = 156; at < BLOCK; at += 1) sum += block[at]!;
  return sum;
}

/** What a walker must know of an entry. */
export interface TarEntry {
  /** The type byte, as a character. */
  readonly type: string;
  /** Stored size of the body in bytes. */
  readonly size: number;
}

const HEADER_ONLY = "123456";

/** Undefined when it is no header: wrong checksum, or a size that cannot be. */
export function parseEntry(block: Uint8Array): TarEntry | undefined {
  const sum = parseNumber(block, 148, 8);
  if (sum === undefined || sum !== checksumOf(block)) return undefined;
  const size = parseNumber(block, 124, 12);
  if (size === undefined) return undefined;
  const type = String.fromCharCode(block[156]!);
  return { type, size: HEADER_ONLY.includes(type) ? 0 : size };
}

/** Octal text between optional spaces, or base-256 (GNU) when the first bit is set. Undefined when neither, negative or unsafe. */
export function parseNumber(block: Uint8Array, at: number, width: number): number | undefined {
  const first = block[at]!;
  if (first === 0x80) return parseBase256(block.subarray(at + 1, at + width));
  let position = at;
  const end = at + width;
  while (position < end && block[position] === 0x20) position += 1;
  let value = 0;
  while (position < end) {
    const digit = block[position]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
    position += 1;
  }
  if (position < end && block[position] !== 0 && block[position] !== 0x20) return undefined;
  return value;
}

function parseBase256(bytes: Uint8Array): number | undefined {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Text of a field up to its first zero byte. */
export function textOf(block: Uint8Array, at: number, width: number): Uint8Array {
  const field = block.subarray(at, at + width);
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

/** The records of a pax extended header: `LENGTH KEY=VALUE\n`. Stops at what is not a record. */
export function parsePax(body: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  while (at < text.length) {
    const space = text.indexOf(0x20, at);
    if (space === -1 || space - at > 10) break;
    const length = Number(text.toString("latin1", at, space));
    const end = at + length;
    if (!Number.isInteger(length) || end <= space + 1 || end > text.length) break;
    const record = text.toString("utf8", space + 1, end - 1);
    const equals = record.indexOf("=");
    if (equals < 1) break;
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** The `size` record of a pax header in bytes, or undefined when it has none that makes sense. */
export function paxSize(records: ReadonlyMap<string, string>): number | undefined {
  const text = records.get("size");
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}
