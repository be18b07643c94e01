import { type Digest, MEDIA_TYPE } from "@sampan/content";
import type { BundleDocument } from "./document.ts";

/** One blob after the root. */
export interface ContentEntry {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** For people: `pack 3 of 12`. */
  readonly label: string;
}

export const EMPTY_CONFIG = {
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  mediaType: MEDIA_TYPE.ociEmpty,
  size: 2,
} as const;

/** All blobs after the root, in the order of the file, each digest once (SPEC.md section 1). */
export function contentOf(
  document: Pick<BundleDocument, "layers" | "packs" | "images" | "releases" | "blobs">,
): ContentEntry[] {
  const seen = new Set<Digest>([EMPTY_CONFIG.digest]);
  const all = [
    ...document.layers.map(({ recipe }) => ({ ...recipe, mediaType: MEDIA_TYPE.recipes, what: "recipe" })),
    ...document.packs.map((pack) => ({ ...pack, mediaType: MEDIA_TYPE.pack, what: "pack" })),
    ...document.images.map((image) => ({
      digest: image.imageId,
      size: image.configSize,
      mediaType: MEDIA_TYPE.ociConfig,
      what: "image config",
    })),
    ...document.releases.map((release) => ({ ...release, mediaType: MEDIA_TYPE.release, what: "release" })),
    ...document.blobs.map((blob) => ({ ...blob, what: "blob" })),
  ];
  const totals = new Map<string, number>();
  for (const { what } of all) totals.set(what, (totals.get(what) ?? 0) + 1);
  const reached = new Map<string, number>();
  return all.flatMap(({ digest, mediaType, size, what }) => {
    const number = (reached.get(what) ?? 0) + 1;
    reached.set(what, number);
    if (seen.has(digest)) return [];
    seen.add(digest);
    return [{ digest, mediaType, size, label: `${what} ${number} of ${totals.get(what)}` }];
  });
}
