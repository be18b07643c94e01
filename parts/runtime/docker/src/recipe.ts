import type { DesiredComponent, InstanceSpec } from "@sampan/plan";
import type { EngineContainer } from "./engine-types.ts";
import { LABEL } from "./labels.ts";

/**
 * What a container does not tell of itself, or tells in other words than it was told (limits are rounded, capabilities put together),
 * written on it as one label of compact JSON. Contents, values and commands are not in it: they may be secret, and are read from
 * the container.
 */
export interface Recipe {
  readonly kind: DesiredComponent["kind"];
  readonly needs: readonly string[];
  readonly startWithinMs: number;
  readonly schedule?: string;
  readonly imageName: string;
  /** Which of the image's words were replaced. */
  readonly replaced: readonly ("command" | "args")[];
  /** Names of the variables that were set; the others are the image's. */
  readonly env: readonly string[];
  /** Names of the app's own labels; the others are the image's, or Sampan's. */
  readonly labels: readonly string[];
  readonly files: readonly { readonly path: string; readonly mode: number }[];
  readonly mounts: InstanceSpec["mounts"];
  readonly ports: InstanceSpec["ports"];
  readonly limits: InstanceSpec["limits"];
  readonly requests: InstanceSpec["requests"];
  readonly restart: InstanceSpec["restart"];
  readonly stopGraceMs: number;
  readonly security: InstanceSpec["security"];
}

export function renderRecipe({ kind, needs, startWithinMs, schedule, spec }: DesiredComponent): string {
  const {
    command,
    args,
    env,
    labels,
    files,
    mounts,
    ports,
    limits,
    requests,
    restart,
    stopGraceMs,
    security,
  } = spec;
  const recipe: Recipe = {
    kind,
    needs,
    startWithinMs,
    ...(schedule === undefined ? {} : { schedule }),
    imageName: spec.image.name,
    replaced: [
      ...(command === undefined ? [] : (["command"] as const)),
      ...(args === undefined ? [] : (["args"] as const)),
    ],
    env: Object.keys(env),
    labels: Object.keys(labels),
    files: files.map(({ path, mode }) => ({ path, mode })),
    mounts,
    ports,
    limits,
    requests,
    restart,
    stopGraceMs,
    security,
  };
  return JSON.stringify(recipe);
}

/** Undefined when the container carries none, or one that is not whole. */
export function parseRecipe(text: string | undefined): Recipe | undefined {
  const recipe = parseJson(text ?? "");
  return isRecord(recipe) && Object.entries(SHAPE).every(([key, check]) => check(recipe[key]))
    ? (recipe as unknown as Recipe)
    : undefined;
}

/** The specification that a container was made from, but for the contents of its files, which stand elsewhere. */
export function specOf(
  { Config }: EngineContainer,
  recipe: Recipe,
  known: Pick<InstanceSpec, "probes" | "files"> & { readonly imageId: InstanceSpec["image"]["id"] },
): InstanceSpec {
  const variables = new Map((Config.Env ?? []).map(splitVariable));
  const { limits, requests, restart, mounts, ports, stopGraceMs, security } = recipe;
  return {
    image: { id: known.imageId, name: recipe.imageName },
    ...(recipe.replaced.includes("command") ? { command: Config.Entrypoint ?? [] } : {}),
    ...(recipe.replaced.includes("args") ? { args: Config.Cmd ?? [] } : {}),
    env: Object.fromEntries(recipe.env.map((name) => [name, variables.get(name) ?? ""])),
    secretEnv: textsOf(parseJson(Config.Labels?.[LABEL.secretEnv] ?? "")),
    files: known.files,
    mounts,
    ports,
    probes: known.probes,
    limits,
    requests,
    restart,
    labels: Object.fromEntries(recipe.labels.map((name) => [name, Config.Labels?.[name] ?? ""])),
    stopGraceMs,
    security,
  };
}

function splitVariable(entry: string): readonly [string, string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number" && value >= 0;
const isFlag: Check = (value) => typeof value === "boolean";
const isMaybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isOneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);
const isList =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const hasShape =
  (shape: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(shape).every(([key, check]) => check(value[key]));

const isMount: Check = (value) =>
  hasShape({ kind: isOneOf("memory"), path: isText, sizeBytes: isMaybe(isNumber) })(value) ||
  hasShape({ kind: isOneOf("volume"), owner: isText, volume: isText, path: isText, readOnly: isFlag })(value);

const SHAPE: Readonly<Record<keyof Recipe, Check>> = {
  kind: isOneOf("stateless", "stateful", "job", "cron"),
  needs: isList(isText),
  startWithinMs: isNumber,
  schedule: isMaybe(isText),
  imageName: isText,
  replaced: isList(isOneOf("command", "args")),
  env: isList(isText),
  labels: isList(isText),
  files: isList(hasShape({ path: isText, mode: isNumber })),
  mounts: isList(isMount),
  ports: isList(
    hasShape({
      name: isText,
      port: isNumber,
      protocol: isOneOf("http", "tcp", "udp"),
      hostPort: isMaybe(isNumber),
    }),
  ),
  limits: hasShape({
    cpu: isMaybe(isNumber),
    memoryBytes: isMaybe(isNumber),
    processes: isMaybe(isNumber),
  }),
  requests: hasShape({ cpu: isMaybe(isNumber), memoryBytes: isMaybe(isNumber) }),
  restart: isOneOf("always", "on-failure", "never"),
  stopGraceMs: isNumber,
  security: hasShape({
    user: isMaybe(isText),
    addCapabilities: isList(isText),
    dropCapabilities: isList(isText),
    readOnlyRoot: isFlag,
    privileged: isFlag,
  }),
};

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
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
