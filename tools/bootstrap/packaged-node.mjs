// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "./failure.mjs";

/** The oldest Node that runs the sources: TypeScript as it is, and node:sqlite without a flag. */
export const NODE_VERSION_MIN = "24.15.0";
/** The oldest C library that the packaged Node runs on. */
const GLIBC_VERSION_MIN = "2.28";

/**
 * @typedef {{ readonly platform: string, readonly arch: string, readonly nodeVersion: string, readonly glibcVersion: string | undefined }} Machine
 * @returns {Machine}
 */
export function thisMachine() {
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } } | undefined} */ (
    process.platform === "linux" ? process.report?.getReport() : undefined
  );
  const glibcVersion = report?.header?.glibcVersionRuntime;
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    glibcVersion,
  };
}

/**
 * Refuses a machine that neither runs the packaged Node nor has one new enough of its own.
 *
 * @param {Machine} machine
 */
export function checkMachine(machine) {
  if (hasPackagedNode(machine) || isAtLeast(machine.nodeVersion, NODE_VERSION_MIN)) return;
  const libc =
    machine.platform === "linux" ? `, C library ${machine.glibcVersion ?? "other than glibc"}` : "";
  throw new Failure("NODE_TOO_OLD", "this machine cannot run Sampan as it is", {
    why: `its Node is ${machine.nodeVersion}, and the Node that Sampan brings is for Linux on x64 or arm64 with glibc ${GLIBC_VERSION_MIN} or newer (here: ${machine.platform} ${machine.arch}${libc})`,
    fix: `install Node ${NODE_VERSION_MIN} or newer and start again`,
  });
}

/** @param {Machine} machine */
function hasPackagedNode(machine) {
  if (machine.platform !== "linux" || !["x64", "arm64"].includes(machine.arch)) return false;
  return machine.glibcVersion !== undefined && isAtLeast(machine.glibcVersion, GLIBC_VERSION_MIN);
}

/**
 * The Node to run the sources with: the packaged one, else the one that runs this.
 *
 * @param {string} root
 */
export function chooseNode(root) {
  const packaged = join(root, "node_modules", ".bin", "node");
  if (!existsSync(packaged)) return process.execPath;
  const run = spawnSync(packaged, ["--version"], { encoding: "utf8" });
  if (run.status === 0 && isAtLeast(run.stdout.trim().slice(1), NODE_VERSION_MIN)) return packaged;
  if (isAtLeast(process.versions.node, NODE_VERSION_MIN)) return process.execPath;
  throw new Failure("NODE_BROKEN", `${packaged} does not run`, {
    why: (run.error?.message ?? run.stderr).trim() || `it answers ${run.stdout.trim()}`,
    fix: `delete node_modules and start again, or install Node ${NODE_VERSION_MIN} or newer`,
  });
}

/**
 * @param {string} version
 * @param {string} versionMin
 */
export function isAtLeast(version, versionMin) {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  const partsMin = versionMin.split(".").map(Number);
  for (const [index, partMin] of partsMin.entries()) {
    const part = parts[index] ?? 0;
    if (part !== partMin) return part > partMin;
  }
  return true;
}
