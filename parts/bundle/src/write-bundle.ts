import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { type CargoSource, contentProblem, type Digest, type OnProgress } from "@sampan/content";
import { Bug, isProblem } from "@sampan/problem";
import { type BundleFile, BundleFiles } from "./bundle-files.ts";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf } from "./content-entries.ts";
import { type BundleDocument, type BundleLayer, type BundlePack, parseDocument } from "./document.ts";
import { signEnvelope } from "./envelope.ts";
import { LIMIT } from "./limits.ts";
import { type BundlePlan, type Cargo, planBundle, requireVolumeSize } from "./plan-bundle.ts";
import { bundleProblem } from "./problems.ts";
import { digestOf, PAYLOAD_TYPE, renderRoots } from "./root.ts";
import { writing } from "./tar-file.ts";
import { verifyBundle } from "./verify-bundle.ts";

export interface WriteOptions extends Cargo {
  /** Stages `plan`, `recipes`, `packs` (bytes of packs written; the total is not known before), `blobs`, `verify`. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface WrittenBundle {
  /** Of all files. */
  readonly sizeBytes: number;
  /** Digest of the manifest: names the bundle. */
  readonly digest: Digest;
  readonly document: BundleDocument;
  /** The one at `path`, or with `volumeSizeBytes` the volumes: `shop.sampan` gives `shop.vol01.sampan` and so on. */
  readonly files: readonly BundleFile[];
}

/**
 * Writes a full bundle, or with `bases` an increment; reads it back, and only then gives it its name: until then it is `.part`.
 * Equal inputs give equal bytes. Without signers the bundle is unsigned, and says so.
 * Throws CONTENT_ABSENT, BUNDLE_TOO_LARGE (mostly before anything is written), BUNDLE_NO_SPACE, BUNDLE_UNWRITABLE.
 */
export async function writeBundle(
  source: CargoSource,
  path: string,
  options: WriteOptions,
): Promise<WrittenBundle> {
  requireVolumeSize(options.volumeSizeBytes);
  return writeFiles(source, path, options);
}

/** {@link writeBundle} with volumes of any size. */
export async function writeFiles(
  source: CargoSource,
  path: string,
  options: WriteOptions,
): Promise<WrittenBundle> {
  const { signal } = options;
  options.onProgress?.({ stage: "plan", done: 0 });
  const plan = await planBundle(source, options, { measure: "pieces", ...(signal && { signal }) });
  const files = new BundleFiles(path, plan);
  try {
    const written = await writeParts(source, files, plan, options);
    for (const temporaryPath of files.temporaryPaths) await readBack(temporaryPath, written.digest, options);
    const named = await files.publish();
    await syncFolder(dirname(path));
    return { ...written, files: named, sizeBytes: named.reduce((sum, file) => sum + file.sizeBytes, 0) };
  } catch (error) {
    await files.discard();
    throw error;
  }
}

async function writeParts(
  source: CargoSource,
  files: BundleFiles,
  plan: BundlePlan,
  options: WriteOptions,
): Promise<Pick<WrittenBundle, "digest" | "document">> {
  try {
    await files.begin();
    const layers = await writeRecipes(source, files, plan, options);
    // In volumes packs come last (SPEC.md section 1).
    const inVolumes = plan.volumeSizeBytes !== undefined;
    if (inVolumes) await writeBlobs(source, files, plan, options);
    const packs = await writePacks(source, files, plan, options);
    if (!inVolumes) await writeBlobs(source, files, plan, options);

    const document = finishDocument(plan, { layers, packs, volumes: files.volumes });
    const payload = renderCanonical(document);
    parseDocument(payload);
    const envelope = await signEnvelope({ payloadType: PAYLOAD_TYPE, payload }, options.signers);
    const roots = renderRoots(document, envelope, files.parts);
    if (roots === undefined)
      throw new Bug(`the root does not fit the ${plan.rootBytes} bytes that were left for it`);
    await files.finish(roots.map((root) => root.bytes));
    return { digest: roots[0]!.manifestDigest, document };
  } finally {
    await files.close();
  }
}

/** Image configs, releases, and other blobs. */
async function writeBlobs(
  source: CargoSource,
  files: BundleFiles,
  plan: BundlePlan,
  options: WriteOptions,
): Promise<void> {
  const { images, releases, blobs } = plan.document;
  options.onProgress?.({ stage: "blobs", done: 0 });
  for (const { imageId, configSize } of images) {
    options.signal?.throwIfAborted();
    await files.write(imageId, await readBlob(source, { digest: imageId, size: configSize }));
  }
  const bytesOf = new Map(options.releases.map((release) => [release.digest, release.bytes]));
  for (const { digest } of releases) await files.write(digest, bytesOf.get(digest)!);
  for (const blob of blobs) {
    options.signal?.throwIfAborted();
    await files.write(blob.digest, await readBlob(source, blob));
  }
}

