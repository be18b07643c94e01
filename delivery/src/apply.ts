import {
  type Desired,
  type DriverStepKind,
  nextSteps,
  type Plan,
  type Step,
  type StepOf,
  type StepResults,
} from "@sampan/plan";
import { describeError, isProblem } from "@sampan/problem";
import type { StepContext } from "@sampan/runtime";
import { carryOutData, isDataStep } from "./data-steps.ts";
import { isRepeatable } from "./move-rollout.ts";
import type { Parts } from "./parts.ts";

export interface ApplyOptions {
  /** Aborts at once, leaving the rest to a later attempt: the server is shutting down. */
  readonly signal: AbortSignal;
  /** Begins nothing more, waits for what runs: somebody cancelled. */
  readonly cancel: AbortSignal;
  /** How many steps are under way at a time. */
  readonly inFlight: number;
}

/**
 * One attempt at a plan: every step whose needs are done is carried out, several at a time. How each ended is written down before
 * any step that needs it begins, so that an attempt that was cut off goes on where it was. Independent steps go on when one fails.
 * Throws when it was interrupted, and when the engine does not answer: then the steps that were under way count as not begun.
 */
export async function apply(parts: Parts, attempt: Attempt, options: ApplyOptions): Promise<StepResults> {
  const { rolloutId, plan } = attempt;
  const results: Record<string, StepResults[string]> = { ...(await doneBefore(parts, rolloutId)) };
  const running = new Map<string, Promise<void>>();
  try {
    for (;;) {
      options.signal.throwIfAborted();
      const free = options.inFlight - running.size;
      for (const step of options.cancel.aborted ? [] : nextSteps(plan, results, free)) {
        results[step.id] = "running";
        const ended = carryOut(parts, attempt, step, options.signal).then((state) => {
          results[step.id] = state;
          running.delete(step.id);
        });
        running.set(step.id, ended);
      }
      if (running.size === 0) break;
      await Promise.race(running.values());
    }
  } finally {
    // The next attempt must not begin a step that this one still works at.
    await Promise.allSettled(running.values());
  }
  return await noteSkipped(parts, rolloutId, plan, results);
}

interface Attempt {
  readonly rolloutId: string;
  readonly plan: Plan;
  readonly desired: Desired;
}

async function carryOut(
  parts: Parts,
  attempt: Attempt,
  step: Step,
  signal: AbortSignal,
): Promise<"done" | "failed"> {
  const { rolloutId, plan } = attempt;
  const note = { stepId: step.id, ordinal: plan.steps.indexOf(step) };
  await parts.store.rollouts.beginStep(rolloutId, note);
  const fault = await attemptStep(parts, attempt, step, signal).finally(() =>
    parts.progress.end(rolloutId, step.id),
  );
  signal.throwIfAborted();
  if (fault === undefined) await parts.store.rollouts.endStep(rolloutId, { ...note, state: "succeeded" });
  else await parts.store.rollouts.endStep(rolloutId, { ...note, state: "failed", message: fault });
  return fault === undefined ? "done" : "failed";
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

/** What went wrong, or undefined. An engine or a store that does not answer says nothing about the step: that is thrown. */
async function attemptStep(
  parts: Parts,
  { rolloutId, plan, desired }: Attempt,
  step: Step,
  signal: AbortSignal,
): Promise<string | undefined> {
  const timeLimit = AbortSignal.timeout(step.timeoutMs);
  const context: StepContext = {
    desired,
    signal: AbortSignal.any([signal, timeLimit]),
    onProgress: (progress) => parts.progress.note(rolloutId, step.id, progress),
  };
  try {
    if (isDataStep(step)) await carryOutData(parts, plan, step, context);
    else await carryOutByDriver(parts, step, context);
    return undefined;
  } catch (error) {
    if (timeLimit.aborted && !signal.aborted && error === timeLimit.reason)
      return `it did not finish within ${Math.round(step.timeoutMs / 1000)} s`;
    if (isProblem(error) && isRepeatable(error)) throw error;
    return describeError(error);
  }
}

export async function carryOutByDriver(
  parts: Pick<Parts, "driver">,
  step: StepOf<DriverStepKind>,
  context: StepContext,
): Promise<void> {
  const act = parts.driver.steps[step.kind] as (
    step: StepOf<DriverStepKind>,
    context: StepContext,
  ) => Promise<void>;
  await act(step, context);
}
