import type { BundlePreview } from "@sampan/bundle";
import type { Digest, LayerNews } from "@sampan/content";
import type { Release } from "@sampan/template";
import { type ExportWish, writeOptions } from "./export.ts";
import { readRelease } from "./library.ts";
import type { Parts } from "./parts.ts";
import { predictSite, type SitePrediction } from "./predict-site.ts";
import { type StartingPoints, type StartWish, startingPoints } from "./starting-points.ts";

/** What an export would write, and what it would meet at the sites that it is for. Sizes are bytes. */
export interface ExportPlan {
  readonly kind: BundlePreview["kind"];
  /** Of all files: to 5 per cent. */
  readonly sizeBytes: number;
  /** Files: 1 without `volumeSizeBytes`; else estimated, and one more is possible. */
  readonly volumeCount: number;
  readonly parts: BundlePreview["parts"];
  readonly pieces: BundlePreview["pieces"];
  /** Uncompressed layers: those that travel, and those that every base has. */
  readonly layersCarriedBytes: number;
  readonly layersLeftOutBytes: number;
  readonly bases: BundlePreview["bases"];
  readonly releases: readonly PlannedRelease[];
  readonly media: readonly { readonly name: string; readonly sizeBytes: number; readonly count: number }[];
  readonly sites: readonly SitePrediction[];
  readonly remarks: readonly string[];
}

export interface PlannedRelease {
  readonly digest: Digest;
  readonly templateName: string;
  readonly version: string;
  readonly components: readonly PlannedComponent[];
}

/** What a component, or a plugin, brings. What several share is told of the first. */
export interface PlannedComponent
  extends Pick<LayerNews, "newFiles" | "changedFiles" | "newBytes" | "largest"> {
  readonly name: string;
  readonly image: string;
  readonly layersCarried: number;
  readonly layersLeftOut: number;
  /** Uncompressed, of the layers that it is the first to bring. */
  readonly carriedBytes: number;
}

/** What people carry. FAT32 is what most sticks come with: its files are smaller than 4 GiB. */
const MEDIA = [
  { name: "cd", sizeBytes: 700_000_000 },
  { name: "dvd", sizeBytes: 4_700_000_000 },
  { name: "fat32", sizeBytes: 4 * 1024 ** 3 - 1 },
] as const;

/** Tells what an export would carry and why, without packing it. Throws what `exportBundle` throws before it writes, and what `startingPoints` throws. */
export async function planExport(
  parts: Parts,
  wish: StartWish & Pick<ExportWish, "level" | "unsigned" | "volumeSizeBytes">,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ExportPlan> {
  const starts = await startingPoints(parts, wish);
  const cargo = await writeOptions(parts, { ...wish, bases: starts.bases });
  const preview = await parts.bundles.previewBundle(parts.hold, cargo, options);
  const releases: Release[] = [];
  for (const digest of wish.releases) releases.push((await readRelease(parts, digest)).release);
  const sites: SitePrediction[] = [];
  for (const state of starts.states)
    sites.push(await predictSite(parts, { state, preview, releases, digests: wish.releases }));
  const { kind, sizeBytes, volumeCount, pieces, bases } = preview;
  return {
    kind,
    sizeBytes,
    volumeCount,
    parts: preview.parts,
    pieces,
    layersCarriedBytes: sumOf(preview.layersCarried),
    layersLeftOutBytes: sumOf(preview.layersLeftOut),
    bases,
    releases: plannedReleases(preview, releases, wish.releases),
    media: MEDIA.map((one) => ({ ...one, count: Math.ceil(sizeBytes / one.sizeBytes) })),
    sites,
    remarks: remarksOf(starts, preview),
  };
}

function remarksOf(starts: StartingPoints, { bases }: BundlePreview): readonly string[] {
  const unknown = bases.filter(({ unknownLayers }) => unknownLayers > 0);
  return [
    ...starts.remarks,
    ...(starts.bases.length > 1
      ? ["the file serves several starting points: it is counted on what all of them have"]
      : []),
    ...unknown.map(
      ({ templateName, version, unknownLayers }) =>
        `${unknownLayers} layers of ${templateName} ${version} are not held here, and save nothing`,
    ),
  ];
}

function sumOf(layers: readonly { readonly size: number }[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function plannedReleases(
  preview: BundlePreview,
  releases: readonly Release[],
  digests: readonly Digest[],
): readonly PlannedRelease[] {
  const told = new Set<Digest>();
  const carried = new Map(preview.layersCarried.map(({ diffId, size }) => [diffId, size]));
  const images = new Map(preview.images.map((image) => [image.imageId, image.diffIds]));
  return releases.map(({ template, version, components, plugins = {} }, at) => ({
    digest: digests[at]!,
    templateName: template.name,
    version,
    components: [...Object.entries(components), ...Object.entries(plugins)].flatMap(([name, { image }]) => {
      if (image === undefined || typeof image === "string") return [];
      const layers = images.get(image.id) ?? [];
      const fresh = layers.filter((diffId) => carried.has(diffId) && !told.has(diffId));
      for (const diffId of fresh) told.add(diffId);
      return [
        {
          name,
          image: image.name,
          layersCarried: layers.filter((diffId) => carried.has(diffId)).length,
          layersLeftOut: layers.filter((diffId) => !carried.has(diffId)).length,
          carriedBytes: fresh.reduce((sum, diffId) => sum + (carried.get(diffId) ?? 0), 0),
          ...sumNews(fresh.flatMap((diffId) => preview.news.get(diffId) ?? [])),
        },
      ];
    }),
  }));
}

const LARGEST_MAX = 20;

function sumNews(news: readonly LayerNews[]): LayerNews {
  const sum = (pick: (one: LayerNews) => number) => news.reduce((all, one) => all + pick(one), 0);
  return {
    newFiles: sum(({ newFiles }) => newFiles),
    changedFiles: sum(({ changedFiles }) => changedFiles),
    newBytes: sum(({ newBytes }) => newBytes),
    largest: news
      .flatMap(({ largest }) => largest)
      .toSorted((a, b) => b.newBytes - a.newBytes)
      .slice(0, LARGEST_MAX),
  };
}
