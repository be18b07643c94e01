import { createHash } from "node:crypto";
import { type CargoSink, type Digest, digestFromHex, type OnProgress } from "@sampan/content";
import { type Bundle, openBundle } from "./bundle.ts";
import { truncated } from "./byte-source.ts";
import { checkHeader, isZero } from "./check-entry.ts";
import { DamageList } from "./damage-list.ts";
import type { SignatureReport } from "./envelope.ts";
import { partName } from "./part.ts";
import { damaged, expectedAt, type PlacedEntry } from "./place-content.ts";
import { bundleProblem } from "./problems.ts";
import { type Unproven, unprovenOf } from "./require-base.ts";
import { BLOCK, END_BYTES, paddedBytes } from "./tar-entry.ts";
import { requireTrust, type Trust } from "./trust.ts";

const STRETCH_BYTES = 1024 * 1024;

export interface VerifyOptions {
  /** Absent: signatures are reported as unknown or none, and not judged. */
  readonly trust?: Trust;
  /**
   * Entries that it has are passed over: an import will not read them. So a file that was repaired, or is taken in again, need not be whole.
   */
  readonly held?: Pick<CargoSink, "hasPack" | "stat">;
  /** Stage `verify`, in bytes of the file. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Re-reads a whole file and checks every byte of it. Packs are checked by digest, not unpacked: importing does that.
 * Of a volume, only what is in it.
 * Throws what `openBundle` and `requireTrust` throw; BUNDLE_DAMAGED names every part that is hit (the first 100).
 */
export async function verifyBundle(
  path: string,
  options: VerifyOptions = {},
): Promise<
  Pick<Bundle, "document" | "manifestDigest" | "part" | "sizeBytes"> & {
    readonly signatures: SignatureReport;
    /** Of an increment: what a site with a base will prove by importing it. */
    readonly unproven?: Unproven;
  }
> {
  await using bundle = await openBundle(path);
  const signatures = requireTrust(bundle, options.trust ?? { keys: [], accept: "any" });
  await verifyContent(bundle, options);
  const { document, manifestDigest, part, sizeBytes } = bundle;
  const unproven = unprovenOf(document);
  return { document, manifestDigest, part, sizeBytes, signatures, ...(unproven && { unproven }) };
}

/** Checks every byte after the root. */
export async function verifyContent(
  bundle: Bundle,
  options: Omit<VerifyOptions, "trust"> = {},
): Promise<void> {
  const { held, onProgress, signal } = options;
  const packs = new Set(bundle.document.packs.map((pack) => pack.digest));
  const isHeld = async (digest: Digest) =>
    held !== undefined &&
    (packs.has(digest) ? await held.hasPack(digest) : (await held.stat(digest)) !== undefined);
  const stretch = Buffer.allocUnsafe(STRETCH_BYTES);
  const damage = new DamageList();
  let done = bundle.document.sizes.root;
  for (const entry of bundle.content) {
    signal?.throwIfAborted();
    onProgress?.({ stage: "verify", done, total: bundle.sizeBytes, note: entry.label });
    if (!(await isHeld(entry.digest)))
      await damage.run(entry, () => verifyEntry(bundle, entry, stretch, signal));
    if (damage.isFull) break;
    done += BLOCK + paddedBytes(entry.size);
  }
  damage.throwIfAny(
    bundle,
    "copy it again from where it came from; or ask for what is hit: sampan bundle repair-request FILE",
  );
  const end = await readStretch(bundle, stretch, bundle.sizeBytes - END_BYTES, END_BYTES);
  if (!isZero(end))
    throw bundleProblem("BUNDLE_DAMAGED", `${partName(bundle)} is damaged`, { why: "its end is not zero" });
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
