import type { Digest } from "@sampan/content";
import type { Fault } from "@sampan/problem";
import {
  type AppBody,
  askedParameters,
  type Component,
  type ComponentPort,
  canonicalText,
  checkParameters,
  durationMs,
  EnvironmentValues,
  expandText,
  type ModuleChoice,
  type ParameterValue,
  type PinnedImage,
  type Probe,
  selectModules,
  sizeBytes,
  type Volume,
} from "@sampan/template";
import type {
  AppRef,
  Desired,
  DesiredComponent,
  InstancePort,
  InstanceProbe,
  InstanceSpec,
  Mount,
} from "./desired.ts";

import { resolveData } from "./resolve-data.ts";

export interface ResolveInput {
  readonly appRef: AppRef;
  readonly generation: number;
  readonly modules: ModuleChoice;
  readonly values: {
    /** Answers and kept values; they are checked again, and defaults filled in. */
    readonly parameters: Readonly<Record<string, unknown>>;
    /** By key of `listGenerated`. */
    readonly generated: Readonly<Record<string, string>>;
    /** By `component/port`: ports of the site for exposed ports that name none. A plan chooses nothing, so they were picked before. */
    readonly hostPorts?: Readonly<Record<string, number>>;
  };
  /** What each image reference of the app stands for now. Pinned images need no entry. */
  readonly images: Readonly<Record<string, Pick<PinnedImage, "id" | "name">>>;
  readonly sha256: (text: string) => Digest;
}

export interface Resolved {
  /** There exactly when there is no fault. */
  readonly desired?: Desired;
  readonly faults: readonly Fault[];
}

/** Turns a valid app (see `parseApp`) and what a site chose into what should run. All that is missing is said at once. */
export function resolve(app: AppBody, input: ResolveInput): Resolved {
  const selection = selectModules(app, input.modules);
  const asked = askedParameters(app, selection.components);
  const answers = checkParameters(app.parameters ?? {}, input.values.parameters, { asked });
  const faults: Fault[] = [...selection.faults, ...answers.faults];
  const environments = new EnvironmentValues(app, {
    parameters: answers.values,
    generated: input.values.generated,
    fault: (path, message) => faults.push({ path, message }),
  });
  const scope: Scope = { input, parameters: answers.values, environments, faults, hostPorts: new Map() };
  const components = selection.components.toSorted().flatMap((name) => {
    const component = app.components[name];
    return component === undefined ? [] : resolveComponent(scope, name, component);
  });
  if (faults.length > 0) return { faults };
  return { desired: { app: input.appRef, generation: input.generation, components }, faults: [] };
}

interface Scope {
  readonly input: ResolveInput;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly environments: EnvironmentValues;
  readonly faults: Fault[];
  /** Who has each port of the site. */
  readonly hostPorts: Map<string, string>;
}

const START_WITHIN = "120s";
const STOP_GRACE = "10s";
const FILE_MODE = "0644";

function resolveComponent(scope: Scope, name: string, component: Component): DesiredComponent[] {
  const image = resolveImage(scope, name, component);
  const { env, secretEnv } = scope.environments.of(name);
  const isTask = component.kind === "job" || component.kind === "cron";
  const ports = Object.entries(component.ports ?? {})
    .sort(byName)
    .map(([port, value]) => resolvePort(scope, `${name}/${port}`, value));
  const files = resolveFiles(scope, name, component);
  if (image === undefined) return [];
  const { user, addCapabilities, dropCapabilities, readOnlyRoot, privileged } = component.security ?? {};
  const spec: InstanceSpec = {
    image,
    ...(component.command === undefined ? {} : { command: component.command }),
    ...(component.args === undefined ? {} : { args: component.args }),
    env,
    secretEnv,
    files,
    mounts: Object.entries(component.volumes ?? {})
      .sort(byName)
      .map(([volume, value]) => resolveMount(name, volume, value)),
    ports,
    probes: resolveProbes(component.probes ?? {}),
    ...resolveResources(component),
    restart: component.restart ?? (isTask ? "never" : "always"),
    labels: component.labels ?? {},
    stopGraceMs: durationMs(component.stopGrace ?? STOP_GRACE),
    security: {
      ...(user === undefined ? {} : { user }),
      addCapabilities: addCapabilities?.toSorted() ?? [],
      dropCapabilities: dropCapabilities?.toSorted() ?? [],
      readOnlyRoot: readOnlyRoot ?? false,
      privileged: privileged ?? false,
    },
  };
  const data = resolveData(component);
  return [
    {
      name,
      id: component.id ?? name,
      kind: component.kind,
      needs: [...new Set(component.needs)].sort(),
      replicas: component.kind === "cron" ? 0 : (component.replicas ?? 1),
      startWithinMs: durationMs(component.startWithin ?? START_WITHIN),
      // The name of an image says nothing about what runs.
      specDigest: scope.input.sha256(canonicalText({ ...spec, image: { id: spec.image.id } })),
      spec,
      ...(data === undefined ? {} : { data }),
      ...(component.kind === "cron" && component.schedule !== undefined
        ? { schedule: component.schedule }
        : {}),
    },
  ];
}

