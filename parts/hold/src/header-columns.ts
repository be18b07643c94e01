import { contentProblem } from "@sampan/content";
import type { ByteReader, ByteWriter } from "./byte-columns.ts";
import { BLOCK, checksumOf, textOf } from "./tar-header.ts";

/**
 * Tar headers as columns. A header that these fields do not give back bit for bit is not taken (the recipe then keeps
 * its 512 bytes as they are), so nothing here needs to know every dialect.
 */
export const HEADER_COLUMNS = [
  "form",
  "names",
  "links",
  "modes",
  "owners",
  "sizes",
  "times",
  "accounts",
  "devices",
  "prefixes",
] as const;
export type HeaderColumn = (typeof HEADER_COLUMNS)[number];

/** How text fields lie in the block: column, offset, width. */
const TEXTS = [
  { column: "names", at: 0, width: 100 },
  { column: "links", at: 157, width: 100 },
  { column: "accounts", at: 265, width: 32 },
  { column: "accounts", at: 297, width: 32 },
  { column: "prefixes", at: 345, width: 155 },
] as const;

const MAGICS = [Buffer.from("ustar\x0000", "latin1"), Buffer.from("ustar  \0", "latin1"), Buffer.alloc(8)];
/** Ends of number fields, after their octal digits: of 8-byte fields, of 12-byte fields. */
const STYLES = [
  { short: Buffer.from("\0"), long: Buffer.from("\0") },
  { short: Buffer.from(" \0"), long: Buffer.from(" ") },
];
/** Bits of a form byte: magic 0-1, number style 2, devices are zero bytes rather than numbers 3, checksum ends space-zero rather than zero-space 4. */
const STYLE_SHIFT = 2;
const NO_DEVICES = 8;
const SPACE_ZERO = 16;
const FORM_MAX = 31;

export class HeaderWriter {
  readonly #columns: Readonly<Record<HeaderColumn, ByteWriter>>;
  readonly #probe = new Uint8Array(BLOCK);
  #texts: Uint8Array[] = [];
  #time = 0;

  constructor(columns: Readonly<Record<HeaderColumn, ByteWriter>>) {
    this.#columns = columns;
    this.reset();
  }

  /** Forgets the header before, as at the start of a segment. */
  reset(): void {
    this.#texts = TEXTS.map(() => new Uint8Array(0));
    this.#time = 0;
  }

