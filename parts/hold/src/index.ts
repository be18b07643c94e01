export type { CaptureOptions } from "./capture.ts";
export { Hold, type HoldOptions, openHold } from "./hold.ts";
export { holdProblems } from "./problems.ts";
