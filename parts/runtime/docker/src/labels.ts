import { type Digest, isDigest } from "@sampan/content";
import type { AppRef, DesiredComponent, InstancePort, InstanceSpec } from "@sampan/plan";
import type { EngineLabels } from "./engine-types.ts";

/** What the driver writes on all it makes, so that the engine alone tells what runs. Values are never secret. */
export const LABEL = {
  app: "dev.sampan.app",
  slug: "dev.sampan.slug",
  site: "dev.sampan.site",
  component: "dev.sampan.component",
  componentId: "dev.sampan.component-id",
  index: "dev.sampan.index",
  generation: "dev.sampan.generation",
  spec: "dev.sampan.spec",
  /** The image ID: engines with another image store know the container's image by another digest. */
  image: "dev.sampan.image",
  serve: "dev.sampan.serve",
  address: "dev.sampan.address",
  ports: "dev.sampan.ports",
  probes: "dev.sampan.probes",
  /** Names of the variables whose values are secret, so that they are masked in what a container says of itself. */
  secretEnv: "dev.sampan.secret-env",
  /** All else that a container is made from and does not tell itself; see recipe.ts. */
  recipe: "dev.sampan.recipe",
  volume: "dev.sampan.volume",
  /** On the volume that carries the config files of one instance; its value is that instance's name. */
  files: "dev.sampan.files",
  /** On a volume that was filled in place of another: 1, 2, …; the highest counts. The first volume has none. See volume-turns.ts. */
  turn: "dev.sampan.turn",
  /** On an empty volume: `component/volume/turn` of the one that does not count while this is there. */
  guards: "dev.sampan.guards",
  /** On a container that carries content of a volume: a mark of the work it belongs to. */
  carrier: "dev.sampan.carrier",
} as const;

export interface InstanceLabels {
  readonly app: AppRef;
  readonly component: string;
  readonly componentId: string;
  readonly index: number;
  readonly generation: number;
  readonly specDigest: Digest;
  readonly imageId: Digest;
  /** Its fixed IPv4 address in the app's network. */
  readonly address: string;
  /** The exposed ones; `key` as the engine names it, such as `80/tcp`. */
  readonly ports: readonly { readonly name: string; readonly key: string }[];
  readonly probes: InstanceSpec["probes"];
}

/** Labels of everything of an app at a site. */
export function ownerLabels(app: AppRef, site: string | undefined): EngineLabels {
  return {
    [LABEL.app]: app.id,
    [LABEL.slug]: app.slug,
    ...(site === undefined ? {} : { [LABEL.site]: site }),
  };
}

/** Labels of one instance; `serve` is how it was made, not what it is now. */
export function instanceLabels(
  component: DesiredComponent,
  instance: { readonly index: number; readonly generation: number; readonly address: string },
  serve: "now" | "later",
): EngineLabels {
  const { spec } = component;
  const ports = spec.ports
    .filter(({ hostPort }) => hostPort !== undefined)
    .map((port) => ({ name: port.name, key: portKey(port) }));
  return {
    [LABEL.component]: component.name,
    [LABEL.componentId]: component.id,
    [LABEL.index]: String(instance.index),
    [LABEL.generation]: String(instance.generation),
    [LABEL.spec]: component.specDigest,
    [LABEL.image]: spec.image.id,
    [LABEL.serve]: serve,
    [LABEL.address]: instance.address,
    [LABEL.ports]: JSON.stringify(ports),
    [LABEL.probes]: JSON.stringify(maskProbes(spec)),
    [LABEL.secretEnv]: JSON.stringify(spec.secretEnv),
  };
}

/** The label filters that select what belongs to an app, or to any app, of a site. */
export function ownerFilter(site: string | undefined, app?: string): readonly string[] {
  return [
    app === undefined ? LABEL.app : `${LABEL.app}=${app}`,
    ...(site === undefined ? [] : [`${LABEL.site}=${site}`]),
  ];
}

/** Parses the labels of an instance; `env` is the container's own, from which masked probe texts are restored. Undefined when they are not whole. */
export function parseInstanceLabels(
  labels: EngineLabels | null | undefined,
  env: readonly string[] = [],
): InstanceLabels | undefined {
  const text = (key: string) => labels?.[key] ?? "";
  const [index, generation] = [Number(text(LABEL.index)), Number(text(LABEL.generation))];
  const [specDigest, imageId] = [text(LABEL.spec), text(LABEL.image)];
  const ports = parseJson(text(LABEL.ports));
  const probes = parseJson(text(LABEL.probes));
  if (text(LABEL.app) === "" || text(LABEL.component) === "" || !isDigest(specDigest)) return undefined;
  if (!isDigest(imageId)) return undefined;
  if (!Number.isSafeInteger(index) || index < 1 || !Number.isSafeInteger(generation)) return undefined;
  if (!Array.isArray(ports) || !isRecord(probes)) return undefined;
  return {
    app: { id: text(LABEL.app), slug: text(LABEL.slug) },
    component: text(LABEL.component),
    componentId: text(LABEL.componentId),
    index,
    generation,
    specDigest,
    imageId,
    address: text(LABEL.address),
    ports: ports as InstanceLabels["ports"],
    probes: mapTexts(probes, (one) => unmask(one, env)) as InstanceSpec["probes"],
  };
}

/** How the engine names a port of a container. */
export function portKey({ port, protocol }: Pick<InstancePort, "port" | "protocol">): string {
  return `${port}/${protocol === "udp" ? "udp" : "tcp"}`;
}

const MASK = /⟦env:([^⟧]+)⟧/g;

/** A probe may carry a secret (a header, a password argument): in labels it stands as a pointer to the variable that holds it. */
function maskProbes(spec: InstanceSpec): unknown {
  const secrets = spec.secretEnv
    .map((key) => ({ key, value: spec.env[key] ?? "" }))
    .filter(({ value }) => value !== "")
    .sort((a, b) => b.value.length - a.value.length);
  return mapTexts(spec.probes, (text) => maskText(text, secrets));
}

const SECRET_CHARACTERS_MIN = 4;

/** Hides the values of a container's secret variables in a text that it produced. Shorter ones than four characters would hide everything. */
export function hideSecrets(
  text: string,
  container: { readonly Labels?: EngineLabels | null; readonly Env?: readonly string[] | null },
): string {
  const names = parseJson(container.Labels?.[LABEL.secretEnv] ?? "");
  if (!Array.isArray(names)) return text;
  let hidden = text;
  for (const entry of container.Env ?? []) {
    const at = entry.indexOf("=");
    const value = entry.slice(at + 1);
    if (value.length >= SECRET_CHARACTERS_MIN && names.includes(entry.slice(0, at)))
      hidden = hidden.replaceAll(value, "***");
  }
  return hidden;
}

function maskText(
  text: string,
  secrets: readonly { readonly key: string; readonly value: string }[],
): string {
  const [first, ...rest] = secrets;
  if (first === undefined) return text;
  return text
    .split(first.value)
    .map((part) => maskText(part, rest))
    .join(`⟦env:${first.key}⟧`);
}

function unmask(text: string, env: readonly string[]): string {
  return text.replace(MASK, (whole, key: string) => {
    const entry = env.find((one) => one.startsWith(`${key}=`));
    return entry === undefined ? whole : entry.slice(key.length + 1);
  });
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapTexts(one, change)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
