import { cutLength, PIECE_SIZE } from "./content-cut.ts";
import { BLOCK, isZero, paddingOf, parseEntry, parsePax, paxSize, type TarEntry } from "./tar-header.ts";

/** Number of the cutting rules below. The same bytes give the same recipe for ever under the same number. */
export const SPLITTER_VERSION = 1;

/** Bodies up to this are written into the recipe: a reference would not be shorter. */
const INLINE_SIZE_MAX = 32;
/** Long names and pax records say something about the next entry, so they belong to the headers. */
const EXTENSION_TYPES = "xgLK";
const EXTENSION_SIZE_MAX = 1024 * 1024;
/** File content is gathered here: a whole small file, or enough of a large one to cut several pieces. */
const GATHER_SIZE = 1024 * 1024;
/** Blocks of zeros that end an archive. */
const END_BLOCKS = 2;

/** Takes what a layer is made of, in order. Bytes given are valid during the call only. */
export interface SplitSink {
  /** 512 bytes with a valid checksum. */
  header(block: Uint8Array): void;
  literal(bytes: Uint8Array): void;
  zeros(length: number): void;
  piece(bytes: Uint8Array): void;
}

type State = "header" | "extension" | "inline" | "file" | "large" | "padding" | "opaque";

/**
 * Walks a layer tar as a stream and cuts it along the files in it. What it does not understand becomes opaque content
 * up to the end, cut by content alone: the layer can always be rebuilt, only less of it may be shared.
 */
export class LayerSplitter {
  readonly #sink: SplitSink;
  readonly #block = new Uint8Array(BLOCK);
  readonly #gather = new Uint8Array(GATHER_SIZE);
  #state: State = "header";
  /** Bytes of the block, body or padding that are still to come. */
  #left: number = BLOCK;
  #gathered = 0;
  #padding = 0;
  /** Size of the body that follows the extension blocks of an old GNU sparse entry. */
  #sparseBody = 0;
  #type = "";
  #nextSize: number | undefined;
  #globalSize: number | undefined;
  /** Blocks of zeros since the last header. */
  #zeroBlocks = 0;

  constructor(sink: SplitSink) {
    this.#sink = sink;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at += this.#take(chunk.subarray(at));
  }

  /**
   * The stream has ended, wherever that is. Tells whether that was within the archive: in an entry, or before the two blocks
   * of zeros at its end. Of what was not understood, that cannot be told.
   */
  end(): { readonly isCutOff: boolean } {
    const isAtEnd = this.#state === "header" && this.#gathered === 0 && this.#zeroBlocks >= END_BLOCKS;
    const isCutOff = this.#state !== "opaque" && !isAtEnd;
    if (this.#state === "large" || this.#state === "opaque") this.#cut(true);
    else if (this.#gathered > 0) this.#sink.literal(this.#pending().subarray(0, this.#gathered));
    this.#gathered = 0;
    return { isCutOff };
  }

  #pending(): Uint8Array {
    return this.#state === "header" || this.#state === "extension" ? this.#block : this.#gather;
  }

  /** Uses a part of the bytes and tells how many. */
  #take(bytes: Uint8Array): number {
    if (this.#state === "large" || this.#state === "opaque") return this.#takeLarge(bytes);
    const into = this.#pending();
    if (this.#gathered === 0 && bytes.length >= this.#left) {
      const whole = bytes.subarray(0, this.#left);
      this.#complete(whole);
      return whole.length;
    }
    const length = Math.min(bytes.length, this.#left);
    into.set(bytes.subarray(0, length), this.#gathered);
    this.#gathered += length;
    this.#left -= length;
    if (this.#left === 0) {
      const whole = into.subarray(0, this.#gathered);
      this.#gathered = 0;
      this.#complete(whole);
    }
    return length;
  }

  #takeLarge(bytes: Uint8Array): number {
    const room = GATHER_SIZE - this.#gathered;
    const length = Math.min(bytes.length, room, this.#left);
    this.#gather.set(bytes.subarray(0, length), this.#gathered);
    this.#gathered += length;
    this.#left -= length;
    if (this.#left === 0) {
      this.#cut(true);
      this.#expectPadding();
    } else if (this.#gathered === GATHER_SIZE) this.#cut(false);
    return length;
  }

  #cut(atEnd: boolean): void {
    let start = 0;
    const end = this.#gathered;
    while (atEnd ? start < end : end - start >= PIECE_SIZE.max) {
      const length = cutLength(this.#gather, start, end);
      this.#sink.piece(this.#gather.subarray(start, start + length));
      start += length;
    }
    this.#gather.copyWithin(0, start, end);
    this.#gathered = end - start;
  }

  /** A block, a small body or a padding is whole. */
  #complete(whole: Uint8Array): void {
    switch (this.#state) {
      case "header":
        this.#readHeader(whole);
        break;
      case "extension":
        this.#readSparseExtension(whole);
        break;
      case "inline":
        this.#sink.literal(whole);
        this.#readExtension(whole);
        this.#expectPadding();
        break;
      case "file":
        this.#sink.piece(whole);
        this.#expectPadding();
        break;
      default:
        if (isZero(whole)) this.#sink.zeros(whole.length);
        else this.#sink.literal(whole);
        this.#expect("header", BLOCK);
    }
  }

  #readHeader(block: Uint8Array): void {
    const entry = parseEntry(block);
    if (entry !== undefined) {
      this.#zeroBlocks = 0;
      this.#sink.header(block);
      this.#expectEntry(entry, block);
    } else if (isZero(block)) {
      this.#zeroBlocks += 1;
      this.#sink.zeros(BLOCK);
      this.#expect("header", BLOCK);
    } else {
      this.#expect("opaque", Number.POSITIVE_INFINITY);
      this.#takeLarge(block);
    }
  }

  #expectEntry(entry: TarEntry, block: Uint8Array): void {
    this.#type = entry.type;
    const isExtension = EXTENSION_TYPES.includes(entry.type);
    const size =
      entry.size === 0 || isExtension ? entry.size : (this.#nextSize ?? this.#globalSize ?? entry.size);
    if (!isExtension) this.#nextSize = undefined;
    this.#padding = paddingOf(size);
    this.#sparseBody = size;
    if (entry.type === "S" && block[482] === 1) this.#expect("extension", BLOCK);
    else this.#expectBody(size);
  }

  #readSparseExtension(block: Uint8Array): void {
    this.#sink.literal(block);
    if (block[504] === 1) this.#expect("extension", BLOCK);
    else this.#expectBody(this.#sparseBody);
  }

  #readExtension(body: Uint8Array): void {
    if (this.#type === "x") this.#nextSize = paxSize(parsePax(body));
    else if (this.#type === "g") this.#globalSize = paxSize(parsePax(body)) ?? this.#globalSize;
  }

  #expectBody(size: number): void {
    const inlineMax = EXTENSION_TYPES.includes(this.#type) ? EXTENSION_SIZE_MAX : INLINE_SIZE_MAX;
    if (size === 0) this.#expectPadding();
    else if (size <= inlineMax) this.#expect("inline", size);
    else this.#expect(size <= PIECE_SIZE.max ? "file" : "large", size);
  }

  #expectPadding(): void {
    if (this.#padding === 0) this.#expect("header", BLOCK);
    else this.#expect("padding", this.#padding);
    this.#padding = 0;
  }

  #expect(state: State, bytes: number): void {
    this.#state = state;
    this.#left = bytes;
    this.#gathered = 0;
  }
}