function resolveResources({ resources = {} }: Component): Pick<InstanceSpec, "limits" | "requests"> {
  const { request, limit } = resources;
  return {
    limits: {
      ...(limit?.cpu === undefined ? {} : { cpu: limit.cpu }),
      ...(limit?.memory === undefined ? {} : { memoryBytes: sizeBytes(limit.memory) }),
      ...(limit?.processes === undefined ? {} : { processes: limit.processes }),
    },
    requests: {
      ...(request?.cpu === undefined ? {} : { cpu: request.cpu }),
      ...(request?.memory === undefined ? {} : { memoryBytes: sizeBytes(request.memory) }),
    },
  };
}

function resolveImage(
  { input, faults }: Scope,
  name: string,
  { image }: Component,
): InstanceSpec["image"] | undefined {
  if (typeof image === "object") return { id: image.id, name: image.name };
  const found = image !== undefined && Object.hasOwn(input.images, image) ? input.images[image] : undefined;
  if (found !== undefined) return { id: found.id, name: found.name };
  const message =
    image === undefined
      ? "is only to be built: build it, and give the image"
      : `the image ${image} is not here`;
  faults.push({ path: `components.${name}.image`, message });
  return undefined;
}

function resolveFiles(
  { environments, faults }: Scope,
  name: string,
  { files }: Component,
): InstanceSpec["files"] {
  return Object.entries(files ?? {})
    .sort(byName)
    .map(([path, { content, mode, expand }]) => {
      const text =
        expand === true
          ? expandText(content, (variable) => environments.of(name).visible[variable])
          : content;
      if (text === undefined)
        faults.push({
          path: `components.${name}.files.${path}`,
          message: "gets larger than 4 MiB when its variables are replaced",
        });
      return { path, content: text ?? "", mode: Number.parseInt(mode ?? FILE_MODE, 8) };
    });
}

function resolvePort(
  scope: Scope,
  key: string,
  { port, protocol, exposed, hostPort }: ComponentPort,
): InstancePort {
  const [component = "", name = ""] = key.split("/");
  const inner = { name, port, protocol };
  if (exposed !== true) return inner;
  const { hostPorts = {} } = scope.input.values;
  const picked = Object.hasOwn(hostPorts, key) ? hostPorts[key] : undefined;
  const given = typeof hostPort === "object" ? scope.parameters[hostPort.parameter] : (hostPort ?? picked);
  const fault = (message: string) =>
    scope.faults.push({ path: `components.${component}.ports.${name}.hostPort`, message });
  if (given === undefined) {
    fault(
      typeof hostPort === "object"
        ? `the parameter \`${hostPort.parameter}\` has no value`
        : "no port of the site was picked for it",
    );
    return inner;
  }
  if (typeof given !== "number" || !Number.isInteger(given) || given < 1 || given > 65_535) {
    fault(`${given} is not a port number`);
    return inner;
  }
  const claim = `${given}/${protocol === "udp" ? "udp" : "tcp"}`;
  const other = scope.hostPorts.get(claim);
  if (other !== undefined) fault(`${claim} is already taken by the port ${other}`);
  scope.hostPorts.set(claim, key);
  return { ...inner, hostPort: given };
}

function resolveMount(
  component: string,
  volume: string,
  { kind, path, size, from, readOnly }: Volume,
): Mount {
  if (kind === "memory") return { kind, path, ...(size === undefined ? {} : { sizeBytes: sizeBytes(size) }) };
  return { kind: "volume", owner: from ?? component, volume, path, readOnly: readOnly ?? false };
}

/** How many failures in a row count when nothing is said: while starting, `startWithin` is the limit; a busy moment is not unreadiness. */
const FAILURES = { start: 60, live: 3, ready: 6 } as const;

function resolveProbes(probes: NonNullable<Component["probes"]>): InstanceSpec["probes"] {
  const { start, live, ready } = probes;
  return {
    ...(start === undefined ? {} : { start: resolveProbe(start, FAILURES.start) }),
    ...(live === undefined ? {} : { live: resolveProbe(live, FAILURES.live) }),
    ...(ready === undefined ? {} : { ready: resolveProbe(ready, FAILURES.ready) }),
  };
}

function resolveProbe(probe: Probe, failures: number): InstanceProbe {
  return {
    check: resolveCheck(probe),
    delayMs: durationMs(probe.delay ?? "0s"),
    periodMs: durationMs(probe.period ?? "5s"),
    timeoutMs: durationMs(probe.timeout ?? "3s"),
    failures: probe.failures ?? failures,
    successes: probe.successes ?? 1,
  };
}

function resolveCheck({ http, tcp, exec }: Probe): InstanceProbe["check"] {
  if (http === undefined)
    return tcp === undefined ? { kind: "exec", command: exec ?? [] } : { kind: "tcp", port: tcp.port };
  const { port, path, headers, status } = http;
  return {
    kind: "http",
    port,
    path: path ?? "/",
    headers: headers ?? {},
    ...(status === undefined ? {} : { status }),
  };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