async function readBlob(source: CargoSource, blob: { readonly digest: Digest; readonly size: number }) {
  const bytes = await source.readBlob(blob.digest);
  if (bytes.length !== blob.size || digestOf(bytes) !== blob.digest)
    throw contentProblem("CONTENT_MISMATCH", `blob ${blob.digest} is not as it was announced`, {
      why: `${blob.size} bytes were announced, and ${bytes.length} were read`,
    });
  return bytes;
}

async function writeRecipes(
  source: CargoSource,
  files: BundleFiles,
  plan: BundlePlan,
  options: WriteOptions,
): Promise<BundleLayer[]> {
  const layers: BundleLayer[] = [];
  const diffIds = plan.layers.map((layer) => layer.diffId);
  for await (const recipe of source.recipes(diffIds, plan.base && { base: plan.base })) {
    options.signal?.throwIfAborted();
    const layer = plan.layers[layers.length];
    if (layer?.diffId !== recipe.diffId) throw new Bug(`the recipe of ${recipe.diffId} came out of order`);
    refuseAbove(`the recipe of layer ${layer.diffId}`, recipe.bytes.length, LIMIT.recipeBytes);
    layers.push({ ...layer, recipe: { digest: recipe.digest, size: recipe.bytes.length } });
    await files.write(recipe.digest, recipe.bytes);
    options.onProgress?.({ stage: "recipes", done: layers.length, total: plan.layers.length });
  }
  if (layers.length !== plan.layers.length) throw new Bug("a layer has no recipe");
  return layers;
}

async function writePacks(
  source: CargoSource,
  files: BundleFiles,
  plan: BundlePlan,
  options: WriteOptions,
): Promise<BundlePack[]> {
  const { level, signal, onProgress } = options;
  const { packSizeBytes, base } = plan;
  const diffIds = plan.layers.map((layer) => layer.diffId);
  const packing = { level, packSizeBytes, ...(base && { base }), ...(signal && { signal }) };
  const packs: BundlePack[] = [];
  let done = 0;
  for await (const pack of source.packs(diffIds, packing)) {
    signal?.throwIfAborted();
    refuseAbove(`pack ${pack.digest}`, pack.bytes.length, LIMIT.packBytes);
    packs.push({ digest: pack.digest, size: pack.bytes.length });
    if (packs.length > plan.packsMax) throw new Bug(`more than ${plan.packsMax} packs came out`);
    await files.write(pack.digest, pack.bytes);
    done += pack.bytes.length;
    onProgress?.({ stage: "packs", done, note: `${packs.length} packs` });
  }
  return packs;
}

function finishDocument(
  plan: BundlePlan,
  made: {
    readonly layers: readonly BundleLayer[];
    readonly packs: readonly BundlePack[];
    readonly volumes: BundleDocument["volumes"] | undefined;
  },
): BundleDocument {
  const { layers, packs, volumes } = made;
  const parts = { ...plan.document, layers, packs, ...(volumes && { volumes }) };
  const sizes = {
    root: plan.rootBytes,
    layers: layers.reduce((sum, layer) => sum + layer.size, 0),
    pieces: plan.pieceBytes,
    content: contentOf(parts).reduce((sum, entry) => sum + entry.size, 0),
  };
  return { ...parts, sizes };
}

async function readBack(part: string, digest: Digest, options: WriteOptions): Promise<void> {
  const { onProgress, signal } = options;
  try {
    const read = await verifyBundle(part, { ...(onProgress && { onProgress }), ...(signal && { signal }) });
    if (read.manifestDigest !== digest) throw new Bug("another bundle was read back");
  } catch (cause) {
    if (!isProblem(cause)) throw cause;
    throw bundleProblem("BUNDLE_UNWRITABLE", `what was written to ${part} does not read back`, {
      why: `${cause.message}: ${cause.why ?? ""}`,
      hint: "the medium, the memory or the hold is damaged: check the hold, then write to another disk",
      cause,
    });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await writing(path, () => open(path, "r"));
  try {
    await folder.sync();
  } catch {
    // Some file systems on sticks cannot sync a folder; the file itself is synced.
  } finally {
    await folder.close();
  }
}

function refuseAbove(what: string, sizeBytes: number, sizeBytesMax: number): void {
  if (sizeBytes > sizeBytesMax)
    throw bundleProblem("BUNDLE_TOO_LARGE", `${what} does not fit into a bundle`, {
      why: `it has ${sizeBytes} bytes, at most ${sizeBytesMax} are allowed`,
    });
}
