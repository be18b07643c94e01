import { type Digest, isDigest } from "@sampan/content";
import { registryProblem } from "./problems.ts";

const REPOSITORY_LENGTH_MAX = 255;
const PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
/** distribution-spec 1.1, "Pulling manifests". */
const REPOSITORY = new RegExp(`^${PART}(?:/${PART})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** The repository of all images that are held: read-only, the tag is the 64 hex digits of the image ID. */
export const IMAGES = "images";

/** Throws REGISTRY_NAME_INVALID. */
export function parseRepository(text: string): string {
  if (text.length > REPOSITORY_LENGTH_MAX || !REPOSITORY.test(text))
    throw registryProblem("REGISTRY_NAME_INVALID", "the name of the repository is not allowed");
  return text;
}

/** Throws REGISTRY_DIGEST_INVALID. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text))
    throw registryProblem(
      "REGISTRY_DIGEST_INVALID",
      "the digest is not sha256: and 64 lower-case hex digits",
    );
  return text;
}

export type ManifestName =
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "digest"; readonly digest: Digest };

/** Throws REGISTRY_DIGEST_INVALID, REGISTRY_TAG_INVALID. */
export function parseManifestName(text: string): ManifestName {
  if (text.includes(":")) return { kind: "digest", digest: parseDigest(text) };
  if (!TAG.test(text)) throw registryProblem("REGISTRY_TAG_INVALID", "the tag is not allowed");
  return { kind: "tag", tag: text };
}

/**
 * Names in the content store. They keep repositories apart, and protect what they point at from pruning. A tag and a digest hold no
 * slash, so the last two parts always say what the name is, however the repository is called.
 */
export const referenceName = {
  tag: (repository: string, tag: string) => `registry/${repository}/tags/${tag}`,
  tags: (repository: string) => `registry/${repository}/tags/`,
  blob: (repository: string, digest: Digest) => `registry/${repository}/blobs/${digest}`,
  manifest: (repository: string, digest: Digest) => `registry/${repository}/manifests/${digest}`,
  manifests: (repository: string) => `registry/${repository}/manifests/`,
  referrer: (repository: string, subject: Digest, digest: Digest) =>
    `registry/${repository}/referrers/${subject}/${digest}`,
  referrers: (repository: string, subject: Digest) => `registry/${repository}/referrers/${subject}/`,
  all: "registry/",
} as const;

/** The repository of a manifest's reference name; undefined for every other name. */
export function repositoryOfManifest(name: string): string | undefined {
  const match = /^registry\/(.+)\/manifests\/sha256:[0-9a-f]{64}$/.exec(name);
  return match?.[1];
}
