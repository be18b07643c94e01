import { partNumber } from "./part-text.ts";

/** What a file is of which bundle. */
export interface FileOfBundle {
  readonly path: string;
  readonly manifestDigest: string;
  readonly part?: { readonly kind: "volume" | "repair"; readonly number?: number | undefined } | undefined;
}

/** What a job says of a file that was taken in. */
export interface TakenIn {
  readonly complete: boolean;
  readonly missing: readonly number[];
}

/** How far bundles have come while one file after the other is taken in. */
export class ArrivedParts {
  readonly #known = new Map<string, TakenIn>();

  /** True when nothing in the file is wanted any more. */
  isSettled({ manifestDigest, part }: FileOfBundle): boolean {
    const known = this.#known.get(manifestDigest);
    if (known === undefined) return false;
    return known.complete || (part?.kind === "volume" && !known.missing.includes(partNumber(part)));
  }

  add({ manifestDigest }: FileOfBundle, taken: TakenIn): void {
    this.#known.set(manifestDigest, taken);
  }

  get areComplete(): boolean {
    return [...this.#known.values()].every(({ complete }) => complete);
  }
}

/** Repairs first: what they bring need not be whole in the files that come after them. */
export function inOrder<T extends FileOfBundle>(files: readonly T[]): T[] {
  return files.toSorted((a, b) => rank(a) - rank(b));
}

function rank({ part }: FileOfBundle): number {
  return part?.kind === "repair" ? -1 : partNumber(part);
}
