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
