// @ts-check
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, say } from "./failure.mjs";

/** System packages on Debian and its kin: which commands are missing, and their installation where this is allowed. */

/** What a command comes in. */
const PACKAGE_OF = {
  docker: "docker.io",
  dockerd: "docker.io",
  git: "git",
  ip: "iproute2",
  iptables: "iptables",
  mmdebstrap: "mmdebstrap",
  openssl: "openssl",
  skopeo: "skopeo",
  time: "time",
  zstd: "zstd",
};

/** @typedef {keyof typeof PACKAGE_OF} Command */

/** What the tests, the demo and the benches need besides the engine: a second one, which they start for the site, among it. */
export const STORY_COMMANDS = /** @type {readonly Command[]} */ ([
  "docker",
  "dockerd",
  "git",
  "ip",
  "iptables",
  "mmdebstrap",
  "openssl",
  "skopeo",
  "time",
  "zstd",
]);

/** @param {string} command */
export function hasCommand(command) {
  const folders = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`.split(":");
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether this process may install packages: root, on Debian, Ubuntu or what is like them. */
export function mayInstall() {
  return process.getuid?.() === 0 && hasCommand("apt-get") && isDebianLike(readOsRelease());
}

function readOsRelease() {
  try {
    return readFileSync("/etc/os-release", "utf8");
  } catch {
    return "";
  }
}

/** @param {string} osRelease the text of /etc/os-release */
export function isDebianLike(osRelease) {
  const ids = /^ID(?:_LIKE)?=(.*)$/gm;
  return [...osRelease.matchAll(ids)].some(([, value = ""]) =>
    value
      .replace(/["']/g, "")
      .split(/\s+/)
      .some((id) => id === "debian" || id === "ubuntu"),
  );
}

/**
 * Installs what of these commands is missing; where it may not, says what the user must do.
 *
 * @param {readonly Command[]} commands
 */
export function ensureCommands(commands) {
  const packages = commands.filter((command) => !hasCommand(command)).map((command) => PACKAGE_OF[command]);
  if (packages.length === 0) return;
  if (!mayInstall())
    throw new Failure(
      "TOOLS_ABSENT",
      `${packages.join(", ")} ${packages.length === 1 ? "is" : "are"} needed`,
      {
        why: "they are not installed, and this is not root on Debian or Ubuntu, where they could be installed now",
        fix: `install them, on Debian or Ubuntu with: sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`,
      },
    );
  say(`installing what is missing: apt-get install ${packages.join(" ")}; a minute or so`);
  runApt(["update"]);
  runApt(["install", "-y", "--no-install-recommends", ...packages]);
}

/** @param {readonly string[]} args */
function runApt(args) {
  const run = spawnSync("apt-get", ["-q", "-o", "Dpkg::Use-Pty=0", ...args], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (run.status === 0) return;
  const output = (run.error?.message ?? `${run.stdout}\n${run.stderr}`).trim().split("\n");
  throw new Failure("APT_FAILED", `apt-get ${args[0]} failed`, {
    why: output.slice(-8).join("\n    "),
    fix: "mend what apt-get names above (often: no route to the package mirror) and start again",
  });
}
