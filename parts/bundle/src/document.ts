import { type Digest, isDigest } from "@sampan/content";
import { z } from "zod";
import { parseJson, renderCanonical } from "./canonical-json.ts";
import { documentFaults, FAULTS_MAX } from "./document-faults.ts";
import { LIMIT } from "./limits.ts";
import { bundleProblem } from "./problems.ts";

/** The format that this version writes, and the newest that it reads. */
export const FORMAT_VERSION = 1;
/** What imports of this version can do; see SPEC.md section 9. */
export const READER_LEVEL = 2;

export interface BundleRelease {
  readonly digest: Digest;
  readonly size: number;
  readonly templateId: string;
  readonly templateName: string;
  readonly version: string;
  readonly alias?: string;
  /** Image IDs. */
  readonly images: readonly Digest[];
}

export interface BundleImage {
  readonly imageId: Digest;
  readonly configSize: number;
  readonly diffIds: readonly Digest[];
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface BundleLayer {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  readonly recipe: { readonly digest: Digest; readonly size: number };
}

export interface BundlePack {
  readonly digest: Digest;
  readonly size: number;
}

export interface BundleBlob {
  readonly digest: Digest;
  readonly mediaType: string;
  /** What it is for, as a path such as `logo/shop`. */
  readonly role: string;
  readonly size: number;
}

/** A release that an increment can build on: a site has it when it holds all these layers. */
export interface BundleBase {
  readonly release: Digest;
  readonly templateId: string;
  readonly templateName: string;
  readonly version: string;
  readonly diffIds: readonly Digest[];
  readonly pieceCount: number;
  readonly pieceBytes: number;
}

/** One of the files that a bundle is in. */
export interface BundleVolume {
  /** How many entries of the content it has, after those of the volumes before it. */
  readonly entries: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** The signed list of all that a bundle carries (SPEC.md section 6). Sizes are bytes. */
export interface BundleDocument {
  readonly formatVersion: 1;
  readonly kind: "full" | "increment";
  readonly createdBy: string;
  readonly policy: { readonly minReader: number };
  readonly releases: readonly BundleRelease[];
  readonly images: readonly BundleImage[];
  readonly layers: readonly BundleLayer[];
  readonly packs: readonly BundlePack[];
  readonly blobs: readonly BundleBlob[];
  readonly requires?: readonly BundleBase[];
  readonly volumes?: readonly BundleVolume[];
  readonly sizes: {
    readonly root: number;
    readonly layers: number;
    readonly pieces: number;
    readonly content: number;
  };
}

const digest = z.custom<Digest>(isDigest, "is not a sha256 digest");
const count = z.int().min(0);
const text = z
  .string()
  .min(1)
  .max(LIMIT.textChars)
  .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), "has characters that are not allowed");
const upTo = (sizeBytesMax: number) => count.max(sizeBytesMax);
const entries = <T extends z.ZodType>(item: T) => z.array(item).max(LIMIT.entries);

const schema = z.strictObject({
  formatVersion: z.literal(FORMAT_VERSION),
  kind: z.enum(["full", "increment"]),
  createdBy: text,
  policy: z.strictObject({ minReader: z.int().min(1) }),
  releases: z
    .array(
      z.strictObject({
        digest,
        size: upTo(LIMIT.releaseBytes),
        templateId: text,
        templateName: text,
        version: text,
        alias: text.exactOptional(),
        images: z.array(digest).max(LIMIT.images),
      }),
    )
    .max(LIMIT.releases),
  images: z
    .array(
      z.strictObject({
        imageId: digest,
        configSize: upTo(LIMIT.configBytes),
        diffIds: z.array(digest).max(LIMIT.layersOfImage),
        os: text,
        architecture: text,
        variant: text.exactOptional(),
      }),
    )
    .max(LIMIT.images),
  layers: entries(
    z.strictObject({
      diffId: digest,
      size: count,
      recipe: z.strictObject({ digest, size: upTo(LIMIT.recipeBytes) }),
    }),
  ),
  packs: entries(z.strictObject({ digest, size: upTo(LIMIT.packBytes) })),
  blobs: entries(z.strictObject({ digest, mediaType: text, role: text, size: upTo(LIMIT.blobBytes) })),
  requires: z
    .array(
      z.strictObject({
        release: digest,
        templateId: text,
        templateName: text,
        version: text,
        diffIds: entries(digest),
        pieceCount: count,
        pieceBytes: count,
      }),
    )
    .max(LIMIT.bases)
    .exactOptional(),
  volumes: z
    .array(z.strictObject({ entries: z.int().min(1).max(LIMIT.entries), size: count }))
    .min(1)
    .max(LIMIT.volumes)
    .exactOptional(),
  sizes: z.strictObject({ root: count, layers: count, pieces: count, content: count }),
}) satisfies z.ZodType<BundleDocument>;

/** Reads the payload of an envelope. Throws BUNDLE_TOO_NEW, or BUNDLE_INVALID with every fault. */
export function parseDocument(bytes: Uint8Array): BundleDocument {
  const data = parseJson(bytes);
  const version = (data as { formatVersion?: unknown } | undefined | null)?.formatVersion;
  if (typeof version === "number" && version > FORMAT_VERSION) throw tooNew(version);
  const parsed = schema.safeParse(data);
  const faults = parsed.success
    ? documentFaults(parsed.data)
    : parsed.error.issues
        .slice(0, FAULTS_MAX)
        .map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  if (!parsed.success || faults.length > 0)
    throw bundleProblem("BUNDLE_INVALID", "the bundle's document is not in the form of format 1", { faults });
  if (!renderCanonical(parsed.data).equals(bytes))
    throw bundleProblem("BUNDLE_INVALID", "the bundle's document is not canonical JSON", {
      why: "its keys, numbers or texts are written in another way than the format fixes",
    });
  return parsed.data;
}

export function tooNew(version: number) {
  return bundleProblem("BUNDLE_TOO_NEW", `the bundle has format ${version}`, {
    why: `this version reads format ${FORMAT_VERSION}`,
    hint: "upgrade Sampan here first, or ask the publisher for a bundle in the older format",
  });
}
