import { isProblem, type Problem } from "@sampan/problem";
import type { Bundle } from "./bundle.ts";
import type { ContentEntry } from "./content-entries.ts";
import { partName } from "./part.ts";
import { bundleProblem } from "./problems.ts";

const FAULTS_MAX = 100;

interface Damage {
  readonly entry: ContentEntry;
  readonly problem: Problem;
}

/** Gathers damage, so that what is whole in a file is still taken, and what is not is named at once. */
export class DamageList {
  readonly #problems: Damage[] = [];

  /** Runs an act on an entry; undefined when the entry is damaged. */
  async run<T>(entry: ContentEntry, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (problem) {
      if (!isProblem(problem, "BUNDLE_DAMAGED")) throw problem;
      this.#problems.push({ entry, problem });
      return undefined;
    }
  }

  get isFull(): boolean {
    return this.#problems.length >= FAULTS_MAX;
  }

  /** Throws BUNDLE_DAMAGED when there was any. */
  throwIfAny(bundle: Pick<Bundle, "document" | "part">, hint: string): void {
    const [first] = this.#problems;
    if (first === undefined) return;
    const where = `${partName(bundle)} is damaged`;
    const { length } = this.#problems;
    throw bundleProblem("BUNDLE_DAMAGED", length === 1 ? where : `${where}, in ${length} parts`, {
      why: length === 1 ? whyOf(first) : "they do not have their digests",
      hint,
      cause: first.problem,
      ...(length === 1
        ? {}
        : {
            faults: this.#problems.map(({ entry, problem }) => ({
              path: entry.label,
              message: `${problem.message}: ${problem.why ?? ""}`,
            })),
          }),
    });
  }
}

/** Always names the entry. */
function whyOf({ entry, problem }: Damage): string {
  const why = problem.why ?? problem.message;
  return why.startsWith(entry.label) ? why : `${entry.label}: ${why}`;
}
