import type { BundleBlob, Cargo, CargoRelease, ReleaseCargo } from "@sampan/bundle";
import type { Digest, OnProgress } from "@sampan/content";
import { type BundleFile, type BundleFiles, cutToBytes } from "./bundle-files.ts";
import { imagesOfRelease, readRelease } from "./library.ts";
import type { Parts } from "./parts.ts";

export interface ExportWish {
  readonly releases: readonly Digest[];
  /** zstd level of the packs: 3 is quick, 9 smaller. */
  readonly level: number;
  readonly unsigned: boolean;
  /** What receivers have: makes an increment. Full when absent or empty. See `startingPoints`. */
  readonly bases?: readonly CargoRelease[];
  /** Makes volumes of at most this size, which is 16 MiB or more; one file when absent. */
  readonly volumeSizeBytes?: number;
  /** Why it is not as small as was hoped, for whoever waits for it. */
  readonly remarks?: readonly string[];
  readonly teamId?: string;
  /** Of the job: the file is the same one when the export is begun again after a crash. */
  readonly fileId: string;
}

/** Larger packs save 1 or 2 % and cost memory on both sides. */
export const PACK_SIZE_BYTES = 8 * 1024 * 1024;

/**
 * Writes releases into a sealed bundle, full or an increment, in one file or in volumes, signed by this site unless told otherwise. The
 * first file has the id that was wished. Begun again, it begins anew; failing, it leaves nothing behind.
 */
export async function exportBundle(
  parts: Parts,
  files: BundleFiles,
  wish: ExportWish,
  options: { readonly signal: AbortSignal; readonly onProgress: OnProgress },
): Promise<{
  readonly file: BundleFile;
  /** All volumes in their order; else the one file. */
  readonly files: readonly BundleFile[];
  readonly manifestDigest: Digest;
}> {
  const cargo = await writeOptions(parts, wish);
  const file = await files.beginExport({
    id: wish.fileId,
    name: `${fileStem(cargo)}.sampan`,
    ...(wish.teamId === undefined ? {} : { teamId: wish.teamId }),
  });
  try {
    const written = await parts.bundles.writeBundle(parts.hold, files.contentPath(file.id, file.name), {
      ...cargo,
      signal: options.signal,
      onProgress: options.onProgress,
    });
    const paths = written.files.map(({ path }) => path);
    const sealed =
      wish.volumeSizeBytes === undefined
        ? [await files.seal(file.id, options)]
        : await files.sealVolumes(file.id, paths, options);
    return { file: sealed[0]!, files: sealed, manifestDigest: written.digest };
  } catch (error) {
    await files.removeExport(file.id);
    throw error;
  }
}

type CargoWish = Pick<ExportWish, "releases" | "level" | "unsigned" | "bases" | "volumeSizeBytes">;

/** All that decides what is written. */
export async function writeOptions(
  parts: Parts,
  { releases, level, unsigned, bases = [], volumeSizeBytes }: CargoWish,
): Promise<Cargo> {
  return {
    ...(await cargoOf(parts, releases)),
    ...(bases.length === 0 ? {} : { bases }),
    ...(volumeSizeBytes === undefined ? {} : { volumeSizeBytes }),
    level,
    packSizeBytes: PACK_SIZE_BYTES,
    createdBy: `sampan/${parts.productVersion}`,
    signers: unsigned ? [] : [parts.site.signer],
  };
}

/** The documents of releases, what they name, and the logos of their templates. */
export async function cargoOf(
  parts: Pick<Parts, "store" | "hold">,
  digests: readonly Digest[],
): Promise<{ readonly releases: ReleaseCargo[]; readonly blobs: BundleBlob[] }> {
  const releases: ReleaseCargo[] = [];
  const blobs = new Map<Digest, BundleBlob>();
  for (const digest of digests) {
    const { stored, release } = await readRelease(parts, digest);
    releases.push({
      digest,
      bytes: new TextEncoder().encode(stored.document),
      templateId: stored.templateId,
      templateName: release.template.name,
      version: stored.version,
      ...(stored.alias === undefined ? {} : { alias: stored.alias }),
      imageIds: [...imagesOfRelease(release).keys()],
    });
    const { logo } = release.template;
    if (logo !== undefined) {
      const size = (await parts.hold.stat(logo.digest))?.size ?? 0;
      blobs.set(logo.digest, { ...logo, role: `logo/${stored.templateId}`, size });
    }
  }
  return { releases, blobs: [...blobs.values()] };
}

/** Sticks and file systems take names of up to 255 bytes, and a Chinese character has three. */
const STEM_BYTES_MAX = 180;

function fileStem({ releases, bases = [] }: Pick<Cargo, "releases" | "bases">): string {
  const names = releases.map((release) => `${release.templateName}-${release.version}`).join("_");
  const from = new Set(bases.map(({ version }) => version));
  const stem = from.size === 0 ? names : `${names}-from-${[...from].join("-")}`;
  return cutToBytes(stem.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-"), STEM_BYTES_MAX);
}
