import type { Step, StepAction } from "./plan-types.ts";

const MINUTE_MS = 60_000;

/** Time limits of steps that do not wait for an app. */
export const STEP_TIMEOUT_MS = {
  network: MINUTE_MS,
  volume: MINUTE_MS,
  image: 60 * MINUTE_MS,
  create: 2 * MINUTE_MS,
  serve: MINUTE_MS,
  /** On top of the grace. */
  remove: MINUTE_MS,
  /** Capturing or putting back the data of a component, where it says nothing. */
  data: 30 * MINUTE_MS,
} as const;

/** Collects steps in order and numbers them; what a step needs must be in the list before it. */
export class StepList {
  readonly steps: Step[] = [];
  #barrier: { readonly at: number; readonly ids: readonly string[] } = { at: 0, ids: [] };

  /** All steps that are added from now on come after these, directly or through others. */
  holdBack(ids: readonly string[]): void {
    this.#barrier = { at: this.steps.length, ids };
  }

  add(
    action: StepAction,
    options: { readonly needs: readonly string[]; readonly why: string; readonly timeoutMs: number },
  ): string {
    const id = `s${this.steps.length + 1}`;
    const given = this.#isHeldBack(options.needs) ? [...options.needs, ...this.#barrier.ids] : options.needs;
    const needs = given.length < 2 ? given : [...new Set(given)].sort(byNumber);
    this.steps.push({ id, needs, why: options.why, timeoutMs: options.timeoutMs, ...action });
    return id;
  }

  #isHeldBack(needs: readonly string[]): boolean {
    const { at, ids } = this.#barrier;
    return ids.length > 0 && needs.every((need) => numberOf(need) <= at);
  }
}

function byNumber(a: string, b: string): number {
  return numberOf(a) - numberOf(b);
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}
