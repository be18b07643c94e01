import {
  type CargoBase,
  type CargoMeasure,
  type CargoSource,
  contentProblem,
  type Digest,
  type HeldImage,
} from "@sampan/content";
import { Bug } from "@sampan/problem";
import type { BundleBase, BundleBlob, BundleDocument, BundleImage, BundleRelease } from "./document.ts";
import { FORMAT_VERSION } from "./document.ts";
import type { Signer } from "./keys.ts";
import { LIMIT } from "./limits.ts";
import { bundleProblem } from "./problems.ts";
import { digestOf } from "./root.ts";
import { rootRoom } from "./root-room.ts";

const MIB = 1024 * 1024;

/** No volume can be smaller. */
export const VOLUME_BYTES_MIN = 16 * MIB;

/** A release to be carried: its JSON, and the images it names. */
export interface ReleaseCargo {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly templateId: string;
  readonly templateName: string;
  readonly version: string;
  readonly alias?: string;
  readonly imageIds: readonly Digest[];
}

/** A release that the receiver may have: an increment serves who has one of its bases, with all these layers. */
export type CargoRelease = Omit<BundleBase, "pieceCount" | "pieceBytes">;

export interface Cargo {
  readonly releases: readonly ReleaseCargo[];
  /** Makes an increment on these, 64 at most. Several make it larger: counted on is what all of them have. */
  readonly bases?: readonly CargoRelease[];
  /** SBOMs, documents, logos: read from the source by digest. */
  readonly blobs: readonly BundleBlob[];
  /** Product and version, such as `sampan/0.1.0`. */
  readonly createdBy: string;
  /** zstd level of the packs; 3 or 9 in an increment. */
  readonly level: number;
  /** Raw bytes, at most 16 MiB. In volumes at most an eighth of one. */
  readonly packSizeBytes: number;
  /** Makes volumes of at most this size, which is 16 MiB or more. */
  readonly volumeSizeBytes?: number;
  readonly signers: readonly Signer[];
}

/** All that is known of a bundle before packing. `document` lacks what packing tells. */
export interface BundlePlan {
  readonly document: Omit<BundleDocument, "layers" | "packs" | "sizes" | "volumes">;
  /** Those that are carried. */
  readonly layers: readonly { readonly diffId: Digest; readonly size: number }[];
  /** Those that every base has. */
  readonly layersLeftOut: readonly { readonly diffId: Digest; readonly size: number }[];
  /** What the bases have; absent in a full bundle. */
  readonly base?: CargoBase;
  readonly measured: CargoMeasure;
  readonly pieceBytes: number;
  readonly packsMax: number;
  /** As the packs are made: see {@link Cargo.packSizeBytes}. */
  readonly packSizeBytes: number;
  readonly volumeSizeBytes?: number;
  /** What is left at the front of each file (SPEC.md section 8). */
  readonly rootBytes: number;
}

export interface PlanOptions {
  /** `packs`: also count the packs and estimate their bytes, which reads samples. */
  readonly measure: "pieces" | "packs";
  readonly signal?: AbortSignal;
}

/** Gathers images and layers, and tells how large the root can become. Throws CONTENT_ABSENT, BUNDLE_TOO_LARGE. */
export async function planBundle(
  source: CargoSource,
  cargo: Cargo,
  options: PlanOptions,
): Promise<BundlePlan> {
  const images = await gatherImages(source, cargo);
  const sizes = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.diffId, layer.size])));
  const bases = (cargo.bases ?? []).map(baseRow).sort(by((row) => JSON.stringify(row)));
  const common = bases.map((base) => new Set(base.diffIds));
  const isLeftOut = (diffId: Digest) => common.length > 0 && common.every((base) => base.has(diffId));
  const layers = [...sizes].map(([diffId, size]) => ({ diffId, size }));
  const carried = layers.filter(({ diffId }) => !isLeftOut(diffId));
  const base: CargoBase | undefined = bases.length === 0 ? undefined : bases.map(({ diffIds }) => diffIds);
  const packSizeBytes = packSize(cargo);
  const measured = await source.measure(
    carried.map(({ diffId }) => diffId),
    {
      ...(base && { base }),
      ...(options.signal && { signal: options.signal }),
      ...(base !== undefined || options.measure === "packs"
        ? { packing: { level: cargo.level, packSizeBytes } }
        : {}),
    },
  );
  const plan: Omit<BundlePlan, "rootBytes"> = {
    document: planDocument(cargo, images, base && bases.map((row) => ({ ...row, ...taken(measured) }))),
    layers: carried,
    layersLeftOut: layers.filter(({ diffId }) => isLeftOut(diffId)),
    ...(base && { base }),
    measured,
    pieceBytes: measured.pieceBytes,
    packsMax: base === undefined ? packsAtMost(measured, packSizeBytes) : packsExactly(measured),
    packSizeBytes,
    ...(cargo.volumeSizeBytes === undefined ? {} : { volumeSizeBytes: cargo.volumeSizeBytes }),
  };
  const rootBytes = rootRoom(plan, cargo.signers);
  // So that half of each volume, which holds four of the packs, is content.
  refuseSmallVolumes(cargo.volumeSizeBytes, 2 * rootBytes);
  return { ...plan, rootBytes };
}

