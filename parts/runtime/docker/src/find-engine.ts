import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeProblem } from "@sampan/runtime";

/** Where an engine listens. */
export type EngineAddress =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls?: EngineTls };

export interface EngineTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The engine to use: what DOCKER_HOST names (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH), else the first usual
 * socket that exists, Docker's before Podman's. Undefined when there is none. Nothing is called.
 * Throws RUNTIME_UNREACHABLE for a DOCKER_HOST of a form that is not supported, such as ssh.
 */
export function findEngine(env: Environment): EngineAddress | undefined {
  const host = env.DOCKER_HOST;
  if (host !== undefined && host !== "") return parseEngineAddress(host, env);
  const path = usualSockets(env).find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : { kind: "socket", path };
}

/** Parses the forms of DOCKER_HOST: `unix:///path`, `tcp://host:port`, or a bare path. */
export function parseEngineAddress(text: string, env: Environment = {}): EngineAddress {
  if (text.startsWith("/")) return { kind: "socket", path: text };
  if (text.startsWith("unix://")) {
    const path = text.slice("unix://".length);
    if (path.startsWith("/")) return { kind: "socket", path };
    throw notSupported(text);
  }
  const url = URL.parse(text);
  if (url === null || !["tcp:", "http:", "https:"].includes(url.protocol) || url.hostname === "")
    throw notSupported(text);
  const secure = url.protocol === "https:" || (env.DOCKER_TLS_VERIFY ?? "") !== "";
  return {
    kind: "tcp",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 2376 : 2375) : Number(url.port),
    ...(secure ? { tls: readTls(env.DOCKER_CERT_PATH) } : {}),
  };
}

/** As people write it. */
export function describeAddress(address: EngineAddress): string {
  if (address.kind === "socket") return address.path;
  return `${address.tls === undefined ? "tcp" : "https"}://${address.host}:${address.port}`;
}

function usualSockets(env: Environment): readonly string[] {
  const runtimeDir = env.XDG_RUNTIME_DIR;
  const home = env.HOME;
  return [
    "/var/run/docker.sock",
    "/run/docker.sock",
    ...(runtimeDir ? [join(runtimeDir, "docker.sock")] : []),
    ...(home ? [join(home, ".docker/run/docker.sock")] : []),
    "/run/podman/podman.sock",
    ...(runtimeDir ? [join(runtimeDir, "podman/podman.sock")] : []),
  ];
}

function readTls(folder: string | undefined): EngineTls {
  if (folder === undefined || folder === "") return {};
  const read = (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
  const [ca, cert, key] = [read("ca.pem"), read("cert.pem"), read("key.pem")];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function notSupported(text: string): Error {
  return runtimeProblem("RUNTIME_UNREACHABLE", `cannot use the engine address ${text}`, {
    why: "it is neither unix:///path nor tcp://host:port",
    hint: "Set DOCKER_HOST to a unix socket or a tcp address.",
  });
}
