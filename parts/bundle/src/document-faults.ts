import type { Digest } from "@sampan/content";
import type { Fault } from "@sampan/problem";
import { contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import type { BundleDocument } from "./document.ts";
import { LIMIT } from "./limits.ts";
import { END_BYTES, entryBytes } from "./tar-entry.ts";

export const FAULTS_MAX = 100;

/** The demands of SPEC.md section 6 that a schema cannot say. Empty when all hold. */
export function documentFaults(document: BundleDocument): Fault[] {
  const rules = [orderFaults, referenceFaults, baseFaults, sizeFaults, volumeFaults];
  return rules.flatMap((rule) => rule(document)).slice(0, FAULTS_MAX);
}

function orderFaults(document: BundleDocument): Fault[] {
  return [
    ...unsorted(
      "releases",
      document.releases.map((release) => `${release.templateId}\u0000${release.digest}`),
    ),
    ...unsorted(
      "images",
      document.images.map((image) => image.imageId),
    ),
    ...unsorted(
      "blobs",
      document.blobs.map((blob) => `${blob.digest}\u0000${blob.role}`),
    ),
    ...repeated(
      "releases",
      document.releases.map((release) => release.digest),
    ),
    ...repeated(
      "layers",
      document.layers.map((layer) => layer.diffId),
    ),
    ...repeated(
      "packs",
      document.packs.map((pack) => pack.digest),
    ),
  ];
}

function unsorted(path: string, keys: readonly string[]): Fault[] {
  return keys.flatMap((key, index) =>
    index > 0 && key <= keys[index - 1]!
      ? [{ path: `${path}.${index}`, message: "is out of order or named twice" }]
      : [],
  );
}

function repeated(path: string, names: readonly Digest[]): Fault[] {
  const seen = new Set<Digest>();
  return names.flatMap((name, index) => {
    if (seen.has(name)) return [{ path: `${path}.${index}`, message: "is named twice" }];
    seen.add(name);
    return [];
  });
}

function referenceFaults(document: BundleDocument): Fault[] {
  const faults: Fault[] = [];
  const images = new Set(document.images.map((image) => image.imageId));
  const released = new Set(document.releases.flatMap((release) => release.images));
  for (const [index, release] of document.releases.entries())
    if (release.images.some((image) => !images.has(image)))
      faults.push({ path: `releases.${index}.images`, message: "names an image that is not in the bundle" });

  const carried = new Set(document.layers.map((layer) => layer.diffId));
  const bases = (document.requires ?? []).map((base) => new Set(base.diffIds));
  const known = (diffId: Digest) =>
    carried.has(diffId) || (bases.length > 0 && bases.every((base) => base.has(diffId)));
  const used = new Set<Digest>();
  for (const [index, image] of document.images.entries()) {
    if (!released.has(image.imageId))
      faults.push({ path: `images.${index}`, message: "is in no release of the bundle" });
    if (!image.diffIds.every(known))
      faults.push({ path: `images.${index}.diffIds`, message: "names a layer that is not in the bundle" });
    for (const diffId of image.diffIds) if (carried.has(diffId)) used.add(diffId);
  }
  const firstUse = [...used];
  for (const [index, layer] of document.layers.entries())
    if (layer.diffId !== firstUse[index])
      faults.push({ path: `layers.${index}`, message: "is not in the order of first use, or not used" });
  return faults;
}

function baseFaults(document: BundleDocument): Fault[] {
  const bases = document.requires?.length ?? 0;
  if (document.kind === "increment" && bases === 0)
    return [{ path: "requires", message: "is empty, but an increment has a base" }];
  if (document.kind === "full" && document.requires !== undefined)
    return [{ path: "requires", message: "is there, but a full bundle has no base" }];
  return [];
}

function sizeFaults(document: BundleDocument): Fault[] {
  const faults: Fault[] = [];
  const content = contentOf(document);
  if (content.length > LIMIT.entries)
    faults.push({
      path: "",
      message: `lists ${content.length} entries, at most ${LIMIT.entries} are allowed`,
    });
  const sums = {
    layers: document.layers.reduce((sum, layer) => sum + layer.size, 0),
    content: content.reduce((sum, entry) => sum + entry.size, 0),
  };
  for (const key of ["layers", "content"] as const)
    if (document.sizes[key] !== sums[key])
      faults.push({
        path: `sizes.${key}`,
        message: `is ${document.sizes[key]}, but its parts sum to ${sums[key]}`,
      });
  if (document.sizes.root % 512 !== 0)
    faults.push({ path: "sizes.root", message: "is not a multiple of 512" });

  const sizes = new Map<Digest, number>([[EMPTY_CONFIG.digest, EMPTY_CONFIG.size]]);
  for (const { digest, size } of mentions(document)) {
    if ((sizes.get(digest) ?? size) !== size)
      faults.push({ path: "", message: `gives two sizes for ${digest}` });
    sizes.set(digest, size);
  }
  return faults;
}

/** Each volume has whole entries, and the size that follows from them. */
function volumeFaults(document: BundleDocument): Fault[] {
  if (document.volumes === undefined) return [];
  const content = contentOf(document);
  const counted = document.volumes.reduce((sum, volume) => sum + volume.entries, 0);
  if (counted !== content.length)
    return [
      { path: "volumes", message: `have ${counted} entries, but ${content.length} are in the document` },
    ];
  const sizes = document.volumes.map(() => document.sizes.root + END_BYTES);
  for (const { volume, size } of content) sizes[volume - 1]! += entryBytes(size);
  return document.volumes.flatMap(({ size }, index) =>
    size === sizes[index]
      ? []
      : [{ path: `volumes.${index}.size`, message: `is ${size}, but its parts sum to ${sizes[index]}` }],
  );
}

function mentions(document: BundleDocument): { readonly digest: Digest; readonly size: number }[] {
  return [
    ...document.layers.map((layer) => layer.recipe),
    ...document.packs,
    ...document.images.map((image) => ({ digest: image.imageId, size: image.configSize })),
    ...document.releases,
    ...document.blobs,
  ];
}
