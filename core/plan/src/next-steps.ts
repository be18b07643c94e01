import type { Plan, Step } from "./plan-types.ts";

/** `skipped`: it was not begun, because what it needs failed or somebody cancelled. */
export type StepState = "running" | "done" | "failed" | "skipped";

/** By step id; a step that is not there has not begun. */
export type StepResults = Readonly<Record<string, StepState>>;

/** The steps that may begin now, in the plan's order, at most `free`: all that they need is done. Independent steps go on when one fails. */
export function nextSteps(plan: Plan, results: StepResults, free: number): readonly Step[] {
  const ready: Step[] = [];
  for (const step of plan.steps) {
    if (ready.length >= free) break;
    if (results[step.id] === undefined && step.needs.every((id) => results[id] === "done")) ready.push(step);
  }
  return ready;
}
