import {
  type CargoBase,
  type CargoMeasure,
  type CargoSink,
  type CargoSource,
  contentProblem,
  type Digest,
  digestFromHex,
  digestHex,
  type HeldImage,
  isDigest,
  MEDIA_TYPE,
  type PackFile,
  type PackingOptions,
} from "@sampan/content";
import { z } from "zod";
import { renderCanonical } from "./canonical-json.ts";
import { digestOf } from "./root.ts";

const PIECE_BYTES = 1000;
const PIECE_HEAD_BYTES = 36;
const DIGEST_BYTES = 32;
/** In a length: the piece is told by one of the base, whose digest comes first. */
const TOLD_BY_BASE = 0x8000_0000;

const digest = z.custom<Digest>(isDigest);
const configSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().exactOptional(),
  rootfs: z.object({ diff_ids: z.array(digest) }),
});

const recipeSchema = z.union([
  z.array(digest),
  z.object({ base: digest, pieces: z.array(z.union([digest, z.int()])) }),
]);

/**
 * A cargo source and sink in memory, for tests. Layers are cut every 1000 bytes; a recipe is the JSON list of its pieces;
 * a pack is `digest (32) length (4) bytes` again and again, not compressed. Made against a base, both need it: recipes have
 * places of pieces in a layer of the base, packs pieces that are combined with one of the base.
 */
export class MemoryCargo implements CargoSource, CargoSink {
  readonly packsHeld = new Map<Digest, Uint8Array>();
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly #pieces = new Map<Digest, Uint8Array>();
  readonly #layers = new Map<Digest, { readonly size: number; readonly pieces: readonly Digest[] }>();
  readonly #images = new Map<Digest, HeldImage>();
  free = Number.MAX_SAFE_INTEGER;

  /** Makes an image of these layers; returns its ID. */
  async hold(
    layers: readonly Uint8Array[],
    platform = { os: "linux", architecture: "amd64" },
  ): Promise<Digest> {
    const diffIds = layers.map((layer) => this.holdLayer(layer));
    const config = renderCanonical({ ...platform, rootfs: { type: "layers", diff_ids: diffIds } });
    const { imageId } = await this.addImage({ imageId: digestOf(config), config });
    return imageId;
  }

  /** The bytes of a held layer. */
  layer(diffId: Digest): Uint8Array {
    return Buffer.concat(this.#layer(diffId).pieces.map((piece) => this.#piece(piece)));
  }

  async image(imageId: Digest): Promise<HeldImage | undefined> {
    return this.#images.get(imageId);
  }

  async readBlob(digest: Digest): Promise<Uint8Array> {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) throw absent(digest);
    return bytes;
  }

  async *recipes(diffIds: readonly Digest[], options: { readonly base?: CargoBase } = {}) {
    const [first] = this.#common(options.base);
    for (const diffId of diffIds) {
      const { pieces } = this.#layer(diffId);
      const known = first === undefined ? [] : this.#layer(first).pieces;
      const places = pieces.map((piece) => (known.includes(piece) ? known.indexOf(piece) : piece));
      const bytes = renderCanonical(first === undefined ? pieces : { base: first, pieces: places });
      yield { diffId, digest: digestOf(bytes), bytes };
    }
  }

