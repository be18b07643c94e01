import type { Digest } from "@sampan/content";
import type { AppRef, DesiredComponent, Step } from "@sampan/plan";
import type { Clock } from "./clock.ts";
import { type FileMap, MemoryFiles } from "./memory-files.ts";
import type { MemoryImage } from "./memory-image.ts";
import { MemoryInstance } from "./memory-instance.ts";
import { type MemoryProgram, ordinary } from "./memory-program.ts";
import { runtimeProblem } from "./problems.ts";

export interface MemoryEngineOptions {
  readonly clock: Clock;
  /** amd64 when absent. */
  readonly architecture?: string;
  /** Gives the image behind a reference, as a registry would. Undefined: there is none. Where the option is absent, a hollow image is made. */
  readonly pull?: (pull: {
    readonly imageId: Digest;
    readonly reference: string;
    readonly username?: string;
    readonly password?: string;
  }) => Promise<MemoryImage | undefined>;
  /** `watched`: whoever watches is told what happens when it happens, so time goes on; else only when somebody looks. For a clock that is real. */
  readonly pace?: "watched" | "looked-at";
  /** Ports of the machine that something else holds, from the start. */
  readonly takenPorts?: readonly number[];
}

export interface MemoryApp {
  readonly ref: AppRef;
  network: boolean;
  /** By `owner/volume`. */
  readonly volumes: Map<string, FileMap>;
  /** By id, in the order of their making. */
  readonly instances: Map<string, MemoryInstance>;
}

type Change = { readonly app: string; readonly component?: string; readonly what: string };

const FREE_PORT_FIRST = 32_768;

/** A container engine that is not there: what drivers share, and what outlives them. Tests script it through its fields. */
export class MemoryEngine {
  readonly clock: Clock;
  readonly architecture: string;
  readonly pull: MemoryEngineOptions["pull"];
  readonly pace: "watched" | "looked-at";
  readonly apps = new Map<string, MemoryApp>();
  readonly images = new Map<Digest, MemoryImage>();
  /** Ports of the machine that something else holds. */
  readonly takenPorts: Set<number>;
  /** True: nothing answers. */
  unreachable = false;
  /** Called before and after each step: a place to fail, to wait, or to count. */
  onStep: ((step: Step, when: "before" | "after") => void | Promise<void>) | undefined;
  readonly #programs: { readonly of: ProgramMatch; readonly program: MemoryProgram }[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  #made = 0;

  constructor(options: MemoryEngineOptions) {
    this.clock = options.clock;
    this.architecture = options.architecture ?? "amd64";
    this.pull = options.pull;
    this.pace = options.pace ?? "looked-at";
    this.takenPorts = new Set(options.takenPorts);
  }

  /** Says what an image does, or a component, or an image in a component. The last that matches counts. */
  script(of: ProgramMatch, program: MemoryProgram): void {
    this.#programs.push({ of, program });
  }

  /** When something will next happen by itself, of all that runs. */
  nextAt(): number | undefined {
    let soonest: number | undefined;
    for (const app of this.apps.values())
      for (const one of app.instances.values()) {
        const at = one.nextAt();
        if (at !== undefined && at < (soonest ?? Number.POSITIVE_INFINITY)) soonest = at;
      }
    return soonest;
  }

  /** Lives through all that is due. */
  advance(): void {
    const now = this.clock.now();
    for (const app of this.apps.values()) for (const one of app.instances.values()) one.advance(now);
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  appOf(ref: AppRef): MemoryApp {
    const known = this.apps.get(ref.id);
    if (known !== undefined) return known;
    const made: MemoryApp = { ref, network: false, volumes: new Map(), instances: new Map() };
    this.apps.set(ref.id, made);
    return made;
  }

  /** Makes and starts an instance. Throws RUNTIME_PORT_TAKEN, RUNTIME_REFUSED; nothing is made then. */
  createInstance(
    app: MemoryApp,
    component: DesiredComponent,
    options: { readonly index: number; readonly generation: number; readonly serving: boolean },
  ): MemoryInstance {
    const { spec, name } = component;
    if (!app.network)
      throw runtimeProblem("RUNTIME_REFUSED", `cannot make ${name}`, { why: "the app has no network" });
    const files: FileMap = new Map(spec.files.map((file) => [file.path, file.content]));
    const mounts = spec.mounts.map((mount) => {
      if (mount.kind === "memory") return { path: mount.path, files: new Map(), readOnly: false };
      const volume = app.volumes.get(`${mount.owner}/${mount.volume}`);
      if (volume === undefined)
        throw runtimeProblem("RUNTIME_REFUSED", `cannot make ${name}`, {
          why: `there is no volume ${mount.volume} of ${mount.owner}`,
        });
      return { path: mount.path, files: volume, readOnly: mount.readOnly };
    });
    const instance: MemoryInstance = new MemoryInstance({
      ...options,
      id: `memory-${++this.#made}`,
      component,
      hostPorts: this.#takePorts(component),
      program: this.#programOf(component),
      files: new MemoryFiles(files, mounts),
      now: this.clock.now(),
      fetch: (url, at) => this.#fetch(app, url, at),
      onChange: (what) => this.tell({ app: app.ref.id, component: name, what }),
    });
    app.instances.set(instance.id, instance);
    return instance;
  }

  #programOf({ name, kind, spec }: DesiredComponent): MemoryProgram {
    const match = this.#programs.findLast(
      ({ of }) =>
        (of.component === undefined || of.component === name) &&
        (of.image === undefined || of.image === spec.image.id || of.image === spec.image.name),
    );
    return match?.program ?? ordinary(kind);
  }

  #takePorts({
    name,
    spec,
  }: DesiredComponent): readonly { readonly name: string; readonly hostPort: number }[] {
    if (spec.ports.every((port) => port.hostPort === undefined)) return [];
    const held = new Set(this.takenPorts);
    const now = this.clock.now();
    for (const app of this.apps.values())
      for (const one of app.instances.values())
        for (const { hostPort } of one.observed(now).hostPorts) held.add(hostPort);
    return spec.ports.flatMap((port) => {
      if (port.hostPort === undefined) return [];
      let { hostPort } = port;
      if (hostPort === 0) for (hostPort = FREE_PORT_FIRST; held.has(hostPort); hostPort++);
      if (held.has(hostPort))
        throw runtimeProblem("RUNTIME_PORT_TAKEN", `port ${hostPort} of the machine is taken`, {
          why: `${name} asks for it, and something else holds it`,
          hint: "free it, or choose another port",
        });
      held.add(hostPort);
      return [{ name: port.name, hostPort }];
    });
  }

  /** The network's name service and its traffic: a component's name reaches what serves, `name-index` one instance. */
  #fetch(app: MemoryApp, url: string, at: number) {
    const { hostname, port, pathname, search } = new URL(url);
    const request = {
      kind: "http" as const,
      port: port === "" ? 80 : Number(port),
      path: `${pathname}${search}`,
      method: "GET",
      headers: {},
      timeoutMs: 1000,
    };
    for (const one of app.instances.values()) {
      const { component, index } = one.options;
      const named = hostname === component.name ? one.serving : hostname === `${component.name}-${index}`;
      const reply = named ? one.reply(request, at) : undefined;
      if (reply !== undefined) return reply;
    }
    return undefined;
  }
}

export interface ProgramMatch {
  /** Image ID or name. */
  readonly image?: string;
  readonly component?: string;
}
