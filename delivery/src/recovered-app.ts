import type { DesiredComponent, InstanceProbe, InstanceSpec, Mount } from "@sampan/plan";
import type { RunningApp } from "@sampan/runtime";
import { API_VERSION, findSecrets, parseAppValue, quoteText } from "@sampan/template";

/** An App document that says what runs, literally; it is still to be parsed. What could not be said is remarked. */
export function documentOf(
  running: RunningApp,
  name: string,
): { readonly document: unknown; readonly remarks: readonly string[] } {
  const remarks: string[] = [];
  const secrets = secretsOf(running.components);
  const components = Object.fromEntries(
    running.components.map((component) => {
      const mounts = component.spec.mounts.filter((mount) => isSayable(mount, component, running.components));
      for (const mount of component.spec.mounts)
        if (!mounts.includes(mount) && mount.kind === "volume")
          remarks.push(
            `${component.name} mounts the volume ${mount.volume} of ${mount.owner}, which the engine does not know: its next change would lose the mount`,
          );
      return [component.name, documentOfComponent(component, mounts, secrets)];
    }),
  );
  const document = { apiVersion: API_VERSION, kind: "App", name, components };
  return { document: flagSecretFiles(document), remarks };
}

type ComponentDocument = ReturnType<typeof documentOfComponent>;

function documentOfComponent(
  component: DesiredComponent,
  mounts: InstanceSpec["mounts"],
  secrets: readonly string[],
) {
  const { spec, kind, schedule } = component;
  const { limits, requests, security } = spec;
  return {
    id: component.id,
    kind,
    ...(schedule === undefined ? {} : { schedule }),
    image: { ...spec.image },
    ...(spec.command === undefined ? {} : { command: [...spec.command] }),
    ...(spec.args === undefined ? {} : { args: [...spec.args] }),
    ...(kind === "cron" ? {} : { replicas: component.replicas }),
    restart: spec.restart,
    startWithin: durationText(component.startWithinMs),
    stopGrace: durationText(spec.stopGraceMs),
    ...snapshotOf(component),
    ...filled({
      needs: [...component.needs],
      env: environmentOf(spec),
      files: filesOf(spec, secrets),
      volumes: volumesOf(component.name, mounts),
      ports: portsOf(spec),
      probes: mapValues(spec.probes, probeOf),
      resources: filled({
        request: { ...cpuOf(requests), ...memoryOf(requests) },
        limit: { ...cpuOf(limits), ...memoryOf(limits), ...processesOf(limits) },
      }),
      labels: { ...spec.labels },
      security: filled({
        ...(security.user === undefined ? {} : { user: security.user }),
        addCapabilities: [...security.addCapabilities],
        dropCapabilities: [...security.dropCapabilities],
        ...(security.readOnlyRoot ? { readOnlyRoot: true } : {}),
        ...(security.privileged ? { privileged: true } : {}),
      }),
    }),
  };
}

/** Where it is known: an engine keeps none of these commands. */
function snapshotOf({ data }: DesiredComponent) {
  if (data === undefined) return {};
  const { withinMs, ...rest } = data;
  return { snapshot: { ...rest, within: durationText(withinMs) } };
}

/** Without what holds nothing. */
function filled<T extends object>(record: T): Partial<T> {
  const entries = Object.entries(record).filter(
    ([, value]) => typeof value !== "object" || Object.keys(value).length > 0,
  );
  return Object.fromEntries(entries) as Partial<T>;
}

function environmentOf({ env, secretEnv }: InstanceSpec) {
  return Object.fromEntries(
    Object.entries(env).map(([key, value]) => [
      key,
      secretEnv.includes(key) ? { secret: value } : quoteText(value),
    ]),
  );
}

/** Shorter ones than four characters would be found everywhere. */
const SECRET_LENGTH_MIN = 4;

/** Values of secret variables, of all components: what one offers stands in its own files and in the variables of others. */
function secretsOf(components: readonly DesiredComponent[]): readonly string[] {
  const values = components.flatMap(({ spec }) => spec.secretEnv.map((key) => spec.env[key] ?? ""));
  return values.filter((value) => value.length >= SECRET_LENGTH_MIN);
}

/** A file that holds the value of a secret is a secret itself. */
function filesOf({ files }: InstanceSpec, secrets: readonly string[]) {
  return Object.fromEntries(
    files.map(({ path, content, mode }) => [
      path,
      {
        content,
        mode: `0${mode.toString(8).padStart(3, "0")}`,
        ...(secrets.some((secret) => content.includes(secret)) ? { secret: true } : {}),
      },
    ]),
  );
}

