import type { CargoSink, Descriptor, Digest, HeldImage, OnProgress } from "@sampan/content";
import { MEDIA_TYPE } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import type { Bundle } from "./bundle.ts";
import { DamageList } from "./damage-list.ts";
import {
  type BundleBlob,
  type BundleImage,
  type BundlePack,
  type BundleRelease,
  READER_LEVEL,
} from "./document.ts";
import { renderEnvelope, type SignatureReport } from "./envelope.ts";
import { lackingEntries, volumesOf } from "./lacking-entries.ts";
import { Pace, type PaceClock } from "./pace.ts";
import { bundleProblem } from "./problems.ts";
import { requireBase } from "./require-base.ts";
import { renderManifest } from "./root.ts";
import { requireTrust, type Trust } from "./trust.ts";

const SPACE_FACTOR = 1.05;
const SPACE_MARGIN_BYTES = 64 * 1024 * 1024;

export interface ImportOptions {
  readonly trust: Trust;
  /**
   * Of a volume or a repair: called with the bundle's manifest, which the sink then has as a blob, before anything of it is kept. Until a
   * reference points at it, what came can be pruned after an hour. Remove the reference when the bundle is complete and its releases are protected.
   */
  readonly protect?: (manifest: Descriptor) => Promise<void>;
  /** Stages `packs` (bytes), `layers` (bytes of the layers), `images` (count). */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Packs are copied no faster than this. */
  readonly throttleBytesPerSecond?: number;
  /** For the throttle; the machine's own when absent. */
  readonly clock?: PaceClock;
  /** Called before each step, with its name: `trust`, `base`, `space`, `keep`, `pack <digest>`, `releases`, `layer <diffID>`, `image <ID>`, `blob <digest>`. */
  readonly onStep?: (name: string) => void | Promise<void>;
}

export interface ImportedBundle {
  readonly signatures: SignatureReport;
  /** False: this file was taken, but others are still to come. Then there are no images and no releases yet. */
  readonly complete: boolean;
  /** Volumes that something is still wanted of; `[1]` when the bundle itself is one file, and this one a repair. */
  readonly missing: readonly number[];
  readonly images: readonly HeldImage[];
  /** The releases' JSON, checked against their digests. To be published by the caller, in one transaction. */
  readonly releases: readonly (BundleRelease & { readonly bytes: Uint8Array })[];
  readonly blobs: readonly BundleBlob[];
  /** Bytes of packs. */
  readonly copiedBytes: number;
  /** Bytes of packs of this file that the sink had. */
  readonly skippedBytes: number;
}

/**
 * Copies the content of a file into a sink: trust, base and space are checked first. When the sink then has all of the bundle, layers are
 * replayed, and images and blobs added; else the result says which volumes are missing. They come in any order.
 * Stopped anywhere, it goes on where it was when called again; what a stopped import leaves is whole, verified, and reached by nothing
 * but what `protect` made. Damage does not stop it at once: what is whole is kept, so that another copy or a repair has less to bring.
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
  await requireBase(document, sink);
  await step("space");
  const missingPacks = await packsNotHeld(document.packs, sink);
  await requireSpace(bundle, missingPacks, sink);

  const intake: Intake = { bundle, sink, step, options };
  const damage = new DamageList();
  if (bundle.part.kind !== "whole") await keepBlobs(intake, damage);
  const packs = {
    all: document.packs.filter((pack) => bundle.has(pack.digest)),
    missing: missingPacks.filter((pack) => bundle.has(pack.digest)),
  };
  await copyPacks(intake, packs, damage);
  damage.throwIfAny(bundle, "what is whole was kept: import another copy, or ask for a repair");

  const copiedBytes = sumSizes(packs.missing);
  const done = { signatures, copiedBytes, skippedBytes: sumSizes(packs.all) - copiedBytes };
  const isAtHand = (digest: Digest) => bundle.part.kind === "whole" && bundle.has(digest);
  const lacking = await lackingEntries(document, sink, isAtHand);
  if (lacking.length > 0)
    return { ...done, complete: false, missing: volumesOf(lacking), images: [], releases: [], blobs: [] };
  return { ...done, complete: true, missing: [], ...(await finishImport(intake)) };
}

type Step = (name: string) => Promise<void>;

interface Intake {
  readonly bundle: Bundle;
  readonly sink: CargoSink;
  readonly step: Step;
  readonly options: ImportOptions;
}

async function finishImport(intake: Intake): Promise<Pick<ImportedBundle, "images" | "releases" | "blobs">> {
  const { sink, step } = intake;
  const { document } = intake.bundle;
  await step("releases");
  const releases: (BundleRelease & { bytes: Uint8Array })[] = [];
  for (const release of document.releases)
    releases.push({ ...release, bytes: await readBlob(intake, release.digest) });
  await addLayers(intake);
  const images = await addImages(intake);
  for (const digest of new Set(document.blobs.map((blob) => blob.digest))) {
    await step(`blob ${digest}`);
    await sink.writeBlob(digest, await readBlob(intake, digest));
  }
  return { images, releases, blobs: document.blobs };
}

/** What a repair has brought counts when the file itself is damaged there. */
async function readBlob({ bundle, sink }: Intake, digest: Digest): Promise<Uint8Array> {
  if (!bundle.has(digest)) return sink.readBlob(digest);
  try {
    return await bundle.read(digest);
  } catch (error) {
    if (!isProblem(error, "BUNDLE_DAMAGED") || (await sink.stat(digest)) === undefined) throw error;
    return sink.readBlob(digest);
  }
}

