import type { CargoSource, Digest, LayerNews } from "@sampan/content";
import { Bug } from "@sampan/problem";
import type { BundleBase, BundleDocument, BundleImage, BundleRelease } from "./document.ts";
import { type BundlePlan, type Cargo, planBundle, requireVolumeSize } from "./plan-bundle.ts";
import { BLOCK, END_BYTES } from "./tar-entry.ts";

/** What `writeBundle` would write, before anything is packed. Sizes are bytes. */
export interface BundlePreview {
  readonly kind: BundleDocument["kind"];
  /** Of all files: to 5 per cent. */
  readonly sizeBytes: number;
  /** Files: 1 without `volumeSizeBytes`; else estimated, and one more is possible. */
  readonly volumeCount: number;
  /** What `sizeBytes` is made of; `rootBytes` are of each file. */
  readonly parts: {
    readonly packBytes: number;
    readonly recipeBytes: number;
    /** Configs, releases, other blobs. */
    readonly otherBytes: number;
    readonly rootBytes: number;
  };
  readonly releases: readonly BundleRelease[];
  readonly images: readonly BundleImage[];
  /** `size` is of the uncompressed tar. */
  readonly layersCarried: readonly { readonly diffId: Digest; readonly size: number }[];
  /** Those that every base has. */
  readonly layersLeftOut: readonly { readonly diffId: Digest; readonly size: number }[];
  /** Of the layers that are carried: pieces that travel, and those taken from the base. */
  readonly pieces: {
    readonly newCount: number;
    readonly newBytes: number;
    readonly reusedCount: number;
    readonly reusedBytes: number;
  };
  /** `unknownLayers`: how many layers of the base this side does not hold, so that they save nothing. */
  readonly bases: readonly (Omit<BundleBase, "diffIds"> & { readonly unknownLayers: number })[];
  /** Of an increment: what is new, by layer; what is in several is told of the first. */
  readonly news: ReadonlyMap<Digest, LayerNews>;
}

/**
 * Tells what a bundle of this cargo will carry, and its size, without packing it: samples are read, nothing is written.
 * Throws what `writeBundle` throws before it writes: CONTENT_ABSENT, BUNDLE_TOO_LARGE.
 */
export async function previewBundle(
  source: CargoSource,
  cargo: Cargo,
  options: { readonly signal?: AbortSignal } = {},
): Promise<BundlePreview> {
  requireVolumeSize(cargo.volumeSizeBytes);
  const plan = await planBundle(source, cargo, { measure: "packs", ...options });
  const { measured, document } = plan;
  const { increment, packBytes } = measured;
  if (packBytes === undefined) throw new Bug("the source did not estimate the packs");
  const parts = {
    packBytes,
    recipeBytes: measured.recipeBytes,
    otherBytes: sumOfBlobs(document),
    rootBytes: plan.rootBytes,
  };
  const contentBytes = tarBytes(plan, parts);
  const volumeCount = countVolumes(plan, contentBytes, parts.packBytes);
  return {
    kind: document.kind,
    sizeBytes: contentBytes + volumeCount * (plan.rootBytes + END_BYTES),
    volumeCount,
    parts,
    releases: document.releases,
    images: document.images,
    layersCarried: plan.layers,
    layersLeftOut: plan.layersLeftOut,
    pieces: {
      newCount: measured.pieceCount,
      newBytes: measured.pieceBytes,
      reusedCount: increment?.reusedPieceCount ?? 0,
      reusedBytes: increment?.reusedPieceBytes ?? 0,
    },
    bases: (document.requires ?? []).map(({ diffIds, ...base }, index) => ({
      ...base,
      unknownLayers: increment?.unknownLayers[index] ?? 0,
    })),
    news: increment?.layers ?? new Map(),
  };
}

function sumOfBlobs({ images, releases, blobs }: BundlePlan["document"]): number {
  const sizes = new Map<Digest, number>(images.map((image) => [image.imageId, image.configSize]));
  for (const { digest, size } of [...releases, ...blobs]) sizes.set(digest, size);
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** Each entry has a header, and half a block of padding on average. */
function tarBytes(
  { document, layers, measured }: BundlePlan,
  parts: Pick<BundlePreview["parts"], "packBytes" | "recipeBytes" | "otherBytes">,
): number {
  const { images, releases, blobs } = document;
  const blobCount = images.length + releases.length + new Set(blobs.map((blob) => blob.digest)).size;
  const entries = layers.length + (measured.packCount ?? 0) + blobCount;
  return Math.ceil(parts.packBytes + parts.recipeBytes + parts.otherBytes + entries * 1.5 * BLOCK);
}

/** A volume is left with room for half a pack on average. */
function countVolumes(plan: BundlePlan, contentBytes: number, packBytes: number): number {
  if (plan.volumeSizeBytes === undefined) return 1;
  const packCount = plan.measured.packCount ?? 0;
  const unused = packCount === 0 ? 0 : packBytes / packCount / 2;
  const capacity = plan.volumeSizeBytes - plan.rootBytes - END_BYTES;
  return Math.max(1, Math.ceil((contentBytes - unused) / (capacity - unused)));
}
