import type { Digest } from "./digest.ts";

/** What points at content: its type, digest and exact size in bytes (OCI image-spec, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const MEDIA_TYPE = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  ociLayerTar: "application/vnd.oci.image.layer.v1.tar",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerManifestList: "application/vnd.docker.distribution.manifest.list.v2+json",
  octetStream: "application/octet-stream",
  bundle: "application/vnd.sampan.bundle.v1",
  bundleEnvelope: "application/vnd.sampan.bundle.envelope.v1+json",
  recipes: "application/vnd.sampan.recipe.v1",
  pack: "application/vnd.sampan.pack.v1",
  release: "application/vnd.sampan.release.v1+json",
} as const;

/** An image, known by its image ID: the digest of its config. Layers are known by diffID: the digest of the uncompressed tar. */
export interface HeldImage {
  readonly imageId: Digest;
  /** The remade manifest: config byte for byte, layers as uncompressed tars. */
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly { readonly diffId: Digest; readonly size: number }[];
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}
