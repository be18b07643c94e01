export type {
  Capabilities,
  Driver,
  ExecOptions,
  ExecResult,
  FoundApp,
  FoundImage,
  ImageSource,
  InstanceRef,
  InstanceReply,
  InstanceRequest,
  InstanceStats,
  LogLine,
  LogOptions,
  StepContext,
  Terminal,
} from "./driver.ts";
export { runtimeProblem, runtimeProblems } from "./problems.ts";
