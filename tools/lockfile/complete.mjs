#!/usr/bin/env node
// @ts-check
import { readFileSync, writeFileSync } from "node:fs";

/**
 * Completes package-lock.json after `npm install`: a registry that mirrors only some platforms makes npm leave the binaries
 * of the others out of the lock in silence, and from then on every `npm ci` refuses the lock as incomplete. What is
 * added names the platform, so that no other platform ever fetches it.
 *
 *     complete.mjs           changes package-lock.json in the working folder
 *
 * @typedef {{ version?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[], optionalDependencies?: Record<string, string> }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lock
 */

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

/**
 * The entries that the lock lacks: binaries, by exact version, that a locked package lists for some platform.
 *
 * @param {Lock} lock
 * @returns {Record<string, LockedPackage>}
 */
export function missingEntries(lock) {
  /** @type {Record<string, LockedPackage>} */
  const missing = {};
  for (const locked of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      const platform = platformOf(name);
      if (platform === undefined || lock.packages[path] !== undefined || !/^\d/.test(version)) continue;
      missing[path] = { version, optional: true, ...platform };
    }
  }
  return missing;
}

/**
 * Reads the platform off a name such as `@scope/binding-linux-x64-gnu`.
 *
 * @param {string} name
 * @returns {Pick<LockedPackage, "os" | "cpu" | "libc"> | undefined}
 */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) return undefined;
  const libc = words.at(-1)?.startsWith("musl")
    ? "musl"
    : words.at(-1)?.startsWith("gnu")
      ? "glibc"
      : undefined;
  return { os: [os], cpu: [cpu], ...(os === "linux" && libc !== undefined ? { libc: [libc] } : {}) };
}

/**
 * The same lock with nothing missing, its packages in the order npm writes them.
 *
 * @param {Lock} lock
 * @returns {Lock}
 */
export function completeLock(lock) {
  const all = Object.entries({ ...lock.packages, ...missingEntries(lock) });
  all.sort(([left], [right]) => left.localeCompare(right, "en"));
  return { ...lock, packages: Object.fromEntries(all) };
}

if (process.argv[1]?.endsWith("lockfile/complete.mjs")) {
  const path = "package-lock.json";
  /** @type {Lock} */
  const lock = JSON.parse(readFileSync(path, "utf8"));
  const names = Object.keys(missingEntries(lock));
  if (names.length > 0) writeFileSync(path, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
  process.stdout.write(`package-lock.json: ${names.length} entries added\n`);
}
