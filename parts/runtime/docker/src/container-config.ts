import type { DesiredComponent, InstancePort, InstanceSpec } from "@sampan/plan";
import type { EngineImage, EngineLabels } from "./engine-types.ts";
import { portKey } from "./labels.ts";

/** What the driver chose for one instance, beside its spec. */
export interface InstancePlace {
  readonly labels: EngineLabels;
  readonly network: string;
  readonly address: string;
  readonly aliases: readonly string[];
  /** The engine's name of a volume that a mount of the spec means. */
  readonly volumeName: (mount: { readonly owner: string; readonly volume: string }) => string;
  /** Config files that are bound from a folder of the engine's machine instead of being put into the container. */
  readonly boundFiles: readonly { readonly source: string; readonly path: string }[];
  readonly init: "engine" | "none";
}

const RESTART_POLICY = {
  always: { Name: "unless-stopped" },
  "on-failure": { Name: "on-failure", MaximumRetryCount: 0 },
  never: { Name: "no" },
} as const;

/** Of Docker's default capabilities, those that let a container forge packets and make device nodes. */
const DROPPED_CAPABILITIES = ["MKNOD", "NET_RAW"];

/** The body of `POST /containers/create`. */
export function containerBody(component: DesiredComponent, index: number, place: InstancePlace): object {
  const { spec } = component;
  return {
    Image: spec.image.id,
    Hostname: `${component.name}-${index}`,
    ...(spec.command === undefined ? {} : { Entrypoint: spec.command }),
    ...(spec.args === undefined ? {} : { Cmd: spec.args }),
    Env: Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
    ...(spec.security.user === undefined ? {} : { User: spec.security.user }),
    Labels: { ...spec.labels, ...place.labels },
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [portKey(port), {}])),
    StopTimeout: Math.ceil(spec.stopGraceMs / 1000),
    // Sampan probes by itself; the image's own check would only cost processor time.
    Healthcheck: { Test: ["NONE"] },
    HostConfig: hostConfig(spec, place),
    NetworkingConfig: {
      EndpointsConfig: { [place.network]: endpoint(place) },
    },
  };
}

/** The body of an endpoint: a fixed address, and the names it answers to. */
export function endpoint(place: { readonly address: string; readonly aliases: readonly string[] }): object {
  return { IPAMConfig: { IPv4Address: place.address }, Aliases: place.aliases };
}

function hostConfig(spec: InstanceSpec, place: InstancePlace): object {
  const { security } = spec;
  return {
    NetworkMode: place.network,
    RestartPolicy: RESTART_POLICY[spec.restart],
    Mounts: [...volumeMounts(spec, place), ...fileMounts(place)],
    Tmpfs: tmpfs(spec),
    PortBindings: portBindings(spec.ports),
    ...resources(spec),
    Privileged: security.privileged,
    ReadonlyRootfs: security.readOnlyRoot,
    SecurityOpt: security.privileged ? [] : ["no-new-privileges"],
    CapAdd: security.addCapabilities.map(bareCapability),
    CapDrop: droppedCapabilities(security),
    Init: place.init === "engine",
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
  };
}

/** A limit on memory is one on swap too: an instance over its limit fails instead of slowing the machine down. */
function resources({ limits, requests }: InstanceSpec): object {
  return {
    ...(limits.cpu === undefined ? {} : { NanoCpus: Math.round(limits.cpu * 1e9) }),
    ...(limits.memoryBytes === undefined
      ? {}
      : { Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes }),
    ...(limits.processes === undefined ? {} : { PidsLimit: limits.processes }),
    ...(requests.cpu === undefined ? {} : { CpuShares: Math.max(2, Math.round(requests.cpu * 1024)) }),
    ...(requests.memoryBytes === undefined
      ? {}
      : { MemoryReservation: Math.min(requests.memoryBytes, limits.memoryBytes ?? requests.memoryBytes) }),
  };
}

function volumeMounts(spec: InstanceSpec, place: InstancePlace): readonly object[] {
  return spec.mounts.flatMap((mount) =>
    mount.kind === "volume"
      ? [
          {
            Type: "volume",
            Source: place.volumeName(mount),
            Target: mount.path,
            ReadOnly: mount.readOnly,
          },
        ]
      : [],
  );
}

function fileMounts(place: InstancePlace): readonly object[] {
  return place.boundFiles.map(({ source, path }) => ({
    Type: "bind",
    Source: source,
    Target: path,
    ReadOnly: true,
  }));
}

function tmpfs(spec: InstanceSpec): Readonly<Record<string, string>> {
  const mounts = spec.mounts.filter((mount) => mount.kind === "memory");
  return Object.fromEntries(
    mounts.map(({ path, sizeBytes }) => [path, sizeBytes === undefined ? "" : `size=${sizeBytes}`]),
  );
}

/** Host port 0 lets the engine choose one. */
function portBindings(ports: readonly InstancePort[]): Readonly<Record<string, object[]>> {
  const bindings: Record<string, object[]> = {};
  for (const port of ports)
    if (port.hostPort !== undefined)
      bindings[portKey(port)] = [...(bindings[portKey(port)] ?? []), { HostPort: String(port.hostPort) }];
  return bindings;
}

function droppedCapabilities(security: InstanceSpec["security"]): readonly string[] {
  if (security.privileged) return [];
  const added = new Set(security.addCapabilities.map(bareCapability));
  const dropped = new Set([...DROPPED_CAPABILITIES, ...security.dropCapabilities.map(bareCapability)]);
  return [...dropped].filter((one) => !added.has(one) && !added.has("ALL"));
}

function bareCapability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}

const OWN_INIT =
  /(?:^|\/)(?:init|systemd|tini|tini-static|dumb-init|docker-init|catatonit|my_init|s6-svscan)$/;

/** Whether the engine's small init goes first: it reaps orphans and passes signals on. Not before an image's own, which must be process 1. */
export function chooseInit(
  spec: InstanceSpec,
  image: EngineImage,
  engineInit: string | undefined,
): InstancePlace["init"] {
  if (engineInit === undefined || engineInit === "") return "none";
  const entrypoint = spec.command ?? image.Config?.Entrypoint ?? [];
  const command = [...entrypoint, ...(spec.args ?? image.Config?.Cmd ?? [])];
  return OWN_INIT.test(command[0] ?? "") ? "none" : "engine";
}
