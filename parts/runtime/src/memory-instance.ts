import type { DesiredComponent, InstanceProbe, ObservedInstance } from "@sampan/plan";
import type { InstanceReply, InstanceRequest, LogLine } from "./driver.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { type CheckResult, MemoryProbes } from "./memory-probes.ts";
import type {
  MemoryProgram,
  ProgramLine,
  ProgramResult,
  ProgramRun,
  ProgramWorld,
} from "./memory-program.ts";

const LOG_LINES_MAX = 10_000;
const BACK_OFF_FIRST_MS = 100;
const BACK_OFF_MAX_MS = 60_000;
/** A run this long makes the next restart quick again. */
const STEADY_RUN_MS = 10_000;
const KILLED = 137;

export interface MemoryInstanceOptions {
  readonly id: string;
  readonly component: DesiredComponent;
  readonly index: number;
  readonly generation: number;
  readonly serving: boolean;
  readonly hostPorts: ObservedInstance["hostPorts"];
  readonly program: MemoryProgram;
  readonly files: MemoryFiles;
  readonly now: number;
  /** Asks a name of the network, at a time. */
  fetch(url: string, at: number): InstanceReply | undefined;
  onChange(what: string): void;
}

/** The main process: running, waiting for a restart, or ended for good. */
type Process =
  | {
      readonly kind: "running";
      readonly startedAt: number;
      readonly run: ProgramRun;
      readonly probes: MemoryProbes;
      listenEvents: readonly number[];
    }
  | { readonly kind: "waiting"; readonly restartAt: number; readonly exitCode: number }
  | { readonly kind: "ended"; readonly exitCode: number; readonly stopped: boolean };

/** A container in memory. Its life is a list of events in time; `advance` does those that are due. */
export class MemoryInstance {
  readonly options: MemoryInstanceOptions;
  readonly log: LogLine[] = [];
  serving: boolean;
  #process: Process;
  #advancing = false;
  #restarts = 0;
  #lastExitCode: number | undefined;
  #startedAt: number;
  #backOffMs = BACK_OFF_FIRST_MS;

  constructor(options: MemoryInstanceOptions) {
    this.options = options;
    this.serving = options.serving;
    this.#startedAt = options.now;
    this.#process = this.#start(options.now);
  }

  get id(): string {
    return this.options.id;
  }

  get running(): boolean {
    return this.#process.kind === "running";
  }

  observed(now: number): ObservedInstance {
    this.advance(now);
    const { component, index, generation, hostPorts } = this.options;
    const process = this.#process;
    const message = this.#message();
    return {
      id: this.id,
      component: component.name,
      index,
      generation,
      specDigest: component.specDigest,
      imageId: component.spec.image.id,
      state: this.state,
      serving: this.serving,
      restarts: this.#restarts,
      ...(process.kind === "running" ? {} : { exitCode: process.exitCode }),
      startedAt: new Date(this.#startedAt).toISOString(),
      ...(message === undefined ? {} : { message }),
      hostPorts: process.kind === "running" ? hostPorts : [],
    };
  }

  get state(): ObservedInstance["state"] {
    const process = this.#process;
    if (process.kind === "running") return process.probes.state;
    if (process.kind === "ended" && process.stopped) return "stopped";
    return process.kind === "ended" && process.exitCode === 0 ? "completed" : "failing";
  }

  #message(): string | undefined {
    const process = this.#process;
    if (process.kind === "running") {
      const { message } = process.probes;
      return message === undefined || this.#lastExitCode === undefined
        ? message
        : `it ended with exit code ${this.#lastExitCode} before; ${message}`;
    }
    if (this.state !== "failing") return undefined;
    const again = process.kind === "waiting" ? `, restarted ${this.#restarts} times` : "";
    return `it ended with exit code ${process.exitCode}${again}`;
  }