/** And so is one that looks like it (a private key, a password in clear): that it was flagged is not known to the engine. */
function flagSecretFiles<T extends { readonly components: Readonly<Record<string, ComponentDocument>> }>(
  document: T,
): T {
  const parsed = parseAppValue(document).value;
  const suspected = new Set(parsed === undefined ? [] : findSecrets(parsed).map(({ path }) => path));
  return {
    ...document,
    components: mapValues(document.components, (component, name) => ({
      ...component,
      ...(component.files && {
        files: mapValues(component.files, (file, path) =>
          suspected.has(`components.${name}.files.${path}`) ? { ...file, secret: true } : file,
        ),
      }),
    })),
  };
}

/** Whether the app can say it: a volume of another component has to be one that that component has. */
function isSayable(mount: Mount, { name }: DesiredComponent, all: readonly DesiredComponent[]): boolean {
  if (mount.kind === "memory" || mount.owner === name) return true;
  const owner = all.find((one) => one.name === mount.owner);
  return (owner?.spec.mounts ?? []).some(
    (one) => one.kind === "volume" && one.owner === mount.owner && one.volume === mount.volume,
  );
}

/** Mounts stand in the order of their volumes' names; volumes in memory have lost theirs, and get one that keeps them in their place. */
function volumesOf(component: string, mounts: InstanceSpec["mounts"]) {
  const volumes: Record<string, object> = {};
  let before = "";
  for (const [at, mount] of mounts.entries()) {
    const after = mounts.slice(at).find((one) => one.kind === "volume")?.volume;
    before = mount.kind === "volume" ? mount.volume : nameBetween(before, after, volumes);
    volumes[before] = volumeOf(component, mount);
  }
  return volumes;
}

function volumeOf(component: string, mount: Mount) {
  const { path } = mount;
  if (mount.kind === "memory")
    return {
      path,
      kind: "memory",
      ...(mount.sizeBytes === undefined ? {} : { size: sizeText(mount.sizeBytes) }),
    };
  const kind = mount.owner === component ? { kind: "persistent" } : { kind: "shared", from: mount.owner };
  return { path, ...kind, ...(mount.readOnly ? { readOnly: true } : {}) };
}

const NAME_LENGTH_MAX = 42;

/** A name that sorts between two others, where there is one; a free one in any case. */
function nameBetween(
  before: string,
  after: string | undefined,
  taken: Readonly<Record<string, object>>,
): string {
  const names = ["memory", "a", "z", `${before}0`, `${before}-0`, `${before}--0`, `${before}---0`];
  const between = names.find(
    (name) => name > before && (after === undefined || name < after) && name.length <= NAME_LENGTH_MAX,
  );
  if (between !== undefined) return between;
  for (let number = 1; ; number++) {
    const name = `memory-in-between-${number}`;
    if (name !== after && !Object.hasOwn(taken, name)) return name;
  }
}

function portsOf({ ports }: InstanceSpec) {
  return Object.fromEntries(
    ports.map(({ name, port, protocol, hostPort }) => [
      name,
      {
        port,
        protocol,
        ...(hostPort === undefined ? {} : { exposed: true }),
        ...(hostPort === undefined || hostPort === 0 ? {} : { hostPort }),
      },
    ]),
  );
}

function probeOf({ check, delayMs, periodMs, timeoutMs, failures, successes }: InstanceProbe) {
  return {
    ...checkOf(check),
    delay: durationText(delayMs),
    period: durationText(periodMs),
    timeout: durationText(timeoutMs),
    failures,
    successes,
  };
}

function checkOf(check: InstanceProbe["check"]) {
  switch (check.kind) {
    case "tcp":
      return { tcp: { port: check.port } };
    case "exec":
      return { exec: [...check.command] };
    case "http": {
      const { kind: _, ...http } = check;
      return { http };
    }
  }
}

function cpuOf({ cpu }: InstanceSpec["requests"]) {
  return cpu === undefined ? {} : { cpu };
}

function processesOf({ processes }: InstanceSpec["limits"]) {
  return processes === undefined ? {} : { processes };
}

function memoryOf({ memoryBytes }: InstanceSpec["requests"]) {
  return memoryBytes === undefined ? {} : { memory: sizeText(memoryBytes) };
}

const SIZE_UNITS = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
] as const;

function sizeText(bytes: number): string {
  const [unit, one] = SIZE_UNITS.find(([, size]) => bytes >= size && bytes % size === 0) ?? ["KiB", 1024];
  return `${Math.ceil(bytes / one)}${unit}`;
}

const DURATION_UNITS = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

function durationText(ms: number): string {
  const [unit, one] = DURATION_UNITS.find(([, length]) => ms >= length && ms % length === 0) ?? ["ms", 1];
  return `${Math.ceil(ms / one)}${unit}`;
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
