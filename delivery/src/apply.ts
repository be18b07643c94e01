import { type Desired, nextSteps, type Plan, type Step, type StepResults } from "@sampan/plan";
import { describeError } from "@sampan/problem";
import type { StepContext } from "@sampan/runtime";
import type { Parts } from "./parts.ts";

export interface ApplyOptions {
  /** Aborts at once, leaving the rest to a later attempt: the server is shutting down. */
  readonly signal: AbortSignal;
  /** Begins nothing more, waits for what runs: somebody cancelled. */
  readonly isCancelled: () => boolean;
  /** How many steps are under way at a time. */
  readonly inFlight: number;
}

/**
 * One attempt at a plan: every step whose needs are done is carried out, several at a time. How each ended is written down before
 * any step that needs it begins, so that an attempt that was cut off goes on where it was. Independent steps go on when one fails.
 */
export async function apply(
  parts: Parts,
  attempt: { readonly rolloutId: string; readonly plan: Plan; readonly desired: Desired },
  options: ApplyOptions,
): Promise<StepResults> {
  const { rolloutId, plan, desired } = attempt;
  const results: Record<string, StepResults[string]> = { ...(await doneBefore(parts, rolloutId)) };
  const running = new Map<string, Promise<void>>();
  const begin = async (step: Step): Promise<void> => {
    const note = { stepId: step.id, ordinal: plan.steps.indexOf(step) };
    await parts.store.rollouts.beginStep(rolloutId, note);
    const fault = await attemptStep(parts, step, desired, options.signal);
    options.signal.throwIfAborted();
    await parts.store.rollouts.endStep(
      rolloutId,
      fault === undefined ? { ...note, state: "succeeded" } : { ...note, state: "failed", message: fault },
    );
    results[step.id] = fault === undefined ? "done" : "failed";
  };
  for (;;) {
    options.signal.throwIfAborted();
    const ready = options.isCancelled() ? [] : nextSteps(plan, results, options.inFlight - running.size);
    for (const step of ready) {
      results[step.id] = "running";
      running.set(
        step.id,
        begin(step).finally(() => running.delete(step.id)),
      );
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  return await noteSkipped(parts, rolloutId, plan, results);
}

/** What an earlier attempt finished. A step that was cut off is done again: steps are idempotent. */
async function doneBefore(parts: Parts, rolloutId: string): Promise<StepResults> {
  const steps = await parts.store.rollouts.steps(rolloutId);
  return Object.fromEntries(
    steps.filter((step) => step.state === "succeeded").map((step) => [step.stepId, "done" as const]),
  );
}

async function noteSkipped(
  parts: Parts,
  rolloutId: string,
  plan: Plan,
  results: StepResults,
): Promise<StepResults> {
  const all: Record<string, StepResults[string]> = { ...results };
  for (const [ordinal, step] of plan.steps.entries()) {
    if (all[step.id] !== undefined) continue;
    all[step.id] = "skipped";
    await parts.store.rollouts.endStep(rolloutId, { stepId: step.id, ordinal, state: "skipped" });
  }
  return all;
}

/** What went wrong, or undefined. */
async function attemptStep(
  parts: Parts,
  step: Step,
  desired: Desired,
  signal: AbortSignal,
): Promise<string | undefined> {
  const timeLimit = AbortSignal.timeout(step.timeoutMs);
  const context: StepContext = {
    desired,
    signal: AbortSignal.any([signal, timeLimit]),
    onProgress: () => undefined,
  };
  try {
    const act = parts.driver.steps[step.kind] as (step: Step, context: StepContext) => Promise<void>;
    await act(step, context);
    return undefined;
  } catch (error) {
    if (timeLimit.aborted && !signal.aborted && error === timeLimit.reason)
      return `it did not finish within ${Math.round(step.timeoutMs / 1000)} s`;
    return describeError(error);
  }
}
