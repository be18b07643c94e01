import type { CargoSink, Digest, HeldImage, OnProgress } from "@sampan/content";
import type { Bundle } from "./bundle.ts";
import {
  type BundleBlob,
  type BundleImage,
  type BundlePack,
  type BundleRelease,
  READER_LEVEL,
} from "./document.ts";
import type { SignatureReport } from "./envelope.ts";
import { Pace, type PaceClock } from "./pace.ts";
import { bundleProblem } from "./problems.ts";
import { requireTrust, type Trust } from "./trust.ts";

const SPACE_FACTOR = 1.05;
const SPACE_MARGIN_BYTES = 64 * 1024 * 1024;

export interface ImportOptions {
  readonly trust: Trust;
  /** Stages `packs` (bytes), `layers` (bytes of the layers), `images` (count). */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Packs are copied no faster than this. */
  readonly throttleBytesPerSecond?: number;
  /** For the throttle; the machine's own when absent. */
  readonly clock?: PaceClock;
  /** Called before each step, with its name: `trust`, `base`, `space`, `releases`, `pack <digest>`, `layer <diffID>`, `image <ID>`, `blob <digest>`. */
  readonly onStep?: (name: string) => void | Promise<void>;
}

export interface ImportedBundle {
  readonly signatures: SignatureReport;
  readonly images: readonly HeldImage[];
  /** The releases' JSON, checked against their digests. To be published by the caller, in one transaction. */
  readonly releases: readonly (BundleRelease & { readonly bytes: Uint8Array })[];
  readonly blobs: readonly BundleBlob[];
  /** Bytes of packs. */
  readonly copiedBytes: number;
  /** Bytes of packs that the sink had. */
  readonly skippedBytes: number;
}

/**
 * Copies a bundle's content into a sink: trust, base and space are checked first, then packs, layers (replayed), images, blobs.
 * Stopped anywhere, it goes on where it was when called again; what a stopped import leaves is whole, verified, and reached by nothing.
 * Throws what `requireTrust` and `Bundle.read` throw, BUNDLE_TOO_NEW, BUNDLE_BASE_MISSING, BUNDLE_NO_SPACE, and the sink's problems.
 */
export async function importBundle(
  bundle: Bundle,
  sink: CargoSink,
  options: ImportOptions,
): Promise<ImportedBundle> {
  const step = async (name: string) => {
    options.signal?.throwIfAborted();
    await options.onStep?.(name);
  };
  const { document } = bundle;
  await step("trust");
  const signatures = requireTrust(bundle, options.trust);
  refuseNewerReader(document.policy.minReader);
  await step("base");
  await requireBase(bundle, sink);
  await step("space");
  const missing = await missingPacks(document.packs, sink);
  await requireSpace(bundle, missing, sink);
  await step("releases");
  const releases: (BundleRelease & { bytes: Uint8Array })[] = [];
  for (const release of document.releases)
    releases.push({ ...release, bytes: await bundle.read(release.digest) });

  await copyPacks(bundle, missing, sink, step, options);
  await addLayers(bundle, sink, step, options);
  const images = await addImages(bundle, sink, step, options);
  for (const digest of new Set(document.blobs.map((blob) => blob.digest))) {
    await step(`blob ${digest}`);
    await sink.writeBlob(digest, await bundle.read(digest));
  }
  const copiedBytes = sumSizes(missing);
  const skippedBytes = sumSizes(document.packs) - copiedBytes;
  return { signatures, images, releases, blobs: document.blobs, copiedBytes, skippedBytes };
}

type Step = (name: string) => Promise<void>;

function refuseNewerReader(minReader: number): void {
  if (minReader > READER_LEVEL)
    throw bundleProblem("BUNDLE_TOO_NEW", "the bundle uses codings that this version does not know", {
      why: `it needs reader level ${minReader}, this version has ${READER_LEVEL}`,
      hint: "upgrade Sampan here first",
    });
}

