import type { CargoSink, Digest } from "@sampan/content";
import { type ContentEntry, contentOf, EMPTY_CONFIG } from "./content-entries.ts";
import type { BundleDocument } from "./document.ts";

/**
 * Entries of a bundle's content that a sink still lacks, in order. Nothing but the sink is asked: that is all the
 * state of an import that has not ended. Blobs at hand need not be in the sink.
 */
export async function lackingEntries(
  document: BundleDocument,
  sink: Pick<CargoSink, "hasPack" | "hasLayer" | "stat">,
  isAtHand: (digest: Digest) => boolean = () => false,
): Promise<ContentEntry[]> {
  const lacking = new Set<Digest>();
  const lackBlob = async (digest: Digest) => {
    const isHere = digest === EMPTY_CONFIG.digest || isAtHand(digest) || (await sink.stat(digest));
    if (!isHere) lacking.add(digest);
  };
  let layersAbsent = 0;
  for (const { diffId, recipe } of document.layers) {
    if (await sink.hasLayer(diffId)) continue;
    layersAbsent++;
    await lackBlob(recipe.digest);
  }
  if (layersAbsent > 0)
    for (const { digest } of document.packs) if (!(await sink.hasPack(digest))) lacking.add(digest);
  for (const { imageId } of document.images) await lackBlob(imageId);
  for (const { digest } of [...document.releases, ...document.blobs]) await lackBlob(digest);
  return contentOf(document).filter((entry) => lacking.has(entry.digest));
}

/** The numbers of the volumes that these entries are in. */
export function volumesOf(entries: readonly ContentEntry[]): number[] {
  return [...new Set(entries.map((entry) => entry.volume))];
}
