/**
 * A recipe: how a layer is rebuilt bit for bit (SPEC.md, "Recipes"). All integers of the frame are little-endian.
 *
 *     0   "SAMPANRC" | u16 version | u8 coding (1: zstd, 2: told by another recipe) | u8 splitter version | u32 zero
 *     16  coding 2 only: 32 bytes diffID of the other | 32 bytes SHA-256 over its plain segments
 *     …   segments, one after another, each one zstd frame
 *     …   table: per segment u32 stored bytes | u32 plain bytes | u64 layer bytes
 *          coding 2 also: u32 first segment of the other in the dictionary | u32 how many
 *     -64 trailer: u32 segments | u32 zero | u64 layer size | 32 bytes diffID | 16 bytes "sampan recipe v1"
 */
import { contentProblem, type Digest, digestFromHex, digestHex } from "@sampan/content";
import { Bug } from "@sampan/problem";
import { ByteReader, ByteWriter } from "./byte-columns.ts";
import { HEADER_COLUMNS, HeaderReader, HeaderWriter } from "./header-columns.ts";
import { SPLITTER_VERSION } from "./splitter.ts";
import { BLOCK, paddingOf } from "./tar-header.ts";

export const RECIPE_VERSION = 1;
const CODING = { zstd: 1, against: 2 } as const;
export const RECIPE_LIMITS = {
  segmentOps: 4096,
  /** A writer closes a segment here; one literal may still follow, so a reader takes up to `segmentBytesMax`. */
  segmentBytes: 1024 * 1024,
  segmentBytesMax: 4 * 1024 * 1024,
  segments: 1 << 20,
  layerSizeMax: 1024 ** 4,
  pieceSizeMax: 256 * 1024,
} as const;

/** Of every recipe; one of coding 2 goes on with {@link BASE_SIZE} bytes. */
export const PREFIX_SIZE = 16;
export const BASE_SIZE = 64;
export const TRAILER_SIZE = 64;
const ROW_SIZE = 16;
const ROW_SIZE_AGAINST = 24;
const MAGIC = Buffer.from("SAMPANRC");
const END_MAGIC = Buffer.from("sampan recipe v1");
const ID_SIZE = 32;

const COLUMNS = ["ops", "lengths", "ids", "literals", ...HEADER_COLUMNS] as const;
type Column = (typeof COLUMNS)[number];
/** A header alone; a header with one piece of the size it tells, and its padding; then what has a length of its own. */
const OP = { header: 1, file: 2, literal: 3, zeros: 4, piece: 5 } as const;

/** What a layer is put together from. */
export type Part =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "zeros"; readonly length: number }
  | { readonly kind: "piece"; readonly length: number; readonly id: Uint8Array };

/** Gathers parts into plain segments. The same calls give the same segments. */
export class SegmentWriter {
  readonly #columns = Object.fromEntries(COLUMNS.map((name) => [name, new ByteWriter()])) as Record<
    Column,
    ByteWriter
  >;
  readonly #headers = new HeaderWriter(this.#columns);
  readonly #emit: (segment: { readonly plain: Uint8Array; readonly layerBytes: number }) => void;
  #ops = 0;
  #layerBytes = 0;
  #headerSize: number | undefined;
  #hasPiece = false;
  #zeros = 0;

  constructor(emit: (segment: { readonly plain: Uint8Array; readonly layerBytes: number }) => void) {
    this.#emit = emit;
  }

  header(block: Uint8Array): void {
    this.#next();
    const size = this.#headers.write(block);
    if (size === undefined) this.#literal(block);
    else this.#headerSize = size;
  }

  literal(bytes: Uint8Array): void {
    this.#next();
    this.#literal(bytes);
  }