  /** The size field, or undefined when the header cannot be given back from columns. */
  write(block: Uint8Array): number | undefined {
    const fields = parseFields(block);
    if (fields === undefined) return undefined;
    render(fields, this.#probe);
    if (Buffer.compare(this.#probe, block) !== 0) return undefined;
    const { form, modes, owners, sizes, times, devices } = this.#columns;
    form.byte(fields.form);
    form.byte(fields.type);
    TEXTS.forEach(({ column }, index) => {
      const text = fields.texts[index]!;
      writeFrontCoded(this.#columns[column], this.#texts[index]!, text);
      this.#texts[index] = text.slice();
    });
    modes.varint(fields.mode);
    owners.varint(fields.uid);
    owners.varint(fields.gid);
    sizes.varint(fields.size);
    times.signed(fields.time - this.#time);
    this.#time = fields.time;
    if ((fields.form & NO_DEVICES) === 0) {
      devices.varint(fields.major);
      devices.varint(fields.minor);
    }
    return fields.size;
  }
}

export class HeaderReader {
  readonly #columns: Readonly<Record<HeaderColumn, ByteReader>>;
  readonly #texts: Uint8Array[] = TEXTS.map(() => new Uint8Array(0));
  #time = 0;

  constructor(columns: Readonly<Record<HeaderColumn, ByteReader>>) {
    this.#columns = columns;
  }

  /** Renders the next header into `block` and returns its size field. Throws CONTENT_INVALID. */
  read(block: Uint8Array): number {
    const { form, modes, owners, sizes, times, devices } = this.#columns;
    const formByte = form.byte();
    const type = form.byte();
    const texts = TEXTS.map(({ column, width }, index) => {
      const text = readFrontCoded(this.#columns[column], this.#texts[index]!, width);
      this.#texts[index] = text;
      return text;
    });
    this.#time += times.signed();
    const bare = (formByte & NO_DEVICES) !== 0;
    const fields: Fields = {
      form: formByte,
      type,
      texts,
      mode: modes.varint(),
      uid: owners.varint(),
      gid: owners.varint(),
      size: sizes.varint(),
      time: this.#time,
      major: bare ? 0 : devices.varint(),
      minor: bare ? 0 : devices.varint(),
    };
    render(fields, block);
    return fields.size;
  }
}

interface Fields {
  readonly form: number;
  readonly type: number;
  readonly texts: readonly Uint8Array[];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly time: number;
  readonly major: number;
  readonly minor: number;
}

function parseFields(block: Uint8Array): Fields | undefined {
  const magic = MAGICS.findIndex((bytes) => bytes.equals(block.subarray(257, 265)));
  if (magic === -1) return undefined;
  const style = block[107] === 0 && block[106] === 0x20 ? 1 : 0;
  const bare = block[329] === 0;
  const octal = (at: number, width: number) => parseOctal(block, at, digitsOf(style, width));
  const numbers = [
    octal(100, 8),
    octal(108, 8),
    octal(116, 8),
    octal(124, 12),
    octal(136, 12),
    bare ? 0 : octal(329, 8),
    bare ? 0 : octal(337, 8),
  ];
  if (numbers.includes(-1)) return undefined;
  const [mode, uid, gid, size, time, major, minor] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const texts = TEXTS.map(({ at, width }) => textOf(block, at, width));
  const spaceZero = block[154] === 0x20 ? SPACE_ZERO : 0;
  const form = magic | (style << STYLE_SHIFT) | (bare ? NO_DEVICES : 0) | spaceZero;
  return { form, type: block[156]!, texts, mode, uid, gid, size, time, major, minor };
}

function render(fields: Fields, block: Uint8Array): void {
  const magic = MAGICS[fields.form & 3];
  if (magic === undefined || fields.form > FORM_MAX) throw invalid("an unknown header form");
  const style = (fields.form >> STYLE_SHIFT) & 1;
  block.fill(0);
  TEXTS.forEach(({ at }, index) => {
    block.set(fields.texts[index]!, at);
  });
  writeOctal(block, 100, 8, style, fields.mode);
  writeOctal(block, 108, 8, style, fields.uid);
  writeOctal(block, 116, 8, style, fields.gid);
  writeOctal(block, 124, 12, style, fields.size);
  writeOctal(block, 136, 12, style, fields.time);
  block[156] = fields.type;
  block.set(magic, 257);
  if ((fields.form & NO_DEVICES) === 0) {
    writeOctal(block, 329, 8, style, fields.major);
    writeOctal(block, 337, 8, style, fields.minor);
  }
  putDigits(block, 148, 6, checksumOf(block));
  block[(fields.form & SPACE_ZERO) === 0 ? 155 : 154] = 0x20;
}

function digitsOf(style: number, width: number): number {
  const { short, long } = STYLES[style]!;
  return width - (width === 8 ? short : long).length;
}

/** Exactly `digits` octal digits, or -1. What follows them is compared after rendering. */
function parseOctal(block: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let position = at; position < at + digits; position += 1) {
    const digit = block[position]! - 0x30;
    if (digit < 0 || digit > 7) return -1;
    value = value * 8 + digit;
  }
  return value;
}

function writeOctal(block: Uint8Array, at: number, width: number, style: number, value: number): void {
  const digits = digitsOf(style, width);
  putDigits(block, at, digits, value);
  const { short, long } = STYLES[style]!;
  block.set(width === 8 ? short : long, at + digits);
}

function putDigits(block: Uint8Array, at: number, digits: number, value: number): void {
  let rest = value;
  for (let position = at + digits - 1; position >= at; position -= 1) {
    block[position] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
  if (rest !== 0) throw invalid("a header number that does not fit its field");
}

function writeFrontCoded(column: ByteWriter, before: Uint8Array, text: Uint8Array): void {
  const most = Math.min(before.length, text.length);
  let shared = 0;
  while (shared < most && before[shared] === text[shared]) shared += 1;
  column.varint(shared);
  column.varint(text.length - shared);
  column.bytes(text.subarray(shared));
}

function readFrontCoded(column: ByteReader, before: Uint8Array, width: number): Uint8Array {
  const shared = column.varint();
  const fresh = column.varint();
  if (shared > before.length || shared + fresh > width) throw invalid("a header text that does not fit");
  if (fresh === 0 && shared === before.length) return before;
  const text = new Uint8Array(shared + fresh);
  text.set(before.subarray(0, shared));
  text.set(column.bytes(fresh), shared);
  return text;
}

function invalid(what: string): Error {
  return contentProblem("CONTENT_INVALID", `the recipe holds ${what}`);
}
