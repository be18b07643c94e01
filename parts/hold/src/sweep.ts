import { rm } from "node:fs/promises";
import { isDigest } from "@sampan/content";
import { FILE_KINDS, type FileKind, type HoldFiles } from "./hold-files.ts";
import { type HoldIndex, toBlob } from "./hold-index.ts";

const KNOWN: Readonly<Record<FileKind, string>> = {
  packs: "SELECT 1 FROM packs WHERE digest = ? AND state <> 'absorbed'",
  recipes: "SELECT 1 FROM layers WHERE diff_id = ?",
  blobs: "SELECT 1 FROM blobs WHERE digest = ?",
};

/**
 * Removes files that the index does not know: a process died between putting a file in place and entering it, or
 * between striking it out and removing it. Files are always in place before the index tells of them.
 */
export async function sweepOrphans(files: HoldFiles, index: HoldIndex): Promise<void> {
  for (const kind of FILE_KINDS)
    for await (const { path, digest } of files.list(kind))
      if (!isDigest(digest) || index.get(KNOWN[kind], toBlob(digest)) === undefined)
        await rm(path, { force: true });
}
