export { type AnswerChangesInput, type Answered, answerChanges } from "./answer-changes.ts";
export { type Change, changeHints, type Decision, MASK } from "./change.ts";
export type { DataWish } from "./data-work.ts";
export type {
  AppRef,
  ComponentData,
  ComponentKind,
  Desired,
  DesiredComponent,
  InstancePort,
  InstanceProbe,
  InstanceSpec,
  Mount,
} from "./desired.ts";
export { diffApps } from "./diff-apps.ts";
export { maskApp, unmaskApp } from "./mask-app.ts";
export { merge } from "./merge.ts";
export type { InstallationNames, Merged, MergeInput } from "./merge-input.ts";
export { nextSteps, type StepResults, type StepState } from "./next-steps.ts";
export type { InstanceState, Observed, ObservedInstance } from "./observed.ts";
export { type PlanShown, planDigest } from "./plan-digest.ts";
export { planReturn, type Returned, type ReturnInput } from "./plan-return.ts";
export { planRun } from "./plan-run.ts";
export type { DriverStepKind, Plan, Step, StepAction, StepBase, StepKind, StepOf } from "./plan-types.ts";
export { type PlanOptions, plan } from "./planner.ts";
export { judgePreflight, preflightVerdict, renderPreflight } from "./preflight.ts";
export type { PreflightCheck, PreflightState } from "./preflight-check.ts";
export type { PreflightFacts, TakenPortFact } from "./preflight-facts.ts";
export {
  type PreflightContent,
  type PreflightImage,
  type PreflightRequirements,
  requirementsOf,
} from "./preflight-requirements.ts";
export { planProblem, planProblems } from "./problems.ts";
export { renderChanges } from "./render-changes.ts";
export { type PlanSummary, planSummary, renderPlan, stepWords } from "./render-plan.ts";
export { type Resolved, type ResolveInput, resolve } from "./resolve.ts";
export {
  canRollout,
  isEnded,
  moveRollout,
  ROLLOUT_TABLE,
  type RolloutEvent,
  type RolloutState,
} from "./rollout.ts";
