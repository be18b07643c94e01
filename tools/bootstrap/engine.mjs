// @ts-check
import http from "node:http";

/**
 * Finds a container engine that answers: Docker Engine, or Podman's compatible socket.
 *
 * @typedef {{ readonly name: string, readonly socketPath: string } | { readonly name: string, readonly host: string, readonly port: number }} Endpoint
 * @typedef {{ readonly endpoint: Endpoint, readonly apiVersion: string }} Engine
 */

/** The oldest Engine API that the driver speaks: that of Docker 20.10. */
export const API_VERSION_MIN = "1.41";

const PING_TIMEOUT_MS = 5_000;
const PING_BODY_BYTES_MAX = 4_096;

/**
 * Where an engine may listen, in the order they are asked. DOCKER_HOST, where it is set, is the only one: whoever
 * sets it means that engine and no other.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {number | undefined} uid
 * @returns {Endpoint[]}
 */
export function engineCandidates(env, uid) {
  const dockerHost = env.DOCKER_HOST;
  if (dockerHost) return [parseDockerHost(dockerHost)];
  const runtimeFolder = env.XDG_RUNTIME_DIR ?? (uid === undefined ? undefined : `/run/user/${uid}`);
  const sockets = ["/var/run/docker.sock"];
  if (runtimeFolder) sockets.push(`${runtimeFolder}/docker.sock`);
  sockets.push("/run/podman/podman.sock");
  if (runtimeFolder) sockets.push(`${runtimeFolder}/podman/podman.sock`);
  return sockets.map((socketPath) => ({ name: socketPath, socketPath }));
}

/**
 * @param {string} text a DOCKER_HOST: `unix:///path` or `tcp://host:port`
 * @returns {Endpoint}
 */
export function parseDockerHost(text) {
  if (text.startsWith("unix://")) return { name: text, socketPath: text.slice("unix://".length) };
  const tcp = /^(?:tcp|http):\/\/(\[[0-9a-f:]+\]|[^:/]+):(\d+)\/?$/.exec(text);
  if (tcp?.[1] && tcp[2]) return { name: text, host: tcp[1].replace(/^\[|\]$/g, ""), port: Number(tcp[2]) };
  throw new Error(`DOCKER_HOST is ${text}; only unix:///path and tcp://host:port are understood`);
}

/**
 * The DOCKER_HOST that leads to an endpoint.
 *
 * @param {Endpoint} endpoint
 */
export function dockerHostOf(endpoint) {
  if ("socketPath" in endpoint) return `unix://${endpoint.socketPath}`;
  return `tcp://${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

/**
 * Asks `GET /_ping`, the one call that every version answers.
 *
 * @param {Endpoint} endpoint
 * @returns {Promise<Engine>}
 */
export async function pingEngine(endpoint) {
  const response = await request(endpoint, { method: "GET", path: "/_ping", timeoutMs: PING_TIMEOUT_MS });
  if (response.status !== 200) throw new Error(`GET /_ping answered ${response.status}`);
  const apiVersion = response.headers["api-version"];
  if (typeof apiVersion !== "string") throw new Error("GET /_ping answered without an Api-Version");
  if (compareApiVersions(apiVersion, API_VERSION_MIN) < 0)
    throw new Error(`it speaks API ${apiVersion}; ${API_VERSION_MIN} (Docker 20.10) or newer is needed`);
  return { endpoint, apiVersion };
}

/**
 * The first candidate that answers, or why each did not.
 *
 * @param {readonly Endpoint[]} candidates
 * @returns {Promise<{ readonly engine: Engine, readonly tried: string[] } | { readonly engine: undefined, readonly tried: string[] }>}
 */
export async function findEngine(candidates) {
  /** @type {string[]} */
  const tried = [];
  for (const endpoint of candidates) {
    try {
      return { engine: await pingEngine(endpoint), tried };
    } catch (error) {
      tried.push(`${endpoint.name}: ${reasonOf(error)}`);
    }
  }
  return { engine: undefined, tried };
}

/** @param {unknown} error */
function reasonOf(error) {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "no such socket";
  if (code === "ECONNREFUSED") return "nothing listens";
  if (code === "EACCES") return "this user may not open it";
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} left
 * @param {string} right
 */
export function compareApiVersions(left, right) {
  const [leftMajor = 0, leftMinor = 0] = left.split(".").map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split(".").map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}

/**
 * One call to the engine. The reply is read whole, up to `bodyBytesMax`.
 *
 * @param {Endpoint} endpoint
 * @param {{ readonly method: string, readonly path: string, readonly timeoutMs?: number, readonly body?: import("node:stream").Readable, readonly bodyBytesMax?: number }} call
 * @returns {Promise<{ readonly status: number, readonly headers: http.IncomingHttpHeaders, readonly text: string }>}
 */
export function request(endpoint, call) {
  const target =
    "socketPath" in endpoint
      ? { socketPath: endpoint.socketPath }
      : { host: endpoint.host, port: endpoint.port };
  const bodyBytesMax = call.bodyBytesMax ?? PING_BODY_BYTES_MAX;
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      { ...target, method: call.method, path: call.path, headers: { Host: "engine" } },
      (incoming) => {
        /** @type {Buffer[]} */
        const chunks = [];
        let sizeBytes = 0;
        incoming.on("data", (/** @type {Buffer} */ chunk) => {
          sizeBytes += chunk.length;
          if (sizeBytes > bodyBytesMax)
            outgoing.destroy(new Error(`the reply is larger than ${bodyBytesMax} bytes`));
          else chunks.push(chunk);
        });
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
        });
        incoming.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    if (call.timeoutMs !== undefined) {
      const { timeoutMs } = call;
      outgoing.setTimeout(timeoutMs, () =>
        outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      );
    }
    if (call.body === undefined) outgoing.end();
    else call.body.on("error", (error) => outgoing.destroy(error)).pipe(outgoing);
  });
}
