#!/usr/bin/env node
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * Builds the bookshop's images in the engine that `docker` speaks to, as bookshop/COMPONENT:VERSION.
 *
 *     build.mjs [--version 2.9|3.0|3.1|3.2]... [--only COMPONENT]... [--npm build|host] [--network NAME] [--json]
 *
 * A component that did not change has one image with several tags. 3.2, which does not work, is built only when it is named.
 */

const SERVICES = join(fileURLToPath(new URL(".", import.meta.url)), "services");

/** Which folder of services/ each component of a version is built from. */
const SINCE_2_9 = { mariadb: "mariadb", redis: "redis", search: "search", catalog: "catalog", web: "web" };
const SINCE_3_0 = { ...SINCE_2_9, recommend: "recommend" };
const VERSIONS = {
  2.9: { ...SINCE_2_9, orders: "orders" },
  "3.0": { ...SINCE_3_0, orders: "orders-3.0" },
  3.1: { ...SINCE_3_0, orders: "orders-3.1" },
  3.2: { ...SINCE_3_0, orders: "orders-3.2" },
};
const WORKING = ["2.9", "3.0", "3.1"];
const BASE = "debian:bookworm-slim";
/** What of npm's settings a build needs to reach the same registry. Names and passwords are not among them. */
const NPM_NETWORK_KEYS = ["registry", "proxy", "https-proxy", "noproxy", "strict-ssl"];
const PROXY_VARIABLES = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

const { values: options } = parseArgs({
  options: {
    version: { type: "string", multiple: true },
    only: { type: "string", multiple: true },
    npm: { type: "string", default: "build" },
    network: { type: "string", default: "host" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (options.help) {
  console.log(
    "build.mjs [--version 2.9|3.0|3.1|3.2]... [--only COMPONENT]... [--npm build|host] [--network NAME] [--json]",
  );
} else {
  main();
}

function main() {
  const versions = (options.version ?? WORKING).toSorted();
  for (const version of versions)
    if (!(version in VERSIONS))
      fail(`there is no version ${version}`, `use ${Object.keys(VERSIONS).sort().join(", ")}`);
  if (!["build", "host"].includes(options.npm)) fail(`--npm is ${options.npm}`, "use build or host");
  if (!isInEngine(BASE)) {
    say(
      `${BASE} is not in the engine; the builds will pull it (tools/base-image/make.mjs makes it where no registry is)`,
    );
  }

  const wanted = versions.flatMap((version) =>
    Object.entries(VERSIONS[version])
      .filter(([component]) => options.only === undefined || options.only.includes(component))
      .map(([component, folder]) => ({ component, folder, version })),
  );
  const built = wanted.flatMap((one) => [...baseOf(one, wanted), one]).map(build);
  if (built.length === 0)
    fail("nothing was built", `components are ${Object.keys(VERSIONS["3.0"]).join(", ")}`);
  if (options.json) console.log(JSON.stringify(built, null, 2));
}

/** Orders of 3.2 are a layer on those of 3.1, which are built first where they are neither there nor asked for. */
function baseOf({ folder }, wanted) {
  const isThere = wanted.some((one) => one.folder === "orders-3.1") || isInEngine("bookshop/orders:3.1");
  if (folder !== "orders-3.2" || isThere) return [];
  return [{ component: "orders", folder: "orders-3.1", version: "3.1" }];
}

function isInEngine(image) {
  return spawnSync("docker", ["image", "inspect", image], { stdio: "ignore" }).status === 0;
}

function build({ component, folder, version }) {
  const tag = `bookshop/${component}:${version}`;
  const context = mkdtempSync(join(tmpdir(), "bookshop-build-"));
  const startedAt = performance.now();
  try {
    cpSync(join(SERVICES, folder), context, {
      recursive: true,
      filter: (path) => basename(path) !== "node_modules",
    });
    if (existsSync(join(context, "package-lock.json"))) addMachine(context);
    const proxies = PROXY_VARIABLES.filter((name) => process.env[name]).flatMap((name) => [
      "--build-arg",
      name,
    ]);
    const run = spawnSync(
      "docker",
      ["build", "--network", options.network, ...proxies, "--tag", tag, context],
      {
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    if (run.status !== 0) {
      process.stderr.write(`${run.stdout}\n${run.stderr}`);
      fail(`${tag} could not be built`, "read the build's own words above");
    }
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const [image] = JSON.parse(execFileSync("docker", ["image", "inspect", tag], { encoding: "utf8" }));
  say(
    `${tag.padEnd(24)} ${`${(image.Size / 1e6).toFixed(0)} MB`.padStart(7)} ${wallSeconds.toFixed(1).padStart(6)} s  ${image.Id}`,
  );
  return { tag, id: image.Id, sizeBytes: image.Size, wallSeconds };
}

/** What the Dockerfiles take from `machine`: npm's network settings and certificates, or the modules themselves. */
function addMachine(context) {
  const machine = join(context, "machine");
  mkdirSync(machine);
  if (options.npm === "host") {
    const run = spawnSync("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: context,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (run.status !== 0) fail("npm ci on this machine did not work", "read npm's words above");
    cpSync(join(context, "node_modules"), join(machine, "node_modules"), {
      recursive: true,
      verbatimSymlinks: true,
    });
    rmSync(join(context, "node_modules"), { recursive: true });
    return;
  }
  const settings = npmSettings();
  const lines = NPM_NETWORK_KEYS.filter((key) => !isEmpty(settings[key])).map(
    (key) => `${key}=${settings[key]}`,
  );
  const certificates = settings.cafile ?? process.env.NODE_EXTRA_CA_CERTS;
  if (certificates && existsSync(certificates)) {
    copyFileSync(certificates, join(machine, "ca.pem"));
    lines.push("cafile=/app/ca.pem");
  }
  writeFileSync(join(machine, ".npmrc"), lines.map((line) => `${line}\n`).join(""));
}

function npmSettings() {
  const run = spawnSync("npm", ["config", "list", "--json"], { encoding: "utf8", cwd: tmpdir() });
  try {
    return JSON.parse(run.stdout);
  } catch {
    return {};
  }
}

function isEmpty(value) {
  return (
    value === undefined || value === null || value === "" || (Array.isArray(value) && value.join("") === "")
  );
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(what, next) {
  process.stderr.write(`error: ${what}\n  fix: ${next}\n`);
  process.exit(1);
}
