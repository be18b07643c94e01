import type { Digest } from "@sampan/content";
import { type AppBody, type Preflight, sizeBytes } from "@sampan/template";
import type { Desired, DesiredComponent } from "./desired.ts";

/** What an app needs of a site: what it declares, and what follows from what shall run. */
export interface PreflightRequirements {
  /** Id of the app: a port that it holds already is no obstacle. */
  readonly app: string;
  /** Declared; absent when every one will do. */
  readonly architectures?: readonly string[];
  /** Images of what shall run, by name. */
  readonly images: readonly Pick<PreflightImage, "name" | "os" | "architecture">[];
  /** As in 1.41. */
  readonly engineApi?: string;
  readonly kernel?: string;
  readonly cpu: Amount;
  readonly memoryBytes: Amount;
  readonly disk: {
    /** Declared, less what the app declared before: that it has already. */
    readonly dataBytes: number;
    /** Images that the engine lacks, with a margin for what unpacking takes. */
    readonly imageBytes: number;
    /** Names of images that the engine lacks and whose size is not known. */
    readonly unknownImages: readonly string[];
  };
  /** There when data will be captured. */
  readonly capture?: { readonly sizeBytes?: number };
  readonly ports: readonly WantedPort[];
  /** Names of components with limits. */
  readonly limited: readonly string[];
  /** Names of components that run privileged. */
  readonly privileged: readonly string[];
}

export interface Amount {
  readonly declared?: number;
  /** The sum of what instances ask for. */
  readonly asked: number;
}

export interface WantedPort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** The component that asks for it; absent when the app declares that it must be free. */
  readonly component?: string;
  /** The app itself has it now. */
  readonly held: boolean;
}

export interface PreflightImage {
  readonly id: Digest;
  readonly name: string;
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  /** Of its layers, unpacked. */
  readonly sizeBytes?: number | undefined;
  readonly inEngine: boolean;
}

export interface PreflightContent {
  /** Those of `desired` at least; what is known of them. */
  readonly images: readonly PreflightImage[];
  /** Ports of the machine that the app's own instances hold now. */
  readonly portsHeld?: readonly { readonly port: number; readonly protocol: "tcp" | "udp" }[] | undefined;
  /** What the app declared before the change. */
  readonly declaredBefore?: Preflight | undefined;
  /** There when data will be captured; its size as far as it can be told beforehand, from an earlier capture. */
  readonly capture?: { readonly sizeBytes?: number | undefined } | undefined;
}

/** While an image is unpacked, its compressed layers lie beside it. */
const IMAGE_MARGIN = 1.2;

/** What has to be there for `desired` to run. Stopped components ask for nothing; a cron component asks for one instance. */
export function requirementsOf(
  desired: Desired,
  body: Pick<AppBody, "preflight">,
  content: PreflightContent,
): PreflightRequirements {
  const { preflight = {} } = body;
  const running = desired.components.filter((component) => instancesOf(component) > 0);
  const images = imagesOf(running, content);
  const lacking = images.filter((image) => !image.inEngine);
  const { capture } = content;
  return {
    app: desired.app.id,
    ...(preflight.architectures === undefined ? {} : { architectures: preflight.architectures }),
    images,
    ...(preflight.engineApi === undefined ? {} : { engineApi: preflight.engineApi }),
    ...(preflight.kernel === undefined ? {} : { kernel: preflight.kernel }),
    cpu: {
      ...(preflight.cpu === undefined ? {} : { declared: preflight.cpu }),
      asked: toMilli(sumOf(running, ({ spec }) => spec.requests.cpu)),
    },
    memoryBytes: {
      ...(preflight.memory === undefined ? {} : { declared: sizeBytes(preflight.memory) }),
      asked: sumOf(running, ({ spec }) => spec.requests.memoryBytes),
    },
    disk: {
      dataBytes: Math.max(0, diskOf(preflight) - diskOf(content.declaredBefore ?? {})),
      imageBytes: Math.ceil(lacking.reduce((sum, one) => sum + (one.sizeBytes ?? 0), 0) * IMAGE_MARGIN),
      unknownImages: lacking.filter((one) => one.sizeBytes === undefined).map((one) => one.name),
    },
    ...(capture === undefined
      ? {}
      : { capture: capture.sizeBytes === undefined ? {} : { sizeBytes: capture.sizeBytes } }),
    ports: portsOf(running, preflight, content),
    limited: namesOf(running, ({ spec: { limits } }) =>
      [limits.cpu, limits.memoryBytes, limits.processes].some((limit) => limit !== undefined),
    ),
    privileged: namesOf(running, ({ spec }) => spec.security.privileged),
  };
}

function instancesOf({ kind, replicas }: DesiredComponent): number {
  return kind === "cron" ? 1 : replicas;
}

function sumOf(
  components: readonly DesiredComponent[],
  each: (component: DesiredComponent) => number | undefined,
): number {
  return components.reduce((sum, one) => sum + (each(one) ?? 0) * instancesOf(one), 0);
}

/** Ten times a tenth of a core is one core, whatever binary fractions make of it. */
function toMilli(cores: number): number {
  return Math.round(cores * 1000) / 1000;
}

function namesOf(
  components: readonly DesiredComponent[],
  isOne: (component: DesiredComponent) => boolean,
): readonly string[] {
  return components.filter(isOne).map((component) => component.name);
}

function diskOf({ disk }: Preflight): number {
  return disk === undefined ? 0 : sizeBytes(disk);
}

/** Each image once; one of which nothing is known counts as lacking. */
function imagesOf(
  components: readonly DesiredComponent[],
  content: PreflightContent,
): readonly PreflightImage[] {
  const known = new Map(content.images.map((image) => [image.id, image]));
  const wanted = new Map(components.map(({ spec }) => [spec.image.id, spec.image]));
  return [...wanted.values()].map((image) => known.get(image.id) ?? { ...image, inEngine: false });
}

function portsOf(
  components: readonly DesiredComponent[],
  { freePorts = [] }: Preflight,
  content: PreflightContent,
): readonly WantedPort[] {
  const key = (port: number, protocol: string) => `${port}/${protocol}`;
  const held = new Set((content.portsHeld ?? []).map(({ port, protocol }) => key(port, protocol)));
  const ports = new Map<string, WantedPort>();
  for (const { name, spec } of components)
    for (const { hostPort, protocol: spoken } of spec.ports) {
      if (hostPort === undefined || hostPort === 0) continue;
      const protocol = spoken === "udp" ? "udp" : "tcp";
      const at = key(hostPort, protocol);
      ports.set(at, { port: hostPort, protocol, component: name, held: held.has(at) });
    }
  for (const port of freePorts) {
    const at = key(port, "tcp");
    if (!ports.has(at)) ports.set(at, { port, protocol: "tcp", held: held.has(at) });
  }
  return [...ports.values()].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}
