import { homedir } from "node:os";
import { join } from "node:path";
import { EXIT, problemsOf } from "@sampan/problem";

export const configProblems = {
  CONFIG_INVALID: {
    status: 500,
    exit: EXIT.usage,
    doc: "A setting of the server cannot be used. The message names the variable and what it takes.",
  },
} as const;
export const configProblem = problemsOf(configProblems);

/** Settings of the server; all have a default that works. docs/guide lists them. */
export interface ServerConfig {
  /** SAMPAN_DATA: where everything is kept. */
  readonly dataFolder: string;
  /** SAMPAN_LISTEN, `host:port`. Engines take plain HTTP from a registry on loopback only, so a loopback port is always needed. */
  readonly host: string;
  readonly port: number;
  /** SAMPAN_IMPORT_FROM: directories of the machine from which bundles may be imported, separated by `:`. */
  readonly importFrom: readonly string[];
  /** SAMPAN_RECONCILE_SECONDS: how often every app is looked at. */
  readonly reconcileEveryMs: number;
  /** SAMPAN_IN_FLIGHT: how many steps of a rollout are under way at a time. */
  readonly inFlight: number;
  /** SAMPAN_LOG: trace, debug, info, warn, error, silent. */
  readonly logLevel: string;
  /** SAMPAN_ALLOW_PRIVILEGED=yes: components may be privileged, or have capabilities beyond a container's ordinary ones. */
  readonly allowsPrivileged: boolean;
  /** `--dev`: memory driver, seeded data, no engine. */
  readonly isDev: boolean;
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "silent"];

export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): ServerConfig {
  const isDev = argv.includes("--dev");
  const dataDefault =
    process.getuid?.() === 0 ? "/var/lib/sampan" : join(homedir(), ".local", "share", "sampan");
  const { host, port } = parseListen(env.SAMPAN_LISTEN ?? "127.0.0.1:7070");
  const logLevel = env.SAMPAN_LOG ?? "info";
  if (!LEVELS.includes(logLevel))
    throw configProblem("CONFIG_INVALID", `SAMPAN_LOG cannot be ${logLevel}`, {
      hint: `use ${LEVELS.join(", ")}`,
    });
  const seconds = Number(env.SAMPAN_RECONCILE_SECONDS ?? "30");
  if (!(seconds >= 1 && seconds <= 3600))
    throw configProblem("CONFIG_INVALID", "SAMPAN_RECONCILE_SECONDS must be 1 to 3600");
  const inFlight = Number(env.SAMPAN_IN_FLIGHT ?? "4");
  if (!(Number.isInteger(inFlight) && inFlight >= 1 && inFlight <= 64))
    throw configProblem("CONFIG_INVALID", "SAMPAN_IN_FLIGHT must be a whole number, 1 to 64");
  return {
    dataFolder: env.SAMPAN_DATA ?? (isDev ? join(dataDefault, "dev") : dataDefault),
    host,
    port,
    importFrom: (env.SAMPAN_IMPORT_FROM ?? "/media:/mnt:/run/media")
      .split(":")
      .filter((path) => path.startsWith("/")),
    reconcileEveryMs: seconds * 1000,
    inFlight,
    logLevel,
    allowsPrivileged: parseYesNo("SAMPAN_ALLOW_PRIVILEGED", env.SAMPAN_ALLOW_PRIVILEGED ?? "no"),
    isDev,
  };
}

function parseYesNo(name: string, text: string): boolean {
  if (text === "yes" || text === "no") return text === "yes";
  throw configProblem("CONFIG_INVALID", `${name} cannot be ${text}`, { hint: "write yes or no" });
}

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535)
    throw configProblem("CONFIG_INVALID", `SAMPAN_LISTEN cannot be ${text}`, {
      hint: "write HOST:PORT, such as 127.0.0.1:7070",
    });
  return { host: match[1] ?? match[2] ?? "127.0.0.1", port };
}
