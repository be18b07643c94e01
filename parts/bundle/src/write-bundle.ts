import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type CargoSource, contentProblem, type Digest, type OnProgress } from "@sampan/content";
import { Bug, isProblem } from "@sampan/problem";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import { type BundleDocument, type BundleLayer, type BundlePack, parseDocument } from "./document.ts";
import { signEnvelope } from "./envelope.ts";
import { LIMIT } from "./limits.ts";
import { type BundlePlan, type Cargo, planBundle } from "./plan-bundle.ts";
import { bundleProblem } from "./problems.ts";
import { blobName, digestOf, PAYLOAD_TYPE, renderRoot } from "./root.ts";
import { TarFile, writing } from "./tar-file.ts";
import { verifyBundle } from "./verify-bundle.ts";

export interface WriteOptions extends Cargo {
  /** zstd level of the packs. */
  readonly level: number;
  /** Stages `plan`, `recipes`, `packs` (bytes of packs written; the total is not known before), `blobs`, `verify`. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface WrittenBundle {
  readonly sizeBytes: number;
  /** Digest of the manifest: names the bundle. */
  readonly digest: Digest;
  readonly document: BundleDocument;
}

/**
 * Writes a full bundle, reads it back, and only then gives it its name: until then it is `path` + `.part`.
 * Equal inputs give equal bytes. Without signers the bundle is unsigned, and says so.
 * Throws CONTENT_ABSENT, BUNDLE_TOO_LARGE (both before anything is written), BUNDLE_NO_SPACE, BUNDLE_UNWRITABLE.
 */
export async function writeBundle(
  source: CargoSource,
  path: string,
  options: WriteOptions,
): Promise<WrittenBundle> {
  const part = `${path}.part`;
  options.onProgress?.({ stage: "plan", done: 0 });
  const plan = await planBundle(source, options);
  try {
    const written = await writePart(source, part, plan, options);
    await readBack(part, written.digest, options);
    await writing(path, () => rename(part, path));
    await syncFolder(dirname(path));
    return written;
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function writePart(
  source: CargoSource,
  part: string,
  plan: BundlePlan,
  options: WriteOptions,
): Promise<WrittenBundle> {
  const file = await TarFile.create(part, plan.rootBytes);
  try {
    const writer = new BlobWriter(file, options.signal);
    const layers = await writeRecipes(source, writer, plan, options);
    const packs = await writePacks(source, writer, plan, options);
    options.onProgress?.({ stage: "blobs", done: 0 });
    for (const { imageId, configSize } of plan.document.images)
      await writer.write(imageId, await readBlob(source, { digest: imageId, size: configSize }));
    const releases = new Map(options.releases.map((release) => [release.digest, release.bytes]));
    for (const { digest } of plan.document.releases) await writer.write(digest, releases.get(digest)!);
    for (const blob of plan.document.blobs) await writer.write(blob.digest, await readBlob(source, blob));

    const document = finishDocument(plan, layers, packs);
    const payload = renderCanonical(document);
    parseDocument(payload);
    const envelope = await signEnvelope({ payloadType: PAYLOAD_TYPE, payload }, options.signers);
    const root = renderRoot(document, envelope);
    if (root === undefined)
      throw new Bug(`the root does not fit the ${plan.rootBytes} bytes that were left for it`);
    const sizeBytes = await file.finish(root.bytes);
    return { sizeBytes, digest: root.manifestDigest, document };
  } finally {
    await file.close();
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

/** Writes each digest once. */
class BlobWriter {
  readonly #file: TarFile;
  readonly #signal: AbortSignal | undefined;
  readonly #written = new Set<Digest>([EMPTY_CONFIG.digest]);

  constructor(file: TarFile, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#signal = signal;
  }

  async write(digest: Digest, bytes: Uint8Array): Promise<void> {
    this.#signal?.throwIfAborted();
    if (this.#written.has(digest)) return;
    this.#written.add(digest);
    await this.#file.append(blobName(digest), bytes);
  }
}

async function writeRecipes(
  source: CargoSource,
  writer: BlobWriter,
  plan: BundlePlan,
  options: WriteOptions,
): Promise<BundleLayer[]> {
  const layers: BundleLayer[] = [];
  for await (const recipe of source.recipes(plan.layers.map((layer) => layer.diffId))) {
    const layer = plan.layers[layers.length];
    if (layer?.diffId !== recipe.diffId) throw new Bug(`the recipe of ${recipe.diffId} came out of order`);
    refuseAbove(`the recipe of layer ${layer.diffId}`, recipe.bytes.length, LIMIT.recipeBytes);
    layers.push({ ...layer, recipe: { digest: recipe.digest, size: recipe.bytes.length } });
    await writer.write(recipe.digest, recipe.bytes);
    options.onProgress?.({ stage: "recipes", done: layers.length, total: plan.layers.length });
  }
  if (layers.length !== plan.layers.length) throw new Bug("a layer has no recipe");
  return layers;
}

async function writePacks(
  source: CargoSource,
  writer: BlobWriter,
  plan: BundlePlan,
  options: WriteOptions,
): Promise<BundlePack[]> {
  const { level, packSizeBytes, signal, onProgress } = options;
  const diffIds = plan.layers.map((layer) => layer.diffId);
  const packs: BundlePack[] = [];
  let done = 0;
  for await (const pack of source.packs(diffIds, { level, packSizeBytes, ...(signal && { signal }) })) {
    refuseAbove(`pack ${pack.digest}`, pack.bytes.length, LIMIT.packBytes);
    packs.push({ digest: pack.digest, size: pack.bytes.length });
    if (packs.length > plan.packsMax) throw new Bug(`more than ${plan.packsMax} packs came out`);
    await writer.write(pack.digest, pack.bytes);
    done += pack.bytes.length;
    onProgress?.({ stage: "packs", done, note: `${packs.length} packs` });
  }
  return packs;
}

function finishDocument(
  plan: BundlePlan,
  layers: readonly BundleLayer[],
  packs: readonly BundlePack[],
): BundleDocument {
  const parts = { ...plan.document, layers, packs };
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
