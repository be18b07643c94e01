import { type Descriptor, type Digest, isDigest, MEDIA_TYPE } from "@sampan/content";
import { registryProblem } from "./problems.ts";

const REFERENCES_MAX = 10_000;

/** Layers that may not be distributed are fetched elsewhere, so a registry need not have them. */
const ABSENT_ALLOWED = /nondistributable|\.foreign\./;

/** What the registry reads of a manifest; everything else is kept byte for byte. */
export interface ManifestForm {
  readonly mediaType: string;
  /** Config and layers that must be there as blobs. */
  readonly blobs: readonly Descriptor[];
  /** Manifests that an index lists. */
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The image's ID, for a manifest of an image. */
  readonly configDigest?: Digest;
}

type Fields = Readonly<Record<string, unknown>>;

const IMAGE_TYPES: readonly string[] = [MEDIA_TYPE.ociManifest, MEDIA_TYPE.dockerManifest];
const INDEX_TYPES: readonly string[] = [MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerManifestList];

/** Reads image manifests and indexes, of OCI and Docker. Throws REGISTRY_MANIFEST_INVALID. */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ManifestForm {
  const fields = readFields(bytes);
  const declared = contentType?.split(";")[0]?.trim();
  const inner = fields.mediaType;
  if (typeof inner === "string" && declared !== undefined && declared !== inner)
    throw invalid(`it says that it is ${inner}, and was sent as ${declared}`);
  const mediaType = typeof inner === "string" ? inner : declared;
  if (fields.schemaVersion !== 2) throw invalid("its schemaVersion is not 2");
  const shared = {
    mediaType: mediaType ?? "",
    ...(fields.subject === undefined ? {} : { subject: readDescriptor(fields.subject, "subject") }),
    ...readAnnotations(fields.annotations),
  };
  if (INDEX_TYPES.includes(shared.mediaType))
    return {
      ...shared,
      blobs: [],
      manifests: readList(fields.manifests, "manifests"),
      ...readArtifactType(fields.artifactType),
    };
  if (!IMAGE_TYPES.includes(shared.mediaType))
    throw invalid(`its type ${mediaType ?? "is not said, it"} is not kept here`);
  const config = readDescriptor(fields.config, "config");
  return {
    ...shared,
    blobs: [config, ...readList(fields.layers, "layers")].filter(
      (one) => !ABSENT_ALLOWED.test(one.mediaType),
    ),
    manifests: [],
    configDigest: config.digest,
    // distribution-spec 1.1, "Listing Referrers": an image without artifactType is known by its config's type.
    ...readArtifactType(fields.artifactType ?? config.mediaType),
  };
}

function readFields(bytes: Uint8Array): Fields {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  } catch (error) {
    throw registryProblem("REGISTRY_MANIFEST_INVALID", "the manifest is not JSON", { cause: error });
  }
  throw invalid("it is not a JSON object");
}

function readList(value: unknown, name: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw invalid(`${name} is not a list`);
  if (value.length > REFERENCES_MAX) throw invalid(`${name} has more than ${REFERENCES_MAX} entries`);
  return value.map((one, index) => readDescriptor(one, `${name}[${index}]`));
}

function readDescriptor(value: unknown, name: string): Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Fields;
  if (typeof mediaType !== "string" || !isDigest(digest) || !Number.isSafeInteger(size) || Number(size) < 0)
    throw invalid(`${name} is not a descriptor with mediaType, digest and size`);
  return { mediaType, digest, size: Number(size) };
}

function readArtifactType(value: unknown): { artifactType?: string } {
  return typeof value === "string" && value !== "" ? { artifactType: value } : {};
}

function readAnnotations(value: unknown): { annotations?: Readonly<Record<string, string>> } {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || !Object.values(value).every((one) => typeof one === "string"))
    throw invalid("its annotations are not texts by key");
  return { annotations: value as Record<string, string> };
}

function invalid(why: string) {
  return registryProblem("REGISTRY_MANIFEST_INVALID", "the manifest cannot be kept", { why });
}