  /** When something will next happen by itself; undefined: never. `endsOnly` leaves the probes out. */
  nextAt(what: "all" | "life" = "all"): number | undefined {
    const process = this.#process;
    if (process.kind === "waiting") return process.restartAt;
    if (process.kind === "ended") return undefined;
    const times = [...process.listenEvents.slice(0, 1)];
    if (process.run.exit !== undefined) times.push(process.startedAt + process.run.exit.afterMs);
    const probeAt = what === "all" ? process.probes.nextAt() : undefined;
    if (probeAt !== undefined) times.push(probeAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Lives through all that happens until `now`. */
  advance(now: number): void {
    // A check may ask this very instance: it is then in the middle of its own time.
    if (this.#advancing) return;
    this.#advancing = true;
    for (let at = this.nextAt(); at !== undefined && at <= now; at = this.nextAt()) this.#happen(at);
    this.#advancing = false;
  }

  #happen(at: number): void {
    const process = this.#process;
    if (process.kind === "waiting") {
      this.#restarts++;
      this.#process = this.#start(at);
      this.options.onChange("restarted");
      return;
    }
    if (process.kind === "ended") return;
    const { exit } = process.run;
    if (exit !== undefined && process.startedAt + exit.afterMs <= at) {
      this.#exit(exit.code, at);
      return;
    }
    if (process.listenEvents.some((time) => time <= at)) {
      process.listenEvents = process.listenEvents.filter((time) => time > at);
      process.probes.stir(at);
    }
    for (const event of process.probes.advance(at, (probe) => this.#check(probe, at))) {
      if (event === "asks for a restart") {
        this.#exit(KILLED, at);
        return;
      }
      this.options.onChange(event);
    }
  }

  #start(at: number): Process {
    const { program, component } = this.options;
    const run = program.start(this.#world(at));
    this.#startedAt = at;
    for (const line of run.output ?? []) this.#write(line, at);
    return {
      kind: "running",
      startedAt: at,
      run,
      probes: new MemoryProbes(component.spec.probes, at),
      listenEvents: run.listens.map((one) => at + one.afterMs).sort((a, b) => a - b),
    };
  }

  #exit(exitCode: number, at: number): void {
    const { restart } = this.options.component.spec;
    this.#lastExitCode = exitCode;
    const again = restart === "always" || (restart === "on-failure" && exitCode !== 0);
    if (at - this.#startedAt >= STEADY_RUN_MS) this.#backOffMs = BACK_OFF_FIRST_MS;
    this.#process = again
      ? { kind: "waiting", restartAt: at + this.#backOffMs, exitCode }
      : { kind: "ended", exitCode, stopped: false };
    this.#backOffMs = Math.min(this.#backOffMs * 2, BACK_OFF_MAX_MS);
    this.options.onChange(exitCode === 0 ? "ended" : "failed");
  }

  /** Stops for good, as asked. */
  stop(now: number): void {
    this.advance(now);
    if (this.#process.kind === "ended") return;
    this.#process = { kind: "ended", exitCode: 0, stopped: true };
  }

  restart(now: number): void {
    this.advance(now);
    this.#process = this.#start(now);
    this.#backOffMs = BACK_OFF_FIRST_MS;
    this.options.onChange("restarted");
  }

  listens(port: number, now: number): boolean {
    this.advance(now);
    const process = this.#process;
    if (process.kind !== "running") return false;
    return process.run.listens.some((one) => one.port === port && process.startedAt + one.afterMs <= now);
  }

  /** Undefined: nothing answers there. */
  reply(request: InstanceRequest, now: number): InstanceReply | undefined {
    if (!this.listens(request.port, now)) return undefined;
    if (request.kind === "tcp") return { status: 0, body: "" };
    return this.options.program.reply?.(this.#world(now), request) ?? { status: 200, body: "" };
  }

  run(command: readonly string[], now: number, env: Readonly<Record<string, string>> = {}): ProgramResult {
    const world = { ...this.#world(now), env: { ...this.options.component.spec.env, ...env } };
    const result = this.options.program.exec?.(world, command);
    if (this.#process.kind === "running") this.#process.probes.stir(now);
    return result ?? { exitCode: 127, stderr: `${command[0] ?? ""}: not found\n` };
  }

  #world(at: number): ProgramWorld {
    const { component, index, files, fetch } = this.options;
    const { spec } = component;
    return {
      component: component.name,
      index,
      spec,
      command: [...(spec.command ?? []), ...(spec.args ?? [])],
      env: spec.env,
      files,
      restarts: this.#restarts,
      fetch: (url) => fetch(url, at),
    };
  }

  #check({ check, timeoutMs }: InstanceProbe, now: number): CheckResult {
    if (check.kind === "exec") {
      const result = this.options.program.exec?.(this.#world(now), check.command);
      const code = result?.exitCode ?? 127;
      if ((result?.takesMs ?? 0) > timeoutMs) return { passes: false, message: "the command takes too long" };
      return code === 0 ? { passes: true } : { passes: false, message: `the command ends with ${code}` };
    }
    const request =
      check.kind === "tcp"
        ? { kind: "tcp" as const, port: check.port, timeoutMs }
        : { ...check, kind: "http" as const, method: "GET", timeoutMs };
    const process = this.#process;
    const listens =
      process.kind === "running" &&
      process.run.listens.some((one) => one.port === check.port && process.startedAt + one.afterMs <= now);
    if (!listens) return { passes: false, message: `nothing listens at port ${check.port}` };
    if (request.kind === "tcp") return { passes: true };
    const { status } = this.options.program.reply?.(this.#world(now), request) ?? { status: 200 };
    const wanted = check.kind === "http" ? check.status : undefined;
    const passes = wanted === undefined ? status >= 200 && status < 400 : status === wanted;
    return passes ? { passes } : { passes, message: `GET :${check.port}${request.path} answers ${status}` };
  }

  #write(line: ProgramLine, at: number): void {
    this.log.push({ at: new Date(at).toISOString(), ...line });
    if (this.log.length > LOG_LINES_MAX) this.log.splice(0, this.log.length - LOG_LINES_MAX);
  }
}
