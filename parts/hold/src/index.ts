export type { CaptureOptions } from "./capture.ts";
export type { CheckOptions, CheckReport, Damage, HoldStats } from "./check.ts";
export { type Hold, type HoldOptions, openHold } from "./hold.ts";
export { holdProblems } from "./problems.ts";
export type { PruneResult } from "./prune.ts";
export type { PruneInputs, PrunePlan } from "./prune-plan.ts";
