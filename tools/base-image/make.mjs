#!/usr/bin/env node
// @ts-check
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { engineCandidates, findEngine, request } from "../bootstrap/engine.mjs";
import { Failure, renderFailure, say } from "../bootstrap/failure.mjs";

/**
 * Makes `debian:bookworm-slim` in the engine where it is absent, from Debian packages: so that the examples build where
 * no image registry can be reached. The tar is kept in the cache folder, and made once per machine.
 *
 *     make.mjs [--again]     --again: make it even where tar and image exist
 */

const SUITE = "bookworm";
const REPOSITORY = "debian";
const TAG = `${SUITE}-slim`;
/** The day the suite was released: no file in the image is younger, so that equal packages give an equal tar. */
const SOURCE_DATE_EPOCH = "1686355200";
const IMPORT_REPLY_BYTES_MAX = 1024 * 1024;

/** What the image leaves out, as the slim images do: the texts that only people read. */
const DPKG_OPTIONS = [
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
  "path-exclude=/usr/share/groff/*",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/linda/*",
  "path-exclude=/usr/share/lintian/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/man/*",
];
/** Files of this machine or of this making. */
const LEFTOVERS = [
  "/var/log/*",
  "/var/cache/ldconfig/aux-cache",
  "/etc/hostname",
  "/etc/resolv.conf",
  "/etc/apt/apt.conf.d/99mmdebstrap",
];
const MMDEBSTRAP_OPTIONS = [
  "--variant=minbase",
  "--format=tar",
  ...DPKG_OPTIONS.map((option) => `--dpkgopt=${option}`),
  '--aptopt=Apt::Install-Recommends "false"',
  // Without these two the perl-based usrmerge package is chosen, and with it 50 MB of perl.
  "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
  "--include=usr-is-merged",
  `--customize-hook=rm -rf ${LEFTOVERS.map((path) => `"$1"${path}`).join(" ")}`,
];

/**
 * The lines of sources.list that the image is made from and keeps: those of this machine, so that builds on top of it
 * use the same mirror.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} targets what `apt-get indextargets` printed: URI, release and component a line
 */
export function sourceLines(env, targets) {
  if (env.SAMPAN_APT_MIRROR) return [`deb ${env.SAMPAN_APT_MIRROR} ${SUITE} main`];
  const rows = targets
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , component]) => component === "main");
  const suites = [SUITE, `${SUITE}-updates`, `${SUITE}-security`];
  const own = rows.filter(([, release]) => release !== undefined && suites.includes(release));
  if (own.some(([, release]) => release === SUITE))
    return own.map(([uri, release]) => `deb ${uri} ${release} main`);
  const debian = rows.find(([uri]) => uri !== undefined && /\/debian\/?$/.test(uri));
  if (debian) return [`deb ${debian[0]} ${SUITE} main`];
  throw new Failure("BASE_NO_MIRROR", `cannot make ${REPOSITORY}:${TAG}`, {
    why: "the apt sources of this machine name no Debian mirror",
    fix: "set SAMPAN_APT_MIRROR to the address of one, or load the image into the engine yourself",
  });
}

function readAptTargets() {
  try {
    const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    return execFileSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
      encoding: "utf8",
    });
  } catch {
    return "";
  }
}

/** @param {readonly string[]} sources */
function cachedTarPath(sources) {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sampan");
  mkdirSync(folder, { recursive: true });
  const recipe = JSON.stringify([sources, MMDEBSTRAP_OPTIONS]);
  const name = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  return join(folder, `${REPOSITORY}-${TAG}-${process.arch}-${name}.tar`);
}

/**
 * @param {string} tarPath
 * @param {readonly string[]} sources
 */
function bootstrapTar(tarPath, sources) {
  const partPath = `${tarPath}.${process.pid}.part.tar`;
  say(`making ${REPOSITORY}:${TAG} with mmdebstrap from ${sources.length} apt source(s); a minute or two`);
  const run = spawnSync("mmdebstrap", [...MMDEBSTRAP_OPTIONS, SUITE, partPath, ...sources], {
    env: { ...process.env, SOURCE_DATE_EPOCH },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (run.error || run.status !== 0) {
    rmSync(partPath, { force: true });
    const absent = run.error && "code" in run.error && run.error.code === "ENOENT";
    throw new Failure("BASE_NOT_MADE", `cannot make ${REPOSITORY}:${TAG}`, {
      why: absent
        ? "mmdebstrap is not installed"
        : `mmdebstrap failed: ${(run.error?.message ?? run.stderr).trim().split("\n").slice(-5).join(" | ")}`,
      fix: absent ? "apt-get install -y mmdebstrap" : "check that apt reaches its mirror: apt-get update",
    });
  }
  renameSync(partPath, tarPath);
}

/**
 * @param {import("../bootstrap/engine.mjs").Engine} engine
 * @param {string} tarPath
 */
async function importTar(engine, tarPath) {
  const query = new URLSearchParams({ fromSrc: "-", repo: REPOSITORY, tag: TAG });
  query.append("changes", 'CMD ["bash"]');
  const reply = await request(engine.endpoint, {
    method: "POST",
    path: `/images/create?${query}`,
    body: createReadStream(tarPath),
    bodyBytesMax: IMPORT_REPLY_BYTES_MAX,
  });
  if (reply.status !== 200 || reply.text.includes('"error"'))
    throw new Failure("BASE_NOT_IMPORTED", `the engine does not take ${tarPath}`, {
      why: reply.text.trim() || `it answered ${reply.status}`,
      fix: "delete the file and try again; `docker info` shows whether the engine has room",
    });
}

/** @param {readonly string[]} args */
async function main(args) {
  const again = args.includes("--again");
  const { engine, tried } = await findEngine(engineCandidates(process.env, process.getuid?.()));
  if (engine === undefined)
    throw new Failure("ENGINE_ABSENT", "no container engine answers", {
      why: tried.join("; "),
      fix: "start Docker, or set DOCKER_HOST to the engine to use",
    });
  const path = `/images/${REPOSITORY}:${TAG}/json`;
  const held = await request(engine.endpoint, { method: "GET", path, bodyBytesMax: IMPORT_REPLY_BYTES_MAX });
  if (held.status === 200 && !again) {
    say(`${REPOSITORY}:${TAG} is in the engine at ${engine.endpoint.name}`);
    return;
  }
  const sources = sourceLines(process.env, readAptTargets());
  const tarPath = cachedTarPath(sources);
  if (again || !existsSync(tarPath)) bootstrapTar(tarPath, sources);
  await importTar(engine, tarPath);
  const megabytes = (statSync(tarPath).size / 1e6).toFixed(0);
  say(
    `${REPOSITORY}:${TAG} (${megabytes} MB) is in the engine at ${engine.endpoint.name}; kept in ${tarPath}`,
  );
}

if (import.meta.main ?? process.argv[1]?.endsWith("base-image/make.mjs")) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${renderFailure(error)}\n`);
    process.exitCode = 1;
  }
}
