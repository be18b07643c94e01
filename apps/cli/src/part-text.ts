import type { BundleDocument, BundlePart } from "@sampan/bundle";
import { humanBytes } from "./amounts.ts";
import { oneLine } from "./text-width.ts";

/** 0 when the file is no volume. */
export function partNumber(
  part: { readonly kind: string; readonly number?: number | undefined } | undefined,
): number {
  return part?.number ?? 0;
}

/** `volume 2`, `volumes 1 and 3`. */
export function volumeNames(numbers: readonly number[]): string {
  const last = numbers.at(-1);
  if (numbers.length < 2) return `volume ${last}`;
  return `volumes ${numbers.slice(0, -1).join(", ")} and ${last}`;
}

/** What a file has of its bundle, in lines; none of one that is whole and needs nothing else. */
export function renderPart({
  part,
  document,
}: {
  readonly part: BundlePart;
  readonly document: BundleDocument;
}): string[] {
  const { volumes = [], requires } = document;
  const sizes = volumes.map(({ size }, index) => `${index + 1}: ${humanBytes(size)}`).join(", ");
  return [
    ...(part.kind === "volume" ? [`volume ${part.number} of ${volumes.length} (${sizes})`] : []),
    ...(part.kind === "repair" ? ["a repair: sampan import takes it before the file that it heals"] : []),
    ...(requires === undefined
      ? []
      : [
          `builds on ${requires.map((one) => oneLine(`${one.templateName} ${one.version}`)).join(" or ")}, one of which the site must hold`,
        ]),
  ];
}
