import { digestFromHex } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import { renderCanonical } from "./canonical-json.ts";
import { contentOf } from "./content-entries.ts";
import { type BundleDocument, parseDocument } from "./document.ts";
import { type Envelope, renderEnvelope } from "./envelope.ts";
import type { Signer } from "./keys.ts";
import { LIMIT } from "./limits.ts";
import { type BundlePart, WHOLE } from "./part.ts";
import type { BundlePlan } from "./plan-bundle.ts";
import { bundleProblem } from "./problems.ts";
import { PAYLOAD_TYPE, renderManifest, rootBytesMin } from "./root.ts";
import { BLOCK } from "./tar-entry.ts";

/** A part whose annotation is as long as any. */
const LONGEST_PART: BundlePart = { kind: "volume", number: LIMIT.volumes };

/**
 * Bytes of the root of the largest document that a plan can give: made for real, with made-up digests and the largest
 * numbers (SPEC.md section 8). Throws BUNDLE_TOO_LARGE.
 */
export function rootRoom(plan: Omit<BundlePlan, "rootBytes">, signers: readonly Signer[]): number {
  const whole = largestDocument(plan);
  checkDocument(renderCanonical(whole));
  const document = plan.volumeSizeBytes === undefined ? whole : { ...whole, volumes: mostVolumes(whole) };
  const payload = renderCanonical(document);
  const signatures = signers.map(({ keyId }) => ({ keyId, signature: Buffer.alloc(64) }));
  const envelope: Envelope = { payloadType: PAYLOAD_TYPE, payload, signatures };
  const manifestBytes = renderManifest(document, renderEnvelope(envelope)).length;
  refuseAbove("the bundle's document", payload.length, LIMIT.documentBytes);
  refuseAbove("the list of the bundle's parts", manifestBytes, LIMIT.manifestBytes);
  const inParts = document.kind === "increment" || document.volumes !== undefined;
  return rootBytesMin(document, envelope, inParts ? LONGEST_PART : WHOLE);
}

function largestDocument(plan: Omit<BundlePlan, "rootBytes">): BundleDocument {
  const madeUp = (number: number) => digestFromHex(number.toString(16).padStart(64, "0"));
  const layers = plan.layers.map((layer, index) => ({
    ...layer,
    recipe: { digest: madeUp(index), size: LIMIT.recipeBytes },
  }));
  const packs = Array.from({ length: Math.min(plan.packsMax, LIMIT.entries + 1) }, (_, index) => ({
    digest: madeUp(layers.length + index),
    size: LIMIT.packBytes,
  }));
  const content = contentOf({ ...plan.document, layers, packs });
  return {
    ...plan.document,
    layers,
    packs,
    sizes: {
      root: Number.MAX_SAFE_INTEGER + 1 - BLOCK,
      layers: layers.reduce((sum, layer) => sum + layer.size, 0),
      pieces: plan.pieceBytes,
      content: content.reduce((sum, entry) => sum + entry.size, 0),
    },
  };
}

/** A volume has one entry at least. */
function mostVolumes(document: BundleDocument): NonNullable<BundleDocument["volumes"]> {
  const length = Math.min(contentOf(document).length, LIMIT.volumes);
  return Array.from({ length }, () => ({ entries: LIMIT.entries, size: Number.MAX_SAFE_INTEGER }));
}

function checkDocument(payload: Buffer): void {
  try {
    parseDocument(payload);
  } catch (error) {
    if (!isProblem(error)) throw error;
    throw bundleProblem("BUNDLE_TOO_LARGE", "what is to be exported does not fit into one bundle", {
      why: "the format has limits for counts, sizes and texts",
      hint: "export fewer releases at once, or shorten what the faults name",
      faults: error.faults,
    });
  }
}

function refuseAbove(what: string, sizeBytes: number, sizeBytesMax: number): void {
  if (sizeBytes > sizeBytesMax)
    throw bundleProblem("BUNDLE_TOO_LARGE", "what is to be exported does not fit into one bundle", {
      why: `${what} could take ${sizeBytes} bytes, at most ${sizeBytesMax} are allowed`,
      hint: "export fewer releases at once",
    });
}
