import type { BundleDocument } from "./document.ts";

/** What a file has of a bundle's content (SPEC.md section 10). */
export type BundlePart =
  | { readonly kind: "whole" }
  | { readonly kind: "volume"; readonly number: number }
  | { readonly kind: "repair" };

export const WHOLE: BundlePart = { kind: "whole" };

/** The annotation in `index.json` that says which part a file has; none when it is whole. */
export const PART_ANNOTATION = "vnd.sampan.bundle.part";

const VOLUME_FORM = /^volume ([1-9][0-9]{0,3})$/;

export function renderPart(part: BundlePart): string | undefined {
  if (part.kind === "whole") return undefined;
  return part.kind === "repair" ? "repair" : `volume ${part.number}`;
}

/** Undefined when it says nothing that is known. */
export function parsePart(text: string | undefined): BundlePart | undefined {
  if (text === undefined) return WHOLE;
  if (text === "repair") return { kind: "repair" };
  const number = VOLUME_FORM.exec(text)?.[1];
  return number === undefined ? undefined : { kind: "volume", number: Number(number) };
}

/** For people, in a sentence: `the bundle`, `volume 2 of 3`, `the repair`. */
export function partName(file: {
  readonly part: BundlePart;
  readonly document: Pick<BundleDocument, "volumes">;
}): string {
  const { part, document } = file;
  if (part.kind === "whole") return "the bundle";
  return part.kind === "repair" ? "the repair" : `volume ${part.number} of ${document.volumes?.length ?? 0}`;
}
