import type { Bundle } from "@sampan/bundle";
import type { Descriptor, Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import type { Parts } from "./parts.ts";

/** What a file has of a bundle that is in several; `number` from 1. */
export interface PartOfBundle {
  readonly kind: "volume" | "repair";
  readonly number?: number;
  /** How many volumes there are. */
  readonly volumes?: number;
}

/** Undefined when the file is the whole bundle. */
export function partOf({ part, document }: Pick<Bundle, "part" | "document">): PartOfBundle | undefined {
  if (part.kind === "whole") return undefined;
  const volumes = document.volumes === undefined ? {} : { volumes: document.volumes.length };
  return { ...part, ...volumes };
}

/** Keeps what has come of a bundle until the rest has come too, also when that takes weeks. */
export async function keepPart(parts: Pick<Parts, "hold">, manifest: Descriptor): Promise<void> {
  await parts.hold.setReference(nameOf(manifest.digest), manifest);
}

/** The bundle is complete, and its releases protect their own content. */
export async function forgetParts(
  parts: Pick<Parts, "hold">,
  { manifestDigest }: Pick<Bundle, "manifestDigest">,
): Promise<void> {
  await parts.hold.removeReference(nameOf(manifestDigest));
}

function nameOf(manifestDigest: Digest): string {
  return `import/${manifestDigest}`;
}

/**
 * A blob of a bundle from its file, or what an earlier file or a repair has brought of it; undefined when it is still to come.
 * Throws what `Bundle.read` throws.
 */
export async function readOfBundle(
  parts: Pick<Parts, "hold">,
  bundle: Pick<Bundle, "has" | "read">,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  const isHeld = (await parts.hold.stat(digest)) !== undefined;
  if (!bundle.has(digest)) return isHeld ? await parts.hold.readBlob(digest) : undefined;
  try {
    return await bundle.read(digest);
  } catch (error) {
    if (isHeld && isProblem(error, "BUNDLE_DAMAGED")) return await parts.hold.readBlob(digest);
    throw error;
  }
}