function refuseNewerReader(minReader: number): void {
  if (minReader > READER_LEVEL)
    throw bundleProblem("BUNDLE_TOO_NEW", "the bundle uses codings that this version does not know", {
      why: `it needs reader level ${minReader}, this version has ${READER_LEVEL}`,
      hint: "upgrade Sampan here first",
    });
}

async function packsNotHeld(packs: readonly BundlePack[], sink: CargoSink): Promise<BundlePack[]> {
  const missing: BundlePack[] = [];
  for (const pack of packs) if (!(await sink.hasPack(pack.digest))) missing.push(pack);
  return missing;
}

/** For all that is still to come, also in other volumes: who is short of room wants to know it before the last one. */
async function requireSpace(bundle: Bundle, missing: readonly BundlePack[], sink: CargoSink): Promise<void> {
  const { document } = bundle;
  const packBytes = sumSizes(document.packs);
  const others = document.sizes.content - packBytes;
  // Packs told by a base are kept without it, and grow: to their raw bytes at most.
  const grown = document.kind === "full" ? 0 : (document.sizes.pieces * sumSizes(missing)) / (packBytes || 1);
  const missingBytes = Math.ceil(Math.max(sumSizes(missing), grown));
  const needed = Math.ceil((missingBytes + others) * SPACE_FACTOR) + SPACE_MARGIN_BYTES;
  const free = await sink.freeBytes();
  if (free < needed)
    throw bundleProblem("BUNDLE_NO_SPACE", "the disk has not enough room for the bundle", {
      why: `${needed} bytes are needed (${missingBytes} of packs not yet held), ${free} are free`,
      hint: "free some, or prune the hold; nothing was changed",
    });
}

/** What a part has besides packs waits in the sink for the other parts. */
async function keepBlobs({ bundle, sink, step, options }: Intake, damage: DamageList): Promise<void> {
  const { document, envelope, manifestDigest } = bundle;
  await step("keep");
  const manifest = renderManifest(document, renderEnvelope(envelope));
  await sink.writeBlob(manifestDigest, manifest);
  await options.protect?.({
    mediaType: MEDIA_TYPE.ociManifest,
    digest: manifestDigest,
    size: manifest.length,
  });
  const wanted = new Set([
    ...document.layers.map((layer) => layer.recipe.digest),
    ...document.images.map((image) => image.imageId),
    ...[...document.releases, ...document.blobs].map((blob) => blob.digest),
  ]);
  for (const entry of bundle.content) {
    if (!wanted.has(entry.digest) || (await sink.stat(entry.digest)) !== undefined) continue;
    await step(`blob ${entry.digest}`);
    const bytes = await damage.run(entry, () => bundle.read(entry.digest));
    if (bytes !== undefined) await sink.writeBlob(entry.digest, bytes);
  }
}

async function copyPacks(
  { bundle, sink, step, options }: Intake,
  packs: { readonly all: readonly BundlePack[]; readonly missing: readonly BundlePack[] },
  damage: DamageList,
): Promise<void> {
  const total = sumSizes(packs.all);
  const pace = new Pace(options.throttleBytesPerSecond, options.clock);
  const entries = new Map(bundle.content.map((entry) => [entry.digest, entry]));
  let done = total - sumSizes(packs.missing);
  options.onProgress?.({ stage: "packs", done, total });
  for (const { digest, size } of packs.missing) {
    await step(`pack ${digest}`);
    const bytes = await damage.run(entries.get(digest)!, () => bundle.read(digest));
    if (bytes !== undefined) await sink.addPack({ digest, bytes });
    if (damage.isFull) return;
    done += size;
    options.onProgress?.({ stage: "packs", done, total });
    await pace.spend(size, options.signal);
  }
}

/** Held layers too are given again: it costs little, and tells the sink that they are still wanted. */
async function addLayers(intake: Intake): Promise<void> {
  const { bundle, sink, step, options } = intake;
  const { layers, sizes } = bundle.document;
  let done = 0;
  for (const { diffId, size, recipe } of layers) {
    await step(`layer ${diffId}`);
    // Of a layer that is held, the recipe need not have come with any part.
    const isHere = bundle.has(recipe.digest) || (await sink.stat(recipe.digest)) !== undefined;
    if (isHere)
      await sink.addLayer({ diffId, recipe: await readBlob(intake, recipe.digest) }, options.signal);
    done += size;
    options.onProgress?.({ stage: "layers", done, total: sizes.layers });
  }
}

async function addImages(intake: Intake): Promise<HeldImage[]> {
  const { sink, step, options } = intake;
  const { images, layers } = intake.bundle.document;
  const layerSizes = new Map(layers.map((layer) => [layer.diffId, layer.size]));
  const held: HeldImage[] = [];
  for (const image of images) {
    await step(`image ${image.imageId}`);
    const config = await readBlob(intake, image.imageId);
    const added = await sink.addImage({ imageId: image.imageId, config });
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
