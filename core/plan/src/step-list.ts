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
} as const;

/** Collects steps in order and numbers them; what a step needs must be in the list before it. */
export class StepList {
  readonly steps: Step[] = [];

  add(
    action: StepAction,
    options: { readonly needs: readonly string[]; readonly why: string; readonly timeoutMs: number },
  ): string {
    const id = `s${this.steps.length + 1}`;
    const needs = options.needs.length < 2 ? options.needs : [...new Set(options.needs)].sort(byNumber);
    this.steps.push({ id, needs, why: options.why, timeoutMs: options.timeoutMs, ...action });
    return id;
  }
}

function byNumber(a: string, b: string): number {
  return Number(a.slice(1)) - Number(b.slice(1));
}
