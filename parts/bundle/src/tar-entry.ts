/** The one form of a tar entry that a bundle has (SPEC.md section 2). */

export const BLOCK = 512;
export const END_BYTES = 2 * BLOCK;

/** Bytes of an entry: header, data, padding. */
export function entryBytes(dataBytes: number): number {
  return BLOCK + paddedBytes(dataBytes);
}

export function paddedBytes(dataBytes: number): number {
  return Math.ceil(dataBytes / BLOCK) * BLOCK;
}

export function renderHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, "ascii");
  header.write("0000644", 100, "ascii");
  for (const offset of [108, 116, 329, 337]) header.write("0000000", offset, "ascii");
  header.write(size.toString(8).padStart(11, "0"), 124, "ascii");
  header.write("00000000000", 136, "ascii");
  header.write("0", 156, "ascii");
  header.write("ustar\u000000", 257, "ascii");
  header.write(`${checksum(header).toString(8).padStart(6, "0")}\0 `, 148, "ascii");
  return header;
}

/** Header, data and padding of a small entry. */
export function renderEntry(name: string, data: Uint8Array): Buffer {
  const entry = Buffer.alloc(entryBytes(data.length));
  renderHeader(name, data.length).copy(entry);
  entry.set(data, BLOCK);
  return entry;
}

function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += header[at]!;
  return sum;
}

/** What a header says, as far as it can be told. Only for messages and for the two entries whose size is free. */
export interface ReadHeader {
  readonly kind: "entry" | "end" | "damaged" | "foreign";
  readonly name: string;
  readonly size: number;
  readonly typeflag: string;
}

export function readHeader(header: Buffer): ReadHeader {
  const field = (start: number, length: number) => {
    const bytes = header.subarray(start, start + length);
    const end = bytes.indexOf(0);
    return bytes.toString("latin1", 0, end === -1 ? length : end);
  };
  const octal = (text: string) => (/^[0-7]+ *$/.test(text) ? Number.parseInt(text, 8) : Number.NaN);
  const said = { name: field(0, 100), size: octal(field(124, 12)), typeflag: field(156, 1) };
  if (header.every((byte) => byte === 0)) return { kind: "end", ...said };
  if (header.toString("latin1", 257, 262) !== "ustar") return { kind: "foreign", ...said };
  return { kind: octal(field(148, 8)) === checksum(header) ? "entry" : "damaged", ...said };
}
