import type { InstanceSpec } from "@sampan/plan";
import type { InstanceReply, InstanceRequest } from "./driver.ts";
import type { MemoryFiles } from "./memory-files.ts";

/** What an image does when it runs in the memory engine: the script of its main process, and its answers. */
export interface MemoryProgram {
  /** Called at each start of the main process. */
  start(world: ProgramWorld): ProgramRun;
  /** Answers a request to a port that listens; status 200 with an empty body when absent. */
  reply?(world: ProgramWorld, request: InstanceRequest & { readonly kind: "http" }): InstanceReply;
  /** Runs a command inside; undefined: no such command. */
  exec?(world: ProgramWorld, command: readonly string[]): ProgramResult | undefined;
  /** Bytes in use; 16 MiB when absent. */
  readonly memoryBytes?: number;
}

export interface ProgramRun {
  /** The process ends by itself. It runs until it is stopped when absent. */
  readonly exit?: { readonly afterMs: number; readonly code: number };
  readonly listens: readonly { readonly port: number; readonly afterMs: number }[];
  /** What it writes at once. */
  readonly output?: readonly ProgramLine[];
}

export interface ProgramLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** How long it takes; 0 when absent. */
  readonly takesMs?: number;
}

/** What a program sees of where it runs. */
export interface ProgramWorld {
  readonly component: string;
  readonly index: number;
  readonly spec: InstanceSpec;
  /** Command and arguments, as the specification gives them. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: MemoryFiles;
  /** How often the main process was started before. */
  readonly restarts: number;
  /** Asks a name of the app's network, as a client there would; undefined: no such name, or nothing listens. */
  fetch(url: string): InstanceReply | undefined;
}

/** Listens on every port of its specification after `afterMs`, and answers with its name. */
export function serving(afterMs = 300): MemoryProgram {
  return {
    start: ({ spec, component, index }) => ({
      listens: spec.ports.map(({ port }) => ({ port, afterMs })),
      output: [{ stream: "stdout", text: `${component} ${index} started` }],
    }),
    reply: ({ component, index }) => ({ status: 200, body: `${component} ${index}\n` }),
    exec: (_world, [name, ...words]) =>
      name === "echo" ? { exitCode: 0, stdout: `${words.join(" ")}\n` } : undefined,
  };
}

/** Ends with `code`, again and again. */
export function crashing(code = 1, afterMs = 50): MemoryProgram {
  return {
    start: () => ({
      exit: { afterMs, code },
      listens: [],
      output: [{ stream: "stderr", text: `fatal: ends with code ${code}` }],
    }),
  };
}

/** Runs, and never listens; its exec probes fail. */
export function neverReady(): MemoryProgram {
  return { start: () => ({ listens: [] }), exec: () => ({ exitCode: 1, stderr: "not ready\n" }) };
}

/** A job that takes `afterMs` and ends with `code`. */
export function ending(code = 0, afterMs = 100): MemoryProgram {
  return {
    start: () => ({ exit: { afterMs, code }, listens: [], output: [{ stream: "stdout", text: "working" }] }),
  };
}

/** What runs where nothing was scripted: jobs end well, all else serves. */
export function ordinary(kind: "stateless" | "stateful" | "job" | "cron"): MemoryProgram {
  return kind === "job" || kind === "cron" ? ending() : serving();
}
