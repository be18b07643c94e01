import {
  type CargoSource,
  contentProblem,
  type Digest,
  digestFromHex,
  type HeldImage,
} from "@sampan/content";
import { Bug, isProblem } from "@sampan/problem";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf } from "./content-entries.ts";
import {
  type BundleBlob,
  type BundleDocument,
  type BundleImage,
  type BundleRelease,
  FORMAT_VERSION,
  parseDocument,
  READER_LEVEL,
} from "./document.ts";
import { type Envelope, renderEnvelope } from "./envelope.ts";
import type { Signer } from "./keys.ts";
import { LIMIT } from "./limits.ts";
import { bundleProblem } from "./problems.ts";
import { digestOf, PAYLOAD_TYPE, renderManifest, rootBytesMin } from "./root.ts";
import { BLOCK } from "./tar-entry.ts";

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

export interface Cargo {
  readonly releases: readonly ReleaseCargo[];
  /** SBOMs, documents, logos: read from the source by digest. */
  readonly blobs: readonly BundleBlob[];
  /** Product and version, such as `sampan/0.1.0`. */
  readonly createdBy: string;
  readonly packSizeBytes: number;
  readonly signers: readonly Signer[];
}

/** All that is known of a bundle before packing. `document` lacks what packing tells. */
export interface BundlePlan {
  readonly document: Omit<BundleDocument, "layers" | "packs" | "sizes">;
  readonly layers: readonly { readonly diffId: Digest; readonly size: number }[];
  readonly pieceBytes: number;
  readonly packsMax: number;
  /** What is left at the front of the file (SPEC.md section 8). */
  readonly rootBytes: number;
}

/** Gathers images and layers, and tells how large the root can become. Throws CONTENT_ABSENT, BUNDLE_TOO_LARGE. */
export async function planBundle(source: CargoSource, cargo: Cargo): Promise<BundlePlan> {
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
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.diffId, layer.size])));
  const document = {
    formatVersion: FORMAT_VERSION,
    kind: "full",
    createdBy: cargo.createdBy,
    policy: { minReader: READER_LEVEL },
    releases: cargo.releases.map(releaseRow).sort(by((row) => `${row.templateId}\u0000${row.digest}`)),
    images: images.map(imageRow),
    blobs: cargo.blobs.map(blobRow).sort(by((row) => `${row.digest}\u0000${row.role}`)),
  } as const;
  const measured = await source.measure([...layers.keys()]);
  const plan = {
    document,
    layers: [...layers].map(([diffId, size]) => ({ diffId, size })),
    pieceBytes: measured.pieceBytes,
    packsMax: packsAtMost(measured, cargo.packSizeBytes),
  };
  return { ...plan, rootBytes: rootAtMost(plan, cargo.signers) };
}

/** Two packs in a row are more than one full pack, in bytes or in pieces (the hold's are at most 8192). */
function packsAtMost(
  measured: { readonly pieceCount: number; readonly pieceBytes: number },
  packSizeBytes: number,
): number {
  const rawBytes = Math.min(packSizeBytes, LIMIT.packRawBytes);
  return 2 * Math.ceil(measured.pieceBytes / rawBytes) + Math.ceil(measured.pieceCount / 2048) + 2;
}

/** The root of the largest document that can come out: made for real, with made-up digests and the largest numbers. */
function rootAtMost(plan: Omit<BundlePlan, "rootBytes">, signers: readonly Signer[]): number {
  const madeUp = (number: number) => digestFromHex(number.toString(16).padStart(64, "0"));
  const layers = plan.layers.map((layer, index) => ({
    ...layer,
    recipe: { digest: madeUp(index), size: LIMIT.recipeBytes },
  }));
  const packs = Array.from({ length: Math.min(plan.packsMax, LIMIT.entries + 1) }, (_, index) => ({
    digest: madeUp(layers.length + index),
    size: LIMIT.packBytes,
  }));
  const content = contentOf({ ...plan.document, layers, packs });
  const document: BundleDocument = {
    ...plan.document,
    layers,
    packs,
    sizes: {
      root: Number.MAX_SAFE_INTEGER + 1 - BLOCK,
      layers: layers.reduce((sum, layer) => sum + layer.size, 0),
      pieces: plan.pieceBytes,
      content: content.reduce((sum, entry) => sum + entry.size, 0),
    },
  };
  const payload = renderCanonical(document);
  checkDocument(payload);
  const signatures = signers.map(({ keyId }) => ({ keyId, signature: Buffer.alloc(64) }));
  const envelope: Envelope = { payloadType: PAYLOAD_TYPE, payload, signatures };
  const manifestBytes = renderManifest(document, renderEnvelope(envelope)).length;
  refuseAbove("the bundle's document", payload.length, LIMIT.documentBytes);
  refuseAbove("the list of the bundle's parts", manifestBytes, LIMIT.manifestBytes);
  return rootBytesMin(document, envelope);
}

function checkDocument(payload: Buffer): void {
  try {
    parseDocument(payload);
  } catch (error) {
    if (!isProblem(error)) throw error;
    throw bundleProblem("BUNDLE_TOO_LARGE", "what is to be exported does not fit into one bundle", {
      why: "the format has limits for counts, sizes and texts",
      hint: "export fewer releases at once, or shorten what the faults name",
      faults: error.faults,
    });
  }
}

function refuseAbove(what: string, sizeBytes: number, sizeBytesMax: number): void {
  if (sizeBytes > sizeBytesMax)
    throw bundleProblem("BUNDLE_TOO_LARGE", "what is to be exported does not fit into one bundle", {
      why: `${what} could take ${sizeBytes} bytes, at most ${sizeBytesMax} are allowed`,
      hint: "export fewer releases at once",
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
