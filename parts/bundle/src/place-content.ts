import { type ByteSource, readExactly, truncated } from "./byte-source.ts";
import { checkHeader } from "./check-entry.ts";
import { type ContentEntry, contentOf } from "./content-entries.ts";
import type { BundleDocument } from "./document.ts";
import { type BundlePart, partName } from "./part.ts";
import { bundleProblem } from "./problems.ts";
import { blobName } from "./root.ts";
import { BLOCK, END_BYTES, entryBytes, readHeader } from "./tar-entry.ts";

/** A blob and where its tar entry begins. */
export interface PlacedEntry extends ContentEntry {
  readonly offset: number;
}

export interface PlacedContent {
  readonly content: readonly PlacedEntry[];
  /** Bytes that the file must have. */
  readonly sizeBytes: number;
}

export function expectedAt(entry: ContentEntry) {
  return { name: blobName(entry.digest), size: entry.size, sizeBytesMax: entry.size };
}

/**
 * Tells which entries a file has and where, and checks that the file has just the size that follows from it. Of a repair the
 * headers are read, for nothing else tells what is in it. Throws BUNDLE_TRUNCATED, BUNDLE_INVALID, BUNDLE_DAMAGED.
 */
export async function placeContent(
  source: ByteSource,
  document: BundleDocument,
  part: BundlePart,
): Promise<PlacedContent> {
  if (part.kind === "repair") return walkRepair(source, document);
  const volumes = document.volumes?.length ?? 0;
  if ((part.kind === "volume") !== volumes > 0 || (part.kind === "volume" && part.number > volumes))
    throw bundleProblem("BUNDLE_INVALID", "the file says that it has another part than it can have", {
      why: `it is marked as ${part.kind === "volume" ? `volume ${part.number}` : "whole"}, and the bundle has ${volumes} volumes`,
    });
  let offset = document.sizes.root;
  const content: PlacedEntry[] = [];
  for (const entry of contentOf(document)) {
    if (part.kind === "volume" && entry.volume !== part.number) continue;
    content.push({ ...entry, offset });
    offset += entryBytes(entry.size);
  }
  const sizeBytes = offset + END_BYTES;
  if (source.size < sizeBytes) throw truncated(sizeBytes, source.size, partName({ part, document }));
  requireEnd(source, sizeBytes);
  return { content, sizeBytes };
}

async function walkRepair(source: ByteSource, document: BundleDocument): Promise<PlacedContent> {
  const content: PlacedEntry[] = [];
  let offset = document.sizes.root;
  const left = contentOf(document)[Symbol.iterator]();
  for (;;) {
    const header = await readExactly(source, offset, BLOCK);
    const said = readHeader(header);
    if (said.kind === "end" && content.length > 0) break;
    let next = left.next();
    while (!next.done && blobName(next.value.digest) !== said.name) next = left.next();
    if (next.done)
      throw bundleProblem(
        said.kind === "entry" ? "BUNDLE_INVALID" : "BUNDLE_DAMAGED",
        "the repair has an entry that does not belong there",
        {
          why: `at ${offset} there is nothing that the bundle lists after the entry before`,
          hint: COPY_AGAIN,
        },
      );
    checkHeader(header, expectedAt(next.value));
    content.push({ ...next.value, offset });
    offset += entryBytes(next.value.size);
    if (source.size < offset + END_BYTES) throw truncated(offset + END_BYTES, source.size, "the repair");
  }
  const sizeBytes = offset + END_BYTES;
  if (source.size < sizeBytes) throw truncated(sizeBytes, source.size, "the repair");
  requireEnd(source, sizeBytes);
  return { content, sizeBytes };
}

const COPY_AGAIN = "copy it again from where it came from";

function requireEnd(source: ByteSource, sizeBytes: number): void {
  if (source.size > sizeBytes)
    throw bundleProblem("BUNDLE_INVALID", "the file has bytes that do not belong to the bundle", {
      why: `it has ${source.size} bytes, the bundle ${sizeBytes}`,
    });
}

/** One entry, or the `faults` of several, that did not have their digests. */
export function damaged(entry: PlacedEntry) {
  return bundleProblem("BUNDLE_DAMAGED", "the bundle is damaged", {
    why: `${entry.label} (${entry.digest}, ${entry.size} bytes at ${entry.offset}) does not have its digest`,
    hint: COPY_AGAIN,
  });
}
