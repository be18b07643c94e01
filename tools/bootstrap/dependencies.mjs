// @ts-check
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, say } from "./failure.mjs";

/**
 * Installs what package-lock.json names, where node_modules does not hold exactly that.
 *
 * @typedef {{ readonly version?: string, readonly integrity?: string, readonly optional?: boolean, readonly os?: readonly string[], readonly cpu?: readonly string[], readonly libc?: readonly string[] }} LockedPackage
 * @typedef {{ readonly packages?: Readonly<Record<string, LockedPackage>> }} Lock
 * @typedef {{ readonly platform: string, readonly arch: string }} Machine
 */

const NETWORK_CODES =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED)\b/;

/** @param {string} root */
export function ensureDependencies(root) {
  const wanted = readLock(join(root, "package-lock.json"));
  const installed = readLock(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined)
    throw new Failure("LOCK_ABSENT", "cannot install the dependencies", {
      why: `${join(root, "package-lock.json")} is missing or damaged`,
      fix: "restore it from the repository: git checkout package-lock.json",
    });
  const absent = absentPackages(wanted, installed, process);
  if (absent.length === 0) return;
  const count = `${absent.length} package${absent.length === 1 ? "" : "s"}`;
  say(`installing the dependencies that package-lock.json names (${count} differ): npm ci --ignore-scripts`);
  installAll(root);
}

/**
 * The packages of the lock, for this machine, that are not installed as the lock has them. npm writes the second file
 * (node_modules/.package-lock.json) after all else, so a broken-off installation shows.
 *
 * @param {Lock} wanted
 * @param {Lock | undefined} installed
 * @param {Machine} machine
 */
export function absentPackages(wanted, installed, machine) {
  const held = installed?.packages ?? {};
  return Object.entries(wanted.packages ?? {})
    .filter(([path, locked]) => path.includes("node_modules/") && !isForOthers(locked, machine))
    .filter(([path, locked]) => {
      const found = held[path];
      // npm leaves an optional package out where its files do not suit the machine in ways that the lock does not tell.
      if (found === undefined) return !(locked.optional === true && locked.os === undefined);
      return found.version !== locked.version || found.integrity !== locked.integrity;
    })
    .map(([path]) => path);
}

/**
 * @param {LockedPackage} locked
 * @param {Machine} machine
 */
function isForOthers(locked, machine) {
  if (locked.os !== undefined && !locked.os.includes(machine.platform)) return true;
  if (locked.cpu !== undefined && !locked.cpu.includes(machine.arch)) return true;
  return locked.libc !== undefined && !locked.libc.includes("glibc");
}

/** @param {string} path @returns {Lock | undefined} */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {string} root */
function installAll(root) {
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm?.endsWith(".js") ? [process.execPath, npm] : ["npm"];
  const args = [...first, "ci", "--ignore-scripts", "--include=dev", "--include=optional"];
  const run = spawnSync(command ?? "npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (run.status === 0) return;
  const output = (run.error?.message ?? run.stderr ?? "").trim();
  const network = NETWORK_CODES.exec(output);
  if (network)
    throw new Failure("DEPENDENCIES_UNREACHABLE", "cannot install the dependencies", {
      why: `npm does not reach its package registry (${network[1]})`,
      fix: "connect this machine for the first start, name a registry it reaches (npm config set registry ADDRESS), or copy node_modules from a machine of the same kind",
    });
  throw new Failure("DEPENDENCIES_NOT_INSTALLED", "cannot install the dependencies", {
    why: `npm ci failed: ${output.split("\n").slice(0, 12).join("\n    ")}`,
    fix: "mend what npm names above and start again",
  });
}
