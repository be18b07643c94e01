import {
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
} from "@sampan/content";
import { z } from "zod";
import { renderCanonical } from "./canonical-json.ts";
import { digestOf } from "./root.ts";

const PIECE_BYTES = 1000;
const PIECE_HEAD_BYTES = 36;

const digest = z.custom<Digest>(isDigest);
const configSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().exactOptional(),
  rootfs: z.object({ diff_ids: z.array(digest) }),
});

/**
 * A cargo source and sink in memory, for tests. Layers are cut every 1000 bytes; a recipe is the JSON list of its pieces;
 * a pack is `digest (32) length (4) bytes` again and again, not compressed.
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
    const diffIds = layers.map((layer) => this.#holdLayer(layer));
    const config = renderCanonical({ ...platform, rootfs: { type: "layers", diff_ids: diffIds } });
    const { imageId } = await this.addImage({ imageId: digestOf(config), config });
    return imageId;
  }

  /** The bytes of a held layer. */
  layer(diffId: Digest): Uint8Array {
    const layer = this.#layers.get(diffId);
    if (layer === undefined) throw absent(diffId);
    return Buffer.concat(layer.pieces.map((piece) => this.#piece(piece)));
  }

  async image(imageId: Digest): Promise<HeldImage | undefined> {
    return this.#images.get(imageId);
  }

  async readBlob(digest: Digest): Promise<Uint8Array> {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) throw absent(digest);
    return bytes;
  }

  async *recipes(diffIds: readonly Digest[]) {
    for (const diffId of diffIds) {
      const layer = this.#layers.get(diffId);
      if (layer === undefined) throw absent(diffId);
      const bytes = renderCanonical(layer.pieces);
      yield { diffId, digest: digestOf(bytes), bytes };
    }
  }

  async *packs(
    diffIds: readonly Digest[],
    options: { readonly packSizeBytes: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<PackFile> {
    let parts: Uint8Array[] = [];
    let size = 0;
    const close = () => {
      const bytes = Buffer.concat(parts);
      parts = [];
      size = 0;
      return { digest: digestOf(bytes), bytes };
    };
    for (const piece of this.#piecesOf(diffIds)) {
      options.signal?.throwIfAborted();
      const bytes = this.#piece(piece);
      if (size > 0 && size + bytes.length > options.packSizeBytes) yield close();
      const head = Buffer.alloc(PIECE_HEAD_BYTES);
      head.write(digestHex(piece), "hex");
      head.writeUInt32BE(bytes.length, 32);
      parts.push(head, bytes);
      size += bytes.length;
    }
    if (size > 0) yield close();
  }

  async measure(diffIds: readonly Digest[]) {
    let recipeBytes = 0;
    for await (const recipe of this.recipes(diffIds)) recipeBytes += recipe.bytes.length;
    const pieces = [...this.#piecesOf(diffIds)];
    const pieceBytes = pieces.reduce((sum, piece) => sum + this.#piece(piece).length, 0);
    return { pieceCount: pieces.length, pieceBytes, recipeBytes };
  }

  async hasPack(digest: Digest): Promise<boolean> {
    return this.packsHeld.has(digest);
  }

  async addPack(pack: PackFile): Promise<void> {
    const bytes = Buffer.from(pack.bytes);
    if (digestOf(bytes) !== pack.digest) throw mismatch(pack.digest);
    for (let at = 0; at < bytes.length; ) {
      const piece = digestFromHex(bytes.toString("hex", at, at + 32));
      const end = at + PIECE_HEAD_BYTES + bytes.readUInt32BE(at + 32);
      const content = bytes.subarray(at + PIECE_HEAD_BYTES, end);
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
    const pieces = z.array(digest).parse(JSON.parse(Buffer.from(layer.recipe).toString()));
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

  #holdLayer(bytes: Uint8Array): Digest {
    const pieces: Digest[] = [];
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      pieces.push(digestOf(piece));
      this.#pieces.set(digestOf(piece), piece);
    }
    this.#layers.set(digestOf(bytes), { size: bytes.length, pieces });
    return digestOf(bytes);
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
