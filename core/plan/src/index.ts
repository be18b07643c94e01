export type {
  AppRef,
  ComponentKind,
  Desired,
  DesiredComponent,
  InstancePort,
  InstanceProbe,
  InstanceSpec,
  Mount,
} from "./desired.ts";
export type { InstanceState, Observed, ObservedInstance } from "./observed.ts";
export type { Plan, Step, StepAction, StepBase, StepKind, StepOf } from "./plan-types.ts";
export { type PlanOptions, plan } from "./planner.ts";
export { planProblem, planProblems } from "./problems.ts";
export { type PlanSummary, planSummary, renderPlan, stepWords } from "./render-plan.ts";
