// @ts-check
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureCommands, hasCommand, mayInstall } from "./debian.mjs";
import { dockerHostOf, engineCandidates, findEngine } from "./engine.mjs";
import { Failure, say } from "./failure.mjs";

/** Where the daemon that is started here logs, and its process id: .ci/run ends what it started by this id. */
export const DAEMON_LOG = "/var/log/sampan-dockerd.log";
export const DAEMON_PID = "/var/run/sampan-dockerd.pid";

const READY_TIMEOUT_MS = 90_000;
const POLL_MS = 250;
const DEFAULT_SOCKET = "/var/run/docker.sock";

/**
 * Finds an engine, and where there is none and this is root on Debian or Ubuntu, installs and starts one.
 *
 * @returns {Promise<string>} the DOCKER_HOST that leads to it
 */
export async function ensureEngine() {
  const { engine, tried } = await findEngine(candidates());
  if (engine !== undefined) return dockerHostOf(engine.endpoint);
  if (process.env.DOCKER_HOST)
    throw new Failure("ENGINE_SILENT", `the engine at ${process.env.DOCKER_HOST} does not answer`, {
      why: tried.join("; "),
      fix: "start it, or unset DOCKER_HOST to let an engine be found",
    });
  if (!mayInstall())
    throw new Failure("ENGINE_ABSENT", "no container engine answers", {
      why: tried.join("; "),
      fix: adviceFor(tried),
    });
  say("no container engine answers, and this is root on Debian or Ubuntu: one is brought here");
  ensureCommands(["dockerd"]);
  await startDaemon();
  return `unix://${DEFAULT_SOCKET}`;
}

function candidates() {
  try {
    return engineCandidates(process.env, process.getuid?.());
  } catch (error) {
    throw new Failure("ENGINE_ADDRESS", "cannot look for a container engine", {
      why: error instanceof Error ? error.message : String(error),
      fix: "set DOCKER_HOST to unix:///path or tcp://host:port, or unset it",
    });
  }
}

/** @param {readonly string[]} tried */
function adviceFor(tried) {
  if (tried.some((line) => line.endsWith("may not open it")))
    return "let this user use the engine, `sudo usermod -aG docker $USER` and log in again, or run as root";
  if (hasCommand("dockerd"))
    return "start Docker: sudo systemctl start docker, or without systemd: sudo dockerd";
  if (hasCommand("podman")) return "start Podman's socket: systemctl --user start podman.socket";
  return "install Docker Engine 20.10 or newer and start it, or set DOCKER_HOST to one that runs";
}

async function startDaemon() {
  if (existsSync("/run/systemd/system")) {
    spawnSync("systemctl", ["start", "docker"], { stdio: "ignore" });
    return await waitUntilReady({ log: "journalctl -u docker", hasEnded: () => false });
  }
  if (isRunning("/var/run/docker.pid"))
    return await waitUntilReady({ log: "/var/log/docker.log", hasEnded: () => false });
  mountControlGroups();
  say(`starting dockerd in the background; it logs to ${DAEMON_LOG}`);
  const log = openSync(DAEMON_LOG, "a");
  const path = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  const env = { ...process.env, PATH: path };
  const daemon = spawn("dockerd", [], { detached: true, env, stdio: ["ignore", log, log] });
  let ended = false;
  daemon.on("exit", () => {
    ended = true;
  });
  daemon.on("error", () => {
    ended = true;
  });
  if (daemon.pid !== undefined) writeFileSync(DAEMON_PID, `${daemon.pid}\n`);
  await waitUntilReady({ log: DAEMON_LOG, hasEnded: () => ended });
  daemon.unref();
}

/** @param {{ readonly log: string, readonly hasEnded: () => boolean }} daemon */
async function waitUntilReady({ log, hasEnded }) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline && !hasEnded()) {
    const { engine } = await findEngine([{ name: DEFAULT_SOCKET, socketPath: DEFAULT_SOCKET }]);
    if (engine !== undefined) return;
    await sleep(POLL_MS);
  }
  throw new Failure("ENGINE_NOT_STARTED", "dockerd did not start", {
    why: `${hasEnded() ? "it ended" : `it did not answer within ${READY_TIMEOUT_MS / 1000} s`}; the end of ${log}:\n    ${tailOf(log)}`,
    fix: "mend what it says (often: this machine is itself a container without the right to run one), or set DOCKER_HOST to an engine that runs",
  });
}

/** @param {string} path */
function tailOf(path) {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-10).join("\n    ");
  } catch {
    return "(see there)";
  }
}

/** @param {string} pidPath */
function isRunning(pidPath) {
  try {
    return process.kill(Number(readFileSync(pidPath, "utf8")), 0);
  } catch {
    return false;
  }
}

/** Where no init system did it, as on a bare virtual machine, the daemon cannot limit containers without them. */
function mountControlGroups() {
  const folder = "/sys/fs/cgroup";
  if (/\scgroup2?\s/.test(readFileSync("/proc/mounts", "utf8"))) return;
  mkdirSync(folder, { recursive: true });
  spawnSync("mount", ["-t", "cgroup2", "none", folder], { stdio: "ignore" });
}
