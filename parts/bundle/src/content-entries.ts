import { type Digest, MEDIA_TYPE } from "@sampan/content";
import type { BundleDocument, BundleVolume } from "./document.ts";

/** One blob after the root. */
export interface ContentEntry {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** For people: `pack 3 of 12`, `pack 3 of 12 in volume 2`. */
  readonly label: string;
  /** From 1, in the order of the content: what repair requests name. */
  readonly number: number;
  /** From 1; 1 also when the bundle is in one file. */
  readonly volume: number;
}

/** The parts of a document that name blobs. */
export type ContentLists = Pick<
  BundleDocument,
  "layers" | "packs" | "images" | "releases" | "blobs" | "volumes"
>;

export const EMPTY_CONFIG = {
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  mediaType: MEDIA_TYPE.ociEmpty,
  size: 2,
} as const;

/** All blobs after the root, in the order of the file, each digest once (SPEC.md section 1). */
export function contentOf(document: ContentLists): ContentEntry[] {
  const seen = new Set<Digest>([EMPTY_CONFIG.digest]);
  const packs = document.packs.map((pack) => ({ ...pack, mediaType: MEDIA_TYPE.pack, what: "pack" }));
  const all = [
    ...document.layers.map(({ recipe }) => ({ ...recipe, mediaType: MEDIA_TYPE.recipes, what: "recipe" })),
    ...(document.volumes === undefined ? packs : []),
    ...document.images.map((image) => ({
      digest: image.imageId,
      size: image.configSize,
      mediaType: MEDIA_TYPE.ociConfig,
      what: "image config",
    })),
    ...document.releases.map((release) => ({ ...release, mediaType: MEDIA_TYPE.release, what: "release" })),
    ...document.blobs.map((blob) => ({ ...blob, what: "blob" })),
    ...(document.volumes === undefined ? [] : packs),
  ];
  const totals = new Map<string, number>();
  for (const { what } of all) totals.set(what, (totals.get(what) ?? 0) + 1);
  const reached = new Map<string, number>();
  const volumes = new VolumeCount(document.volumes);
  return all.flatMap(({ digest, mediaType, size, what }) => {
    const nth = (reached.get(what) ?? 0) + 1;
    reached.set(what, nth);
    if (seen.has(digest)) return [];
    seen.add(digest);
    const number = seen.size - 1;
    const volume = volumes.next();
    const label = `${what} ${nth} of ${totals.get(what)}`;
    const where = document.volumes === undefined ? "" : ` in volume ${volume}`;
    return [{ digest, mediaType, size, label: label + where, number, volume }];
  });
}

/** Tells the volume of one entry after the other. What is beyond the last volume is counted to it. */
class VolumeCount {
  readonly #volumes: readonly BundleVolume[];
  #volume = 1;
  #taken = 0;

  constructor(volumes: readonly BundleVolume[] | undefined) {
    this.#volumes = volumes ?? [];
  }

  next(): number {
    const now = this.#volumes[this.#volume - 1];
    if (now !== undefined && this.#taken >= now.entries && this.#volume < this.#volumes.length) {
      this.#volume++;
      this.#taken = 0;
    }
    this.#taken++;
    return this.#volume;
  }
}