/** An increment needs one base whose layers are all held. */
async function requireBase(bundle: Bundle, sink: CargoSink): Promise<void> {
  const bases = bundle.document.requires ?? [];
  if (bundle.document.kind === "full") return;
  const lacks: string[] = [];
  for (const base of bases) {
    let missing = 0;
    for (const diffId of base.diffIds) if (!(await sink.hasLayer(diffId))) missing++;
    if (missing === 0) return;
    lacks.push(`${base.templateName} ${base.version} (lacks ${missing} of ${base.diffIds.length} layers)`);
  }
  const names = bases.map((base) => `${base.templateName} ${base.version}`).join(" or ");
  throw bundleProblem(
    "BUNDLE_BASE_MISSING",
    "the bundle is an increment on a release that is not held here",
    {
      why: `it builds on one of: ${lacks.join("; ")}`,
      hint: `import ${names} first, or ask for a full bundle`,
    },
  );
}

async function missingPacks(packs: readonly BundlePack[], sink: CargoSink): Promise<BundlePack[]> {
  const missing: BundlePack[] = [];
  for (const pack of packs) if (!(await sink.hasPack(pack.digest))) missing.push(pack);
  return missing;
}

async function requireSpace(bundle: Bundle, missing: readonly BundlePack[], sink: CargoSink): Promise<void> {
  const { document } = bundle;
  const others = document.sizes.content - sumSizes(document.packs);
  const needed = Math.ceil((sumSizes(missing) + others) * SPACE_FACTOR) + SPACE_MARGIN_BYTES;
  const free = await sink.freeBytes();
  if (free < needed)
    throw bundleProblem("BUNDLE_NO_SPACE", "the disk has not enough room for the bundle", {
      why: `${needed} bytes are needed (${sumSizes(missing)} of packs not yet held), ${free} are free`,
      hint: "free some, or prune the hold; nothing was changed",
    });
}

async function copyPacks(
  bundle: Bundle,
  missing: readonly BundlePack[],
  sink: CargoSink,
  step: Step,
  options: ImportOptions,
): Promise<void> {
  const total = sumSizes(bundle.document.packs);
  const pace = new Pace(options.throttleBytesPerSecond, options.clock);
  let done = total - sumSizes(missing);
  options.onProgress?.({ stage: "packs", done, total });
  for (const { digest, size } of missing) {
    await step(`pack ${digest}`);
    await sink.addPack({ digest, bytes: await bundle.read(digest) });
    done += size;
    options.onProgress?.({ stage: "packs", done, total });
    await pace.spend(size, options.signal);
  }
}

/** Held layers too are given again: it costs little, and tells the sink that they are still wanted. */
async function addLayers(bundle: Bundle, sink: CargoSink, step: Step, options: ImportOptions): Promise<void> {
  const { layers, sizes } = bundle.document;
  let done = 0;
  for (const { diffId, size, recipe } of layers) {
    await step(`layer ${diffId}`);
    await sink.addLayer({ diffId, recipe: await bundle.read(recipe.digest) }, options.signal);
    done += size;
    options.onProgress?.({ stage: "layers", done, total: sizes.layers });
  }
}

async function addImages(
  bundle: Bundle,
  sink: CargoSink,
  step: Step,
  options: ImportOptions,
): Promise<HeldImage[]> {
  const { images, layers } = bundle.document;
  const layerSizes = new Map(layers.map((layer) => [layer.diffId, layer.size]));
  const held: HeldImage[] = [];
  for (const image of images) {
    await step(`image ${image.imageId}`);
    const added = await sink.addImage({ imageId: image.imageId, config: await bundle.read(image.imageId) });
    requireSameImage(image, added, layerSizes);
    held.push(added);
    options.onProgress?.({ stage: "images", done: held.length, total: images.length });
  }
  return held;
}

/** The document is only a list of what the configs say; one that says otherwise was not made by an honest writer. */
function requireSameImage(
  image: BundleImage,
  added: HeldImage,
  layerSizes: ReadonlyMap<Digest, number>,
): void {
  const same =
    added.imageId === image.imageId &&
    added.os === image.os &&
    added.architecture === image.architecture &&
    added.variant === image.variant &&
    added.layers.length === image.diffIds.length &&
    added.layers.every(
      (layer, index) =>
        layer.diffId === image.diffIds[index] && layer.size === (layerSizes.get(layer.diffId) ?? layer.size),
    );
  if (!same)
    throw bundleProblem(
      "BUNDLE_INVALID",
      `the bundle tells otherwise of image ${image.imageId} than its config`,
      {
        why: "layers, sizes or platform differ",
      },
    );
}

function sumSizes(items: readonly { readonly size: number }[]): number {
  return items.reduce((sum, item) => sum + item.size, 0);
}
