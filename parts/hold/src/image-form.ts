import { type Descriptor, type Digest, type HeldImage, isDigest, MEDIA_TYPE } from "@sampan/content";
import { digestOf } from "./hold-files.ts";
import { holdProblem } from "./problems.ts";

export const IMAGE_LIMITS = { configSizeMax: 4 * 1024 * 1024, layersMax: 512, textMax: 128 } as const;

/** What an image's config says of it (OCI image-spec, "Image Configuration"). */
export interface ImageConfig {
  readonly diffIds: readonly Digest[];
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Throws HOLD_IMAGE_INVALID. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  if (bytes.length > IMAGE_LIMITS.configSizeMax) throw invalid("its config is too large");
  const config = parseJson(bytes);
  if (!isObject(config) || !isObject(config.rootfs)) throw invalid("its config tells of no layers");
  const diffIds = config.rootfs.diff_ids ?? [];
  if (!Array.isArray(diffIds) || diffIds.length > IMAGE_LIMITS.layersMax || !diffIds.every(isDigest))
    throw invalid("its config does not name its layers by sha256");
  const { os, architecture, variant } = config;
  if (!isText(os) || !isText(architecture)) throw invalid("its config tells no platform");
  return { diffIds, os, architecture, ...(isText(variant) ? { variant } : {}) };
}

/** The manifest that an image has here: its config byte for byte, its layers as plain tars. A function of the two alone. */
export function remakeImage(
  config: Uint8Array,
  parsed: ImageConfig,
  sizes: readonly number[],
): { readonly image: HeldImage; readonly manifest: Uint8Array } {
  const imageId = digestOf(config);
  const configDescriptor: Descriptor = {
    mediaType: MEDIA_TYPE.ociConfig,
    digest: imageId,
    size: config.length,
  };
  const layers = parsed.diffIds.map((diffId, index) => ({ diffId, size: sizes[index]! }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: configDescriptor,
      layers: layers.map(({ diffId, size }) => ({ mediaType: MEDIA_TYPE.ociLayerTar, digest: diffId, size })),
    }),
  );
  const image: HeldImage = {
    imageId,
    manifest: { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(manifest), size: manifest.length },
    config: configDescriptor,
    layers,
    os: parsed.os,
    architecture: parsed.architecture,
    ...(parsed.variant === undefined ? {} : { variant: parsed.variant }),
  };
  return { image, manifest };
}

/** What a manifest or index blob points at; empty when it is neither. Only digests are taken: sizes and types are not trusted. */
export function linksOf(bytes: Uint8Array): {
  readonly config?: Digest;
  readonly layers: readonly Digest[];
  readonly manifests: readonly Digest[];
} {
  const document = parseJson(bytes);
  if (!isObject(document)) return { layers: [], manifests: [] };
  const digests = (list: unknown) =>
    (Array.isArray(list) ? list : [])
      .map((item: unknown) => (isObject(item) ? item.digest : undefined))
      .filter(isDigest);
  const config = isObject(document.config) ? document.config.digest : undefined;
  return {
    ...(isDigest(config) ? { config } : {}),
    layers: digests(document.layers),
    manifests: digests(document.manifests),
  };
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= IMAGE_LIMITS.textMax;
}

function invalid(why: string): Error {
  return holdProblem("HOLD_IMAGE_INVALID", "this is no container image that can be held", { why });
}