  async *packs(
    diffIds: readonly Digest[],
    options: Omit<PackingOptions, "level"> & { readonly base?: CargoBase; readonly signal?: AbortSignal },
  ): AsyncGenerator<PackFile> {
    let parts: Uint8Array[] = [];
    let size = 0;
    const close = () => {
      const bytes = Buffer.concat(parts);
      parts = [];
      size = 0;
      return { digest: digestOf(bytes), bytes };
    };
    const [similar] = this.#basePieces(options.base);
    for (const piece of this.#newPieces(diffIds, options.base)) {
      options.signal?.throwIfAborted();
      const { length } = this.#piece(piece);
      if (size > 0 && size + length > options.packSizeBytes) yield close();
      parts.push(this.#packed(piece, similar));
      size += length;
    }
    if (size > 0) yield close();
  }

  async measure(
    diffIds: readonly Digest[],
    options: { readonly base?: CargoBase; readonly packing?: PackingOptions } = {},
  ): Promise<CargoMeasure> {
    const { base, packing } = options;
    let recipeBytes = 0;
    for await (const recipe of this.recipes(diffIds, base && { base })) recipeBytes += recipe.bytes.length;
    let packCount = 0;
    let packBytes = 0;
    if (packing !== undefined)
      for await (const pack of this.packs(diffIds, { ...packing, ...(base && { base }) })) {
        packCount++;
        packBytes += pack.bytes.length;
      }
    const sum = (pieces: readonly Digest[]) =>
      pieces.reduce((total, piece) => total + this.#piece(piece).length, 0);
    const pieces = this.#newPieces(diffIds, base);
    const reused = [...this.#piecesOf(diffIds)].filter((piece) => !pieces.includes(piece));
    const news = diffIds.map((diffId) => {
      const newBytes = sum(this.#newPieces([diffId], base));
      return [diffId, { newFiles: 0, changedFiles: 1, newBytes, largest: [] }] as const;
    });
    return {
      pieceCount: pieces.length,
      pieceBytes: sum(pieces),
      recipeBytes,
      ...(packing && { packCount, packBytes }),
      ...(base && {
        increment: {
          reusedPieceCount: reused.length,
          reusedPieceBytes: sum(reused),
          unknownLayers: base.map((list) => list.filter((diffId) => !this.#layers.has(diffId)).length),
          layers: new Map(news),
        },
      }),
    };
  }

  async stat(digest: Digest): Promise<{ readonly size: number } | undefined> {
    const bytes = this.blobs.get(digest);
    return bytes === undefined ? this.#layers.get(digest) : { size: bytes.length };
  }

  async hasPack(digest: Digest): Promise<boolean> {
    return this.packsHeld.has(digest);
  }

  async addPack(pack: PackFile): Promise<void> {
    const bytes = Buffer.from(pack.bytes);
    if (digestOf(bytes) !== pack.digest) throw mismatch(pack.digest);
    for (let at = 0; at < bytes.length; ) {
      const piece = digestAt(bytes, at);
      const said = bytes.readUInt32BE(at + DIGEST_BYTES);
      const isTold = said >= TOLD_BY_BASE;
      const start = at + PIECE_HEAD_BYTES + (isTold ? DIGEST_BYTES : 0);
      const end = start + (isTold ? said - TOLD_BY_BASE : said);
      const stored = bytes.subarray(start, end);
      const content = isTold
        ? combine(stored, this.#piece(digestAt(bytes, at + PIECE_HEAD_BYTES)))
        : Buffer.from(stored);
      if (digestOf(content) !== piece) throw mismatch(piece);
      this.#pieces.set(piece, content);
      at = end;
    }
    this.packsHeld.set(pack.digest, bytes);
  }

  async hasLayer(diffId: Digest): Promise<boolean> {
    return this.#layers.has(diffId);
  }

  async addLayer(layer: { readonly diffId: Digest; readonly recipe: Uint8Array }): Promise<void> {
    if (this.#layers.has(layer.diffId)) return;
    const recipe = recipeSchema.parse(JSON.parse(Buffer.from(layer.recipe).toString()));
    const known = Array.isArray(recipe) ? [] : this.#layer(recipe.base).pieces;
    const pieces = (Array.isArray(recipe) ? recipe : recipe.pieces).map((piece) =>
      typeof piece === "number" ? known[piece]! : piece,
    );
    const bytes = Buffer.concat(pieces.map((piece) => this.#piece(piece)));
    if (digestOf(bytes) !== layer.diffId) throw mismatch(layer.diffId);
    this.#layers.set(layer.diffId, { size: bytes.length, pieces });
  }

  async addImage(image: { readonly imageId: Digest; readonly config: Uint8Array }): Promise<HeldImage> {
    if (digestOf(image.config) !== image.imageId) throw mismatch(image.imageId);
    const { rootfs, ...platform } = configSchema.parse(JSON.parse(Buffer.from(image.config).toString()));
    const layers = rootfs.diff_ids.map((diffId) => {
      const layer = this.#layers.get(diffId);
      if (layer === undefined) throw absent(diffId);
      return { diffId, size: layer.size };
    });
    const held: HeldImage = {
      imageId: image.imageId,
      manifest: { mediaType: MEDIA_TYPE.ociManifest, digest: image.imageId, size: 0 },
      config: { mediaType: MEDIA_TYPE.ociConfig, digest: image.imageId, size: image.config.length },
      layers,
      ...platform,
    };
    this.#images.set(image.imageId, held);
    this.blobs.set(image.imageId, image.config);
    return held;
  }

  async writeBlob(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (digestOf(bytes) !== digest) throw mismatch(digest);
    this.blobs.set(digest, bytes);
  }

  async freeBytes(): Promise<number> {
    return this.free;
  }

  /** Holds a layer that is in no image. */
  holdLayer(bytes: Uint8Array): Digest {
    const pieces: Digest[] = [];
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      pieces.push(digestOf(piece));
      this.#pieces.set(digestOf(piece), piece);
    }
    this.#layers.set(digestOf(bytes), { size: bytes.length, pieces });
    return digestOf(bytes);
  }

  /** Layers that every list has, as far as they are held here. */
  #common(base: CargoBase = []): Digest[] {
    const [first = [], ...others] = base;
    return first.filter(
      (diffId) => this.#layers.has(diffId) && others.every((list) => list.includes(diffId)),
    );
  }

  #basePieces(base: CargoBase | undefined): Set<Digest> {
    return this.#piecesOf(this.#common(base));
  }

  #newPieces(diffIds: readonly Digest[], base: CargoBase | undefined): Digest[] {
    const known = this.#basePieces(base);
    return [...this.#piecesOf(diffIds)].filter((piece) => !known.has(piece));
  }

  #packed(piece: Digest, similar: Digest | undefined): Buffer {
    const bytes = this.#piece(piece);
    const head = Buffer.alloc(PIECE_HEAD_BYTES);
    head.write(digestHex(piece), "hex");
    head.writeUInt32BE(bytes.length + (similar === undefined ? 0 : TOLD_BY_BASE), DIGEST_BYTES);
    if (similar === undefined) return Buffer.concat([head, bytes]);
    const name = Buffer.from(digestHex(similar), "hex");
    return Buffer.concat([head, name, combine(bytes, this.#piece(similar))]);
  }

  #layer(diffId: Digest) {
    const layer = this.#layers.get(diffId);
    if (layer === undefined) throw absent(diffId);
    return layer;
  }

  #piecesOf(diffIds: readonly Digest[]): Set<Digest> {
    return new Set(diffIds.flatMap((diffId) => this.#layers.get(diffId)?.pieces ?? []));
  }

  #piece(piece: Digest): Uint8Array {
    const bytes = this.#pieces.get(piece);
    if (bytes === undefined) throw absent(piece);
    return bytes;
  }
}

function absent(digest: Digest) {
  return contentProblem("CONTENT_ABSENT", `${digest} is not held`);
}

function mismatch(digest: Digest) {
  return contentProblem("CONTENT_MISMATCH", `these bytes are not ${digest}`);
}

function digestAt(bytes: Buffer, at: number): Digest {
  return digestFromHex(bytes.toString("hex", at, at + DIGEST_BYTES));
}

/** Again gives what it was. */
function combine(bytes: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, at) => byte ^ (other[at] ?? 0)));
}
