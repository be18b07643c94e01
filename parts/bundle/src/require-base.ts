import type { CargoSink } from "@sampan/content";
import type { BundleDocument } from "./document.ts";
import { bundleProblem } from "./problems.ts";

/** An increment needs one base whose layers are all held. Throws BUNDLE_BASE_MISSING. */
export async function requireBase(document: BundleDocument, sink: CargoSink): Promise<void> {
  if (document.kind === "full") return;
  const bases = document.requires ?? [];
  const lacks: string[] = [];
  for (const base of bases) {
    let missing = 0;
    for (const diffId of base.diffIds) if (!(await sink.hasLayer(diffId))) missing++;
    if (missing === 0) return;
    lacks.push(`${base.templateName} ${base.version} (lacks ${missing} of ${base.diffIds.length} layers)`);
  }
  const names = bases.map((base) => `${base.templateName} ${base.version}`).join(" or ");
  throw bundleProblem(
    "BUNDLE_BASE_MISSING",
    "the bundle is an increment on a release that is not held here",
    {
      why: `it builds on one of: ${lacks.join("; ")}`,
      hint: `import ${names} first; or ask for a full bundle, or for an increment on what is held here`,
    },
  );
}

/** What only a site with a base can prove of an increment. */
export interface Unproven {
  /** `Shop 2.9`: any of these. */
  readonly bases: readonly string[];
  /** Layers of its images that the base has, and that are not in the bundle. */
  readonly layersOfBase: number;
  /** Pieces that layers in the bundle take from the base. */
  readonly pieceCount: number;
  readonly pieceBytes: number;
}

/** Undefined when the bundle needs nothing but itself. */
export function unprovenOf(document: BundleDocument): Unproven | undefined {
  const [first] = document.requires ?? [];
  if (document.requires === undefined || first === undefined) return undefined;
  const carried = new Set(document.layers.map((layer) => layer.diffId));
  const used = new Set(document.images.flatMap((image) => image.diffIds));
  return {
    bases: document.requires.map((base) => `${base.templateName} ${base.version}`),
    layersOfBase: [...used].filter((diffId) => !carried.has(diffId)).length,
    pieceCount: first.pieceCount,
    pieceBytes: first.pieceBytes,
  };
}
