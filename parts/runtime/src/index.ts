export { type Clock, systemClock, virtualClock } from "./clock.ts";
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
  TakenPort,
  Terminal,
  VolumeRef,
} from "./driver.ts";
export { memoryDriver } from "./memory.ts";
export { MemoryEngine, type MemoryEngineOptions, type ProgramMatch } from "./memory-engine.ts";
export { dockerSaveTar, type MemoryImage, makeImage } from "./memory-image.ts";
export {
  crashing,
  ending,
  type MemoryProgram,
  neverReady,
  type ProgramLine,
  type ProgramResult,
  type ProgramRun,
  type ProgramWorld,
  serving,
} from "./memory-program.ts";
export { runtimeProblem, runtimeProblems } from "./problems.ts";
export { leadingInstances, type RunningApp, runningApp } from "./running-app.ts";
export { checksumOf, type TarWalkEntry, walkTar } from "./tar-walk.ts";
export { type TarFile, writeTar } from "./tar-writer.ts";
