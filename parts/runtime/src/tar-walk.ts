import type { Bytes } from "@sampan/content";

const BLOCK = 512;
/** Records of one entry (a long name, attributes) are held in memory. */
const RECORDS_BYTES_MAX = 4 * 1024 ** 2;
/** Entries that only say more about the next one: pax records, GNU long names. */
const RECORD_TYPES = "xgLK";
/** Links, devices, folders, pipes: whatever their size says, no content follows. */
const BODILESS_TYPES = "123456";

export interface TarWalkEntry {
  readonly name: string;
  /** The type byte: "0" regular, "1" hard link, "2" symbolic link, "5" folder, "6" pipe. */
  readonly type: string;
  readonly sizeBytes: number;
  /** The blocks that say it, as they stand: records of it, then its header. */
  readonly head: Uint8Array;
}

export interface TarWalkOptions {
  readonly onEntry?: (entry: TarWalkEntry) => void;
  /** Content of the entry told last. */
  readonly onContent?: (piece: Uint8Array) => void;
  /** Makes the error to throw when it is no tar, or does not end as one. */
  readonly broken: (why: string) => Error;
}

/**
 * Passes a tar on piece by piece, unchanged, and looks at what goes by (POSIX.1-2001 pax and GNU headers). Throws, after all was passed on,
 * when it ended before its end.
 */
export async function* walkTar(source: Bytes, options: TarWalkOptions): Bytes {
  const walk = new TarWalk(options);
  for await (const piece of source) {
    walk.take(piece);
    yield piece;
  }
  walk.finish();
}

class TarWalk {
  readonly #options: TarWalkOptions;
  /** Blocks of the entry that is being read, before its content. */
  #head: Uint8Array[] = [];
  #records = new Map<string, string>();
  /** What is being collected: a header, or the body of a record. */
  #part: { readonly type: string; readonly bytes: Uint8Array; filled: number } = headerPart();
  #contentLeft = 0;
  #paddingLeft = 0;
  #ended = false;

  constructor(options: TarWalkOptions) {
    this.#options = options;
  }

  take(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && !this.#ended; ) {
      if (this.#contentLeft > 0) {
        const content = piece.subarray(at, at + this.#contentLeft);
        this.#options.onContent?.(content);
        this.#contentLeft -= content.length;
        at += content.length;
      } else if (this.#paddingLeft > 0) {
        const skipped = Math.min(this.#paddingLeft, piece.length - at);
        this.#paddingLeft -= skipped;
        at += skipped;
      } else at += this.#collect(piece.subarray(at));
    }
  }

  finish(): void {
    if (!this.#ended) throw this.#options.broken("it ends before its end");
  }

  #collect(rest: Uint8Array): number {
    const part = this.#part;
    const taken = rest.subarray(0, part.bytes.length - part.filled);
    part.bytes.set(taken, part.filled);
    part.filled += taken.length;
    if (part.filled < part.bytes.length) return taken.length;
    this.#part = headerPart();
    if (part.type === "header") this.#takeHeader(part.bytes);
    else this.#takeRecord(part.type, part.bytes);
    return taken.length;
  }

  #takeHeader(block: Uint8Array): void {
    if (block.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    const size = parseNumber(block, 124, 12);
    if (size === undefined || parseNumber(block, 148, 8) !== checksumOf(block))
      throw this.#options.broken("it is no tar");
    const type = String.fromCharCode(block[156] ?? 0);
    this.#head.push(block);
    if (RECORD_TYPES.includes(type)) this.#startRecord(type, size);
    else this.#startEntry(block, type, size);
  }

  #startRecord(type: string, size: number): void {
    if (size > RECORDS_BYTES_MAX) throw this.#options.broken("records of an entry are too long");
    if (size > 0) this.#part = { type, bytes: new Uint8Array(size), filled: 0 };
  }

  #takeRecord(type: string, bytes: Uint8Array): void {
    const padding = paddingOf(bytes.length);
    this.#head.push(bytes, new Uint8Array(padding));
    this.#paddingLeft = padding;
    if (type === "L") this.#records.set("path", fieldText(bytes, 0, bytes.length));
    else if (type === "x") for (const [key, value] of parseRecords(bytes)) this.#records.set(key, value);
  }

  #startEntry(block: Uint8Array, type: string, size: number): void {
    const told = this.#records.get("size");
    const sizeBytes = BODILESS_TYPES.includes(type) ? 0 : told === undefined ? size : Number(told);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
      throw this.#options.broken("an entry has a size that cannot be");
    const name = this.#records.get("path") ?? headerName(block);
    const head = Buffer.concat(this.#head);
    this.#head = [];
    this.#records.clear();
    this.#contentLeft = sizeBytes;
    this.#paddingLeft = paddingOf(sizeBytes);
    this.#options.onEntry?.({ name, type: type === "\0" ? "0" : type, sizeBytes, head });
  }
}

/** The sum of a header's bytes, its own field taken as spaces. */
export function checksumOf(block: Uint8Array): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function headerPart() {
  return { type: "header", bytes: new Uint8Array(BLOCK), filled: 0 };
}

function paddingOf(sizeBytes: number): number {
  return (BLOCK - (sizeBytes % BLOCK)) % BLOCK;
}

/** Octal between spaces and zeros, or base-256 (GNU) when the first bit is set. */
function parseNumber(block: Uint8Array, at: number, width: number): number | undefined {
  const field = block.subarray(at, at + width);
  const value =
    field[0] === 0x80
      ? field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0)
      : Number.parseInt(fieldText(block, at, width).trim() || "0", 8);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The prefix at 345 is one only in POSIX headers: GNU ones have other things there. */
function headerName(block: Uint8Array): string {
  const name = fieldText(block, 0, 100);
  const prefix = fieldText(block, 257, 6) === "ustar" && block[262] === 0 ? fieldText(block, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function fieldText(bytes: Uint8Array, at: number, width: number): string {
  const field = bytes.subarray(at, at + width);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. Stops at what is none. */
function* parseRecords(bytes: Uint8Array): Generator<readonly [string, string]> {
  const text = Buffer.from(bytes);
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(" ", at);
    const length = Number(text.toString("latin1", at, space));
    if (space < 0 || !Number.isSafeInteger(length) || length < 5) return;
    const record = text.subarray(space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals > 0) yield [record.toString("utf8", 0, equals), record.toString("utf8", equals + 1)];
    at += length;
  }
}