/** Reader levels: SPEC.md section 9. */
const FULL_LEVEL = 1;
const INCREMENT_LEVEL = 2;

function planDocument(
  cargo: Cargo,
  images: readonly HeldImage[],
  requires: readonly BundleBase[] | undefined,
): BundlePlan["document"] {
  return {
    formatVersion: FORMAT_VERSION,
    kind: requires === undefined ? "full" : "increment",
    createdBy: cargo.createdBy,
    policy: { minReader: requires === undefined ? FULL_LEVEL : INCREMENT_LEVEL },
    releases: cargo.releases.map(releaseRow).sort(by((row) => `${row.templateId}\u0000${row.digest}`)),
    images: images.map(imageRow),
    blobs: cargo.blobs.map(blobRow).sort(by((row) => `${row.digest}\u0000${row.role}`)),
    ...(requires && { requires }),
  };
}

async function gatherImages(source: CargoSource, cargo: Cargo): Promise<HeldImage[]> {
  for (const { digest, bytes } of cargo.releases)
    if (digestOf(bytes) !== digest) throw new Bug(`release ${digest} does not have its digest`);
  const imageIds = [...new Set(cargo.releases.flatMap((release) => release.imageIds))].sort();
  const images: HeldImage[] = [];
  for (const imageId of imageIds) {
    const image = await source.image(imageId);
    if (image === undefined)
      throw contentProblem("CONTENT_ABSENT", `image ${imageId} is not held here`, {
        why: "a release to be exported names it",
      });
    images.push(image);
  }
  return images;
}

function packSize(cargo: Cargo): number {
  const { packSizeBytes, volumeSizeBytes } = cargo;
  return volumeSizeBytes === undefined
    ? packSizeBytes
    : Math.min(packSizeBytes, Math.floor(volumeSizeBytes / 8));
}

/** Two packs in a row are more than one full pack, in bytes or in pieces (the hold's are at most 8192). */
function packsAtMost(measured: CargoMeasure, packSizeBytes: number): number {
  const rawBytes = Math.min(packSizeBytes, LIMIT.packRawBytes);
  return 2 * Math.ceil(measured.pieceBytes / rawBytes) + Math.ceil(measured.pieceCount / 2048) + 2;
}

function packsExactly(measured: CargoMeasure): number {
  if (measured.packCount === undefined) throw new Bug("the source did not count the packs");
  return measured.packCount;
}

/** What is taken from a base is the same in all: what they have in common. */
function taken({ increment }: CargoMeasure): { readonly pieceCount: number; readonly pieceBytes: number } {
  if (increment === undefined) throw new Bug("the source did not measure against the base");
  return { pieceCount: increment.reusedPieceCount, pieceBytes: increment.reusedPieceBytes };
}

/** Throws BUNDLE_TOO_LARGE when volumes are smaller than this product makes them. */
export function requireVolumeSize(volumeSizeBytes: number | undefined): void {
  refuseSmallVolumes(volumeSizeBytes, VOLUME_BYTES_MIN);
}

function refuseSmallVolumes(volumeSizeBytes: number | undefined, least: number): void {
  if (volumeSizeBytes !== undefined && volumeSizeBytes < least)
    throw bundleProblem("BUNDLE_TOO_LARGE", "the volumes are too small for the bundle", {
      why: `a volume is to have ${volumeSizeBytes} bytes, and this bundle needs ${least} or more`,
      hint: "take larger volumes",
    });
}

/** Rows are made key by key: what callers pass may know more than a bundle tells. */
function releaseRow(release: ReleaseCargo): BundleRelease {
  const { digest, bytes, templateId, templateName, version, alias, imageIds } = release;
  const row = { digest, size: bytes.length, templateId, templateName, version };
  return { ...row, ...(alias === undefined ? {} : { alias }), images: [...new Set(imageIds)].sort() };
}

function blobRow({ digest, mediaType, role, size }: BundleBlob): BundleBlob {
  return { digest, mediaType, role, size };
}

function baseRow({ release, templateId, templateName, version, diffIds }: CargoRelease): CargoRelease {
  return { templateId, release, diffIds: [...new Set(diffIds)].sort(), templateName, version };
}

function imageRow(image: HeldImage): BundleImage {
  return {
    imageId: image.imageId,
    configSize: image.config.size,
    diffIds: image.layers.map((layer) => layer.diffId),
    os: image.os,
    architecture: image.architecture,
    ...(image.variant === undefined ? {} : { variant: image.variant }),
  };
}

function by<T>(key: (row: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}