  zeros(length: number): void {
    const padding = this.#headerSize === undefined ? 0 : paddingOf(this.#headerSize);
    if (this.#hasPiece && length >= padding) {
      this.#op(OP.file, BLOCK + this.#headerSize! + padding);
      this.#headerSize = undefined;
      this.#hasPiece = false;
      this.#zeros += length - padding;
      return;
    }
    if (this.#headerSize !== undefined) this.#settle();
    this.#zeros += length;
  }

  piece(id: Uint8Array, length: number): void {
    if (this.#headerSize === length && !this.#hasPiece) this.#hasPiece = true;
    else {
      this.#next();
      this.#op(OP.piece, length);
      this.#columns.lengths.varint(length);
    }
    this.#columns.ids.bytes(id);
  }

  end(): void {
    this.#settle();
    if (this.#ops > 0) this.#close();
  }

  /** Before a new part: what was held back is decided, and a full segment is closed. */
  #next(): void {
    this.#settle();
    const size = this.#columns.ids.length + this.#columns.literals.length + this.#columns.names.length;
    if (this.#ops >= RECIPE_LIMITS.segmentOps - 2 || size >= RECIPE_LIMITS.segmentBytes) this.#close();
  }

  #settle(): void {
    const size = this.#headerSize;
    if (size !== undefined) {
      this.#headerSize = undefined;
      if (this.#hasPiece && paddingOf(size) === 0) this.#op(OP.file, BLOCK + size);
      else {
        this.#op(OP.header, BLOCK);
        if (this.#hasPiece) {
          this.#op(OP.piece, size);
          this.#columns.lengths.varint(size);
        }
      }
      this.#hasPiece = false;
    }
    if (this.#zeros > 0) {
      this.#op(OP.zeros, this.#zeros);
      this.#columns.lengths.varint(this.#zeros);
      this.#zeros = 0;
    }
  }

  #literal(bytes: Uint8Array): void {
    this.#op(OP.literal, bytes.length);
    this.#columns.lengths.varint(bytes.length);
    this.#columns.literals.bytes(bytes);
  }

  #op(code: number, layerBytes: number): void {
    this.#columns.ops.byte(code);
    this.#ops += 1;
    this.#layerBytes += layerBytes;
  }

  #close(): void {
    const out = new ByteWriter();
    for (const name of COLUMNS) {
      out.varint(this.#columns[name].length);
      out.bytes(this.#columns[name].view());
      this.#columns[name].reset();
    }
    this.#headers.reset();
    const layerBytes = this.#layerBytes;
    this.#ops = 0;
    this.#layerBytes = 0;
    this.#emit({ plain: out.view(), layerBytes });
  }
}

/** The parts of a plain segment. Throws CONTENT_INVALID when it is malformed or does not make `layerBytes`. */
export function decodeSegment(plain: Uint8Array, layerBytes: number): Part[] {
  const reader = new ByteReader(plain);
  const columns = {} as Record<Column, ByteReader>;
  for (const name of COLUMNS) columns[name] = new ByteReader(reader.bytes(reader.varint()));
  const count = columns.ops.rest;
  if (reader.rest > 0 || count > RECIPE_LIMITS.segmentOps) throw invalid("a segment with too much in it");
  const headers = new HeaderReader(columns);
  const parts: Part[] = [];
  let left = layerBytes;
  const add = (part: Part, length: number) => {
    left -= length;
    if (left < 0) throw invalid("a segment that makes more than it announces");
    if (length > 0) parts.push(part);
  };
  const addPiece = (length: number) => {
    if (length === 0 || length > RECIPE_LIMITS.pieceSizeMax) throw invalid("a piece of an impossible size");
    add({ kind: "piece", length, id: columns.ids.bytes(ID_SIZE) }, length);
  };
  const addZeros = (length: number) => add({ kind: "zeros", length }, length);
  for (let index = 0; index < count; index += 1) {
    const code = columns.ops.byte();
    if (code === OP.header || code === OP.file) {
      const bytes = new Uint8Array(BLOCK);
      const size = headers.read(bytes);
      add({ kind: "bytes", bytes }, BLOCK);
      if (code === OP.file) {
        addPiece(size);
        addZeros(paddingOf(size));
      }
    } else if (code === OP.literal) {
      const bytes = columns.literals.bytes(columns.lengths.varint());
      add({ kind: "bytes", bytes }, bytes.length);
    } else if (code === OP.zeros) addZeros(columns.lengths.varint());
    else if (code === OP.piece) addPiece(columns.lengths.varint());
    else throw invalid(`an unknown operation ${code}`);
  }
  const unread = COLUMNS.some((name) => columns[name].rest > 0);
  if (left !== 0 || unread) throw invalid("a segment that makes less than it announces");
  return parts;
}

/** The ids of all pieces in a plain segment, in order, one after another. Much quicker than its parts. Throws CONTENT_INVALID. */
export function idsOfSegment(plain: Uint8Array): Uint8Array {
  const reader = new ByteReader(plain);
  for (const name of COLUMNS) {
    const column = reader.bytes(reader.varint());
    if (name === "ids") return column.subarray(0, column.length - (column.length % ID_SIZE));
  }
  throw new Bug("a segment has a column of ids");
}

/** Where a coded segment lies in the recipe file, and where what it makes lies in the layer. */
export interface SegmentPlace {
  readonly at: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly layerStart: number;
  readonly layerBytes: number;
  /** In coding 2: the segments of the base's recipe that it is told by. */
  readonly against?: SegmentRange;
}

export interface SegmentRange {
  readonly first: number;
  readonly count: number;
}

/** The recipe that one of coding 2 is told by. */
export interface RecipeBase {
  readonly diffId: Digest;
  /** Over the plain bytes of its segments. */
  readonly sha256: Uint8Array;
}

export interface RecipeFrame {
  readonly diffId: Digest;
  readonly layerSize: number;
  readonly segments: readonly SegmentPlace[];
  readonly base?: RecipeBase;
}

export function encodePrefix(base?: RecipeBase): Uint8Array {
  const bytes = Buffer.alloc(PREFIX_SIZE + (base === undefined ? 0 : BASE_SIZE));
  MAGIC.copy(bytes);
  bytes.writeUInt16LE(RECIPE_VERSION, 8);
  bytes[10] = base === undefined ? CODING.zstd : CODING.against;
  bytes[11] = SPLITTER_VERSION;
  if (base === undefined) return bytes;
  bytes.write(digestHex(base.diffId), PREFIX_SIZE, "hex");
  bytes.set(base.sha256, PREFIX_SIZE + 32);
  return bytes;
}

export type SegmentRow = Pick<SegmentPlace, "storedBytes" | "plainBytes" | "layerBytes" | "against">;

/** With `base`, of a recipe of coding 2. */
export function encodeTrailer(
  diffId: Digest,
  segments: readonly SegmentRow[],
  base?: RecipeBase,
): Uint8Array {
  const rowSize = base === undefined ? ROW_SIZE : ROW_SIZE_AGAINST;
  const table = segments.length * rowSize;
  const bytes = Buffer.alloc(table + TRAILER_SIZE);
  let layerSize = 0;
  segments.forEach((segment, index) => {
    const row = index * rowSize;
    bytes.writeUInt32LE(segment.storedBytes, row);
    bytes.writeUInt32LE(segment.plainBytes, row + 4);
    bytes.writeBigUInt64LE(BigInt(segment.layerBytes), row + 8);
    if (base !== undefined) {
      bytes.writeUInt32LE(segment.against?.first ?? 0, row + 16);
      bytes.writeUInt32LE(segment.against?.count ?? 0, row + 20);
    }
    layerSize += segment.layerBytes;
  });
  bytes.writeUInt32LE(segments.length, table);
  bytes.writeBigUInt64LE(BigInt(layerSize), table + 8);
  bytes.write(digestHex(diffId), table + 16, "hex");
  END_MAGIC.copy(bytes, table + 48);
  return bytes;
}

/** How much the end of the file says, and how long its start is. */
export interface RecipeSizes {
  readonly headSize: number;
  readonly tailSize: number;
}

/** Bytes at both ends of the file that {@link decodeFrame} needs, told by its first 16 bytes and the trailer. Throws CONTENT_INVALID. */
export function sizesOf(prefix: Uint8Array, trailer: Uint8Array): RecipeSizes {
  const head = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const view = Buffer.from(trailer.buffer, trailer.byteOffset, trailer.byteLength);
  if (view.length !== TRAILER_SIZE || !END_MAGIC.equals(view.subarray(48)))
    throw contentProblem("CONTENT_INVALID", "this is not a recipe of a kind that this version reads");
  if (!MAGIC.equals(head.subarray(0, 8)) || head.readUInt16LE(8) !== RECIPE_VERSION)
    throw contentProblem("CONTENT_INVALID", "this recipe is of a version that this version does not read");
  const coding = head[10];
  if (coding !== CODING.zstd && coding !== CODING.against) throw invalid(`an unknown coding ${coding}`);
  if (head.readUInt32LE(12) !== 0 || view.readUInt32LE(4) !== 0)
    throw invalid("something that is not known yet");
  const count = view.readUInt32LE(0);
  if (count > RECIPE_LIMITS.segments) throw invalid("too many segments");
  return coding === CODING.zstd
    ? { headSize: PREFIX_SIZE, tailSize: TRAILER_SIZE + count * ROW_SIZE }
    : { headSize: PREFIX_SIZE + BASE_SIZE, tailSize: TRAILER_SIZE + count * ROW_SIZE_AGAINST };
}

/** Reads both ends of a recipe file of `fileSize` bytes; every place in the result is within the file. Throws CONTENT_INVALID. */
export function decodeFrame(fileSize: number, head: Uint8Array, tail: Uint8Array): RecipeFrame {
  const view = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  const base = head.length === PREFIX_SIZE ? undefined : decodeBase(head);
  const rowSize = base === undefined ? ROW_SIZE : ROW_SIZE_AGAINST;
  const table = view.length - TRAILER_SIZE;
  const segments: SegmentPlace[] = [];
  let at = head.length;
  let layerStart = 0;
  for (let row = 0; row < table; row += rowSize) {
    const storedBytes = view.readUInt32LE(row);
    const plainBytes = view.readUInt32LE(row + 4);
    const layerBytes = Number(view.readBigUInt64LE(row + 8));
    if (plainBytes > RECIPE_LIMITS.segmentBytesMax || storedBytes > RECIPE_LIMITS.segmentBytesMax)
      throw invalid("a segment of an impossible size");
    const place = { at, storedBytes, plainBytes, layerStart, layerBytes };
    const count = base === undefined ? 0 : view.readUInt32LE(row + 20);
    segments.push(count === 0 ? place : { ...place, against: { first: view.readUInt32LE(row + 16), count } });
    at += storedBytes;
    layerStart += layerBytes;
  }
  const layerSize = Number(view.readBigUInt64LE(table + 8));
  if (at + view.length !== fileSize || layerStart !== layerSize || layerSize > RECIPE_LIMITS.layerSizeMax)
    throw invalid("sizes that contradict each other");
  const diffId = digestFromHex(view.toString("hex", table + 16, table + 48));
  return { diffId, layerSize, segments, ...(base === undefined ? {} : { base }) };
}

function decodeBase(head: Uint8Array): RecipeBase {
  const diffId = Buffer.from(head.subarray(PREFIX_SIZE, PREFIX_SIZE + 32)).toString("hex");
  return { diffId: digestFromHex(diffId), sha256: head.subarray(PREFIX_SIZE + 32) };
}

function invalid(what: string): Error {
  return contentProblem("CONTENT_INVALID", `the recipe holds ${what}`);
}
