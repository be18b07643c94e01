import { rename, rm } from "node:fs/promises";
import type { CargoSink, Digest, OnProgress } from "@sampan/content";
import { isProblem, type Problem } from "@sampan/problem";
import { type Bundle, openBundle } from "./bundle.ts";
import { type ContentEntry, contentOf } from "./content-entries.ts";
import { lackingEntries, volumesOf } from "./lacking-entries.ts";
import { bundleProblem } from "./problems.ts";
import { parseRepairRequest, renderRepairRequest } from "./repair-request.ts";
import { blobName, renderRoot } from "./root.ts";
import { TarFile, writeFront, writing } from "./tar-file.ts";
import { verifyBundle } from "./verify-bundle.ts";

export interface NeededRepair {
  /** One line, to be sent to the publisher or read out. Undefined when nothing is missing. */
  readonly text: string | undefined;
  /** What neither the files nor the sink have whole. */
  readonly missing: readonly ContentEntry[];
  /** The volumes that would bring it; `[1]` for a bundle of one file. */
  readonly volumes: readonly number[];
  /** Files whose root could not be read, so that nothing in them can be used. */
  readonly unreadable: readonly { readonly path: string; readonly problem: Problem }[];
}

interface RepairOptions {
  /** Stage `verify` or `repair`, counted in entries. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Tells what is missing of a bundle: of what a sink lacks (without one: of everything), what cannot be read from the files at hand.
 * One volume is enough to ask. Throws the first problem when no file can be opened, BUNDLE_INVALID when they are of different bundles.
 */
export async function repairRequest(
  paths: readonly string[],
  sink: Pick<CargoSink, "hasPack" | "hasLayer" | "stat"> | undefined,
  options: RepairOptions = {},
): Promise<NeededRepair> {
  const { bundles, unreadable } = await openAll(paths);
  try {
    const [first] = bundles;
    if (first === undefined) throw unreadable[0]?.problem ?? noFiles();
    const wanted =
      sink === undefined ? contentOf(first.document) : await lackingEntries(first.document, sink);
    const missing: ContentEntry[] = [];
    for (const [index, entry] of wanted.entries()) {
      options.signal?.throwIfAborted();
      options.onProgress?.({ stage: "verify", done: index, total: wanted.length });
      if ((await readFromAny(bundles, entry.digest)) === undefined) missing.push(entry);
    }
    const numbers = missing.map((entry) => entry.number);
    const text = missing.length === 0 ? undefined : renderRepairRequest(first.manifestDigest, numbers);
    return { text, missing, volumes: volumesOf(missing), unreadable };
  } finally {
    for (const bundle of bundles) await bundle.close();
  }
}

/**
 * Answers a repair request from whole copies of the bundle's files: writes a file with just what is asked for, to be imported like a
 * volume. When no copy was kept, an export with the same inputs gives the same bundle again.
 * Throws BUNDLE_REQUEST_INVALID, BUNDLE_PART_MISSING, what `openBundle` throws, BUNDLE_NO_SPACE, BUNDLE_UNWRITABLE.
 */
export async function writeRepair(
  paths: readonly string[],
  request: string,
  path: string,
  options: RepairOptions = {},
): Promise<{ readonly sizeBytes: number; readonly entries: readonly ContentEntry[] }> {
  const wanted = parseRepairRequest(request);
  const { bundles, unreadable } = await openAll(paths);
  const part = `${path}.part`;
  try {
    const [first] = bundles;
    if (first === undefined) throw unreadable[0]?.problem ?? noFiles();
    if (!first.manifestDigest.startsWith(`sha256:${wanted.bundle}`))
      throw bundleProblem("BUNDLE_REQUEST_INVALID", "the repair request is for another bundle", {
        why: `it names ${wanted.bundle}, and this is ${first.manifestDigest}`,
        hint: "answer it with the bundle that was sent to that site",
      });
    const content = contentOf(first.document);
    const entries = wanted.entries.map((number) => {
      const entry = content[number - 1];
      if (entry !== undefined) return entry;
      throw bundleProblem(
        "BUNDLE_REQUEST_INVALID",
        "the repair request names what the bundle does not have",
        {
          why: `it asks for entry ${number} of ${content.length}`,
        },
      );
    });
    await writeEntries(bundles, entries, part, options);
    const { sizeBytes } = await verifyBundle(part, options.signal && { signal: options.signal });
    await writing(path, () => rename(part, path));
    return { sizeBytes, entries };
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    for (const bundle of bundles) await bundle.close();
  }
}

async function writeEntries(
  bundles: readonly Bundle[],
  entries: readonly ContentEntry[],
  path: string,
  options: RepairOptions,
): Promise<void> {
  const [{ document, envelope }] = bundles as [Bundle];
  const root = renderRoot(document, envelope, { kind: "repair" });
  if (root === undefined)
    throw bundleProblem("BUNDLE_TOO_LARGE", "the bundle's root has no room to say that this is a repair", {
      hint: "send the bundle itself again",
    });
  const file = await TarFile.create(path, document.sizes.root);
  try {
    for (const [index, entry] of entries.entries()) {
      options.signal?.throwIfAborted();
      options.onProgress?.({ stage: "repair", done: index, total: entries.length, note: entry.label });
      const bytes = await readFromAny(bundles, entry.digest);
      if (bytes === undefined)
        throw bundleProblem("BUNDLE_PART_MISSING", `${entry.label} is whole in none of the files`, {
          why: `it is asked for, and ${bundles.length} files were given`,
          hint: document.volumes === undefined ? "give a whole copy" : `give volume ${entry.volume} too`,
        });
      await file.append(blobName(entry.digest), bytes);
    }
    await file.end();
  } finally {
    await file.close();
  }
  await writeFront(path, root.bytes);
}

async function openAll(paths: readonly string[]): Promise<{
  readonly bundles: readonly Bundle[];
  readonly unreadable: NeededRepair["unreadable"];
}> {
  const bundles: Bundle[] = [];
  const unreadable: { path: string; problem: Problem }[] = [];
  try {
    for (const path of paths)
      try {
        bundles.push(await openBundle(path));
      } catch (problem) {
        if (!isProblem(problem)) throw problem;
        unreadable.push({ path, problem });
      }
    const digests = new Set(bundles.map((bundle) => bundle.manifestDigest));
    if (digests.size > 1)
      throw bundleProblem("BUNDLE_INVALID", "the files are of different bundles", {
        why: [...digests].join(", "),
        hint: "give files of one bundle",
      });
    return { bundles, unreadable };
  } catch (error) {
    for (const bundle of bundles) await bundle.close();
    throw error;
  }
}

/** From the first file that has it whole. */
async function readFromAny(bundles: readonly Bundle[], digest: Digest): Promise<Uint8Array | undefined> {
  for (const bundle of bundles)
    try {
      return await bundle.read(digest);
    } catch (error) {
      if (!isProblem(error)) throw error;
    }
  return undefined;
}

function noFiles() {
  return bundleProblem("BUNDLE_ABSENT", "no file of the bundle was given", {
    hint: "give one volume at least",
  });
}
