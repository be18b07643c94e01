import { createHash } from "node:crypto";
import { digestFromHex, type OnProgress } from "@sampan/content";
import { type Fault, isProblem } from "@sampan/problem";
import { type Bundle, damaged, expectedAt, openBundle, type PlacedEntry } from "./bundle.ts";
import { truncated } from "./byte-source.ts";
import { checkHeader, isZero } from "./check-entry.ts";
import type { SignatureReport } from "./envelope.ts";
import { bundleProblem } from "./problems.ts";
import { BLOCK, END_BYTES, paddedBytes } from "./tar-entry.ts";
import { requireTrust, type Trust } from "./trust.ts";

const STRETCH_BYTES = 1024 * 1024;
const FAULTS_MAX = 100;

export interface VerifyOptions {
  /** Absent: signatures are reported as unknown or none, and not judged. */
  readonly trust?: Trust;
  /** Stage `verify`, in bytes of the file. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Re-reads a whole file and checks every byte of it. Packs are checked by digest, not unpacked: importing does that.
 * Throws what `openBundle` and `requireTrust` throw; BUNDLE_DAMAGED names every part that is hit (the first 100).
 */
export async function verifyBundle(
  path: string,
  options: VerifyOptions = {},
): Promise<
  Pick<Bundle, "document" | "manifestDigest" | "sizeBytes"> & { readonly signatures: SignatureReport }
> {
  await using bundle = await openBundle(path);
  const signatures = requireTrust(bundle, options.trust ?? { keys: [], accept: "any" });
  await verifyContent(bundle, options);
  const { document, manifestDigest, sizeBytes } = bundle;
  return { document, manifestDigest, sizeBytes, signatures };
}

/** Checks every byte after the root. */
export async function verifyContent(
  bundle: Bundle,
  options: Omit<VerifyOptions, "trust"> = {},
): Promise<void> {
  const { onProgress, signal } = options;
  const stretch = Buffer.allocUnsafe(STRETCH_BYTES);
  const faults: Fault[] = [];
  let first: unknown;
  let done = bundle.document.sizes.root;
  for (const entry of bundle.content) {
    signal?.throwIfAborted();
    onProgress?.({ stage: "verify", done, total: bundle.sizeBytes, note: entry.label });
    try {
      await verifyEntry(bundle, entry, stretch, signal);
    } catch (error) {
      if (!isProblem(error, "BUNDLE_DAMAGED")) throw error;
      first ??= error;
      faults.push({ path: entry.label, message: `${error.message}: ${error.why ?? ""}` });
      if (faults.length === FAULTS_MAX) break;
    }
    done += BLOCK + paddedBytes(entry.size);
  }
  if (faults.length === 1) throw first;
  if (faults.length > 1)
    throw bundleProblem("BUNDLE_DAMAGED", `the bundle is damaged in ${faults.length} parts`, {
      why: "they do not have their digests",
      hint: "copy it again from where it came from",
      faults,
    });
  const end = await readStretch(bundle, stretch, bundle.sizeBytes - END_BYTES, END_BYTES);
  if (!isZero(end))
    throw bundleProblem("BUNDLE_DAMAGED", "the bundle is damaged", { why: "its end is not zero" });
  onProgress?.({ stage: "verify", done: bundle.sizeBytes, total: bundle.sizeBytes });
}

async function verifyEntry(
  bundle: Bundle,
  entry: PlacedEntry,
  stretch: Buffer,
  signal: AbortSignal | undefined,
) {
  checkHeader(await readStretch(bundle, stretch, entry.offset, BLOCK), expectedAt(entry));
  const hash = createHash("sha256");
  const start = entry.offset + BLOCK;
  for (let at = 0; at < entry.size; at += stretch.length) {
    signal?.throwIfAborted();
    hash.update(await readStretch(bundle, stretch, start + at, Math.min(stretch.length, entry.size - at)));
  }
  const padding = await readStretch(
    bundle,
    stretch,
    start + entry.size,
    paddedBytes(entry.size) - entry.size,
  );
  if (digestFromHex(hash.digest("hex")) !== entry.digest || !isZero(padding)) throw damaged(entry);
}

/** The root promised these bytes; a file that shrank since it was opened is truncated. */
async function readStretch(
  bundle: Bundle,
  stretch: Buffer,
  position: number,
  length: number,
): Promise<Buffer> {
  const part = stretch.subarray(0, length);
  const count = await bundle.readAt(part, position);
  if (count < length) throw truncated(position + length, position + count);
  return part;
}
