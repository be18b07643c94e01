import { type Digest, digestFromHex } from "@sampan/content";
import type { ComponentData, ComponentKind, Desired, DesiredComponent, InstanceSpec } from "./desired.ts";
import type { Observed, ObservedInstance } from "./observed.ts";

/** Samples for tests of this room. */
export interface ComponentSample {
  readonly kind?: ComponentKind;
  readonly replicas?: number;
  readonly needs?: readonly string[];
  /** One hex digit: repeated, it is the image ID. */
  readonly image?: string;
  readonly hostPort?: number | undefined;
  readonly volumes?: readonly string[];
  /** Volumes of others, as `owner/volume`. */
  readonly shares?: readonly string[];
  /** How its volumes are captured; of a component with volumes, plainly when absent. */
  readonly data?: Partial<ComponentData>;
  readonly restart?: InstanceSpec["restart"];
}

export function specDigestOf(text: string): Digest {
  const hex = [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return digestFromHex(hex.padEnd(64, "0").slice(0, 64));
}

export function component(name: string, sample: ComponentSample = {}): DesiredComponent {
  const kind = sample.kind ?? "stateless";
  const spec: InstanceSpec = {
    image: { id: digestFromHex((sample.image ?? "a").repeat(64)), name: `shop/${name}:1` },
    env: {},
    secretEnv: [],
    files: [],
    mounts: [...(sample.volumes ?? []).map((volume) => `${name}/${volume}`), ...(sample.shares ?? [])].map(
      (text) => {
        const { owner, volume } = volumeOf(text);
        return { kind: "volume", owner, volume, path: `/${volume}`, readOnly: false };
      },
    ),
    ports:
      sample.hostPort === undefined
        ? []
        : [{ name: "http", port: 80, protocol: "http", hostPort: sample.hostPort }],
    probes: {},
    limits: {},
    requests: {},
    restart: sample.restart ?? (kind === "job" ? "on-failure" : "always"),
    labels: {},
    stopGraceMs: 10_000,
    security: { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false },
  };
  return {
    name,
    id: `id-${name}`,
    kind,
    needs: sample.needs ?? [],
    replicas: kind === "cron" ? 0 : (sample.replicas ?? 1),
    startWithinMs: 120_000,
    specDigest: specDigestOf(JSON.stringify([name, sample.image ?? "a", sample.hostPort ?? 0])),
    spec,
    ...(sample.volumes === undefined || sample.volumes.length === 0
      ? {}
      : { data: { volumes: sample.volumes, withinMs: 1_800_000, ...sample.data } }),
    ...(kind === "cron" ? { schedule: "0 3 * * *" } : {}),
  };
}

function volumeOf(text: string) {
  const [owner = "", volume = ""] = text.split("/");
  return { owner, volume };
}

export function desiredOf(components: readonly DesiredComponent[], more: Partial<Desired> = {}): Desired {
  return { app: { id: "app1", slug: "team-shop" }, generation: 4, components, ...more };
}

export function instance(
  component: DesiredComponent,
  more: Partial<ObservedInstance> = {},
): ObservedInstance {
  const index = more.index ?? 1;
  return {
    id: `${component.name}-${index}`,
    component: component.name,
    index,
    generation: 3,
    specDigest: component.specDigest,
    imageId: component.spec.image.id,
    state: "ready",
    serving: true,
    restarts: 0,
    hostPorts: [],
    ...more,
  };
}

export function observedOf(
  more: {
    readonly network?: boolean;
    readonly complete?: boolean;
    readonly generation?: number;
    readonly volumes?: readonly string[];
    /** Components whose images the engine has. */
    readonly images?: readonly DesiredComponent[];
    readonly instances?: readonly ObservedInstance[];
  } = {},
): Observed {
  return {
    at: "2026-01-01T00:00:00.000Z",
    complete: more.complete ?? true,
    remarks: [],
    generation: more.generation ?? 3,
    network: more.network ?? false,
    volumes: (more.volumes ?? []).map(volumeOf),
    images: (more.images ?? []).map((one) => one.spec.image.id),
    instances: more.instances ?? [],
  };
}
