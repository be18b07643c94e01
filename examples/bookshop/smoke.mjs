#!/usr/bin/env node
import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { parse } from "yaml";

/**
 * Runs the bookshop as a person would without Sampan: `docker run`, one component after the other, each as soon as the one
 * before is ready. Then buys books, restarts everything and looks for the order. Installs what VERSION/app.yaml says.
 *
 *     smoke.mjs [--version 2.9|3.0|3.1] [--upgrade|--jump] [--port N] [--json] [--keep]
 *
 * --upgrade  starts with 2.9, orders, goes to 3.0, back to 2.9, to 3.0 again and to 3.1, on the same volumes
 * --jump     starts with 2.9, orders, and goes to 3.1, whose move of the tables was interrupted once
 * --json     prints the times of the installation: [{component, wallSeconds}], then the whole
 * --keep     leaves the containers, their volumes and network where they are
 */

const HERE = fileURLToPath(new URL(".", import.meta.url));
const CUSTOMER = "Ada 王";
const READY_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 100;

const { values: options } = parseArgs({
  options: {
    version: { type: "string", default: "2.9" },
    upgrade: { type: "boolean", default: false },
    jump: { type: "boolean", default: false },
    port: { type: "string", default: "18080" },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const run = promisify(execFile);
const docker = async (...args) => (await run("docker", args, { maxBuffer: 16 * 1024 * 1024 })).stdout.trim();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (text) => process.stderr.write(`${text}\n`);

const shop = `bookshop-smoke-${process.pid}`;
const origin = `http://127.0.0.1:${options.port}`;
const secrets = new Map();
const volumes = new Set();
let running = [];

/** Components in the order of their needs. */
function inOrder(components) {
  const placed = new Map();
  const place = (name) => {
    if (placed.has(name)) return;
    for (const needed of components[name].needs ?? []) place(needed);
    placed.set(name, components[name]);
  };
  for (const name of Object.keys(components).sort()) place(name);
  return [...placed];
}

/** The value of a variable or connection entry; what is generated stays the same for this run. */
function textOf(value, { component, key, parameters }) {
  if (typeof value === "string") return value;
  if ("parameter" in value) return String(parameters[value.parameter].default);
  const name = `${component}/${key}`;
  if (!secrets.has(name))
    secrets.set(
      name,
      randomBytes(24)
        .toString("hex")
        .slice(0, value.generate.length ?? 24),
    );
  return secrets.get(name);
}

function envOf(name, component, app) {
  const parameters = app.parameters;
  const env = new Map();
  for (const needed of component.needs ?? []) {
    for (const [key, value] of Object.entries(app.components[needed].connection ?? {})) {
      env.set(key, textOf(value, { component: needed, key, parameters }));
    }
  }
  const own = new Map(
    Object.entries(component.connection ?? {}).map(([key, value]) => [
      key,
      textOf(value, { component: name, key, parameters }),
    ]),
  );
  for (const [key, value] of Object.entries(component.env ?? {})) {
    const text = textOf(value, { component: name, key, parameters });
    env.set(
      key,
      text.replace(/\$\{(\w+)\}/g, (_, other) => own.get(other) ?? env.get(other) ?? ""),
    );
  }
  return env;
}

const SIZE_SUFFIX = { KiB: "k", MiB: "m", GiB: "g" };
const bytes = (size) => size.replace(/[KMG]iB$/, (unit) => SIZE_SUFFIX[unit]);

function argsOf(name, component, { env, index }) {
  const container = index === 0 ? `${shop}-${name}` : `${shop}-${name}-${index + 1}`;
  const args = [
    "--name",
    container,
    "--network",
    shop,
    "--network-alias",
    name,
    "--security-opt",
    "no-new-privileges",
  ];
  for (const [key, value] of env) args.push("--env", `${key}=${value}`);
  for (const [volume, { path }] of Object.entries(component.volumes ?? {})) {
    volumes.add(`${shop}-${name}-${volume}`);
    args.push("--volume", `${shop}-${name}-${volume}:${path}`);
  }
  for (const port of Object.values(component.ports ?? {})) {
    if (port.exposed) args.push("--publish", `${options.port}:${port.port}`);
  }
  const { cpu, memory } = component.resources?.limit ?? {};
  if (cpu !== undefined) args.push("--cpus", String(cpu));
  if (memory !== undefined) args.push("--memory", bytes(memory));
  args.push("--stop-timeout", String(Number.parseInt(component.stopGrace ?? "10s", 10)));
  return { container, args: [...args, component.image] };
}

async function startContainer(container, args, files) {
  if (files.length === 0) {
    await docker("run", "--detach", ...args);
    return;
  }
  await docker("create", ...args);
  const folder = mkdtempSync(join(tmpdir(), "bookshop-smoke-"));
  try {
    for (const [path, { content, mode }] of files) {
      const file = join(folder, "file");
      writeFileSync(file, content, { mode: Number.parseInt(mode ?? "0644", 8) });
      await docker("cp", file, `${container}:${path}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  await docker("start", container);
}

async function isReady(container, probe) {
  if (probe.exec)
    return run("docker", ["exec", container, ...probe.exec]).then(
      () => true,
      () => false,
    );
  const { port, path } = probe.http;
  const address = await docker(
    "inspect",
    "--format",
    "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
    container,
  );
  return fetch(`http://${address}:${port}${path}`, { signal: AbortSignal.timeout(2000) }).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function waitReady(container, probe) {
  const until = performance.now() + READY_WITHIN_MS;
  while (!(await isReady(container, probe))) {
    if (performance.now() > until)
      throw new Error(`${container} is not ready:\n${await docker("logs", "--tail", "30", container)}`);
    await sleep(LOOK_EVERY_MS);
  }
}

const readApp = (version) => parse(readFileSync(join(HERE, version, "app.yaml"), "utf8"));

/** Starts the named components of a version, or all; gives the time that each took until it was ready. */
async function start(app, { only }) {
  const times = [];
  for (const [name, component] of inOrder(app.components)) {
    if (only !== undefined && !only.includes(name)) continue;
    const startedAt = performance.now();
    const env = envOf(name, component, app);
    for (let index = 0; index < (component.replicas ?? 1); index += 1) {
      const { container, args } = argsOf(name, component, { env, index });
      await startContainer(container, args, Object.entries(component.files ?? {}));
      running.push(container);
      await waitReady(container, component.probes.ready);
    }
    times.push({ component: name, wallSeconds: (performance.now() - startedAt) / 1000 });
  }
  return times;
}

async function replace(app, names) {
  for (const name of names) {
    if (running.includes(`${shop}-${name}`)) {
      await docker("stop", `${shop}-${name}`);
      await docker("rm", `${shop}-${name}`);
      running = running.filter((container) => container !== `${shop}-${name}`);
    }
  }
  await start(app, { only: names });
}

async function ask(path, body) {
  const post = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`${origin}${path}`, body === undefined ? {} : post);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.headers.get("content-type")?.includes("json") ? answer.json() : answer.text();
}

function check(what, condition) {
  if (!condition) throw new Error(`it is not so that ${what}`);
  say(`  ✓ ${what}`);
}

async function order(...bookIds) {
  const items = bookIds.map((bookId) => ({ bookId, quantity: 1 }));
  const sent = { reference: randomUUID(), customer: CUSTOMER, note: "", items };
  const { order: placed } = await ask("/api/orders/orders", sent);
  const { order: again } = await ask("/api/orders/orders", sent);
  check(`order ${placed.id} is stored once, though sent twice`, placed.id === again.id);
  return placed;
}

const orders = async () => (await ask("/api/orders/orders?customer=Ada%20%E7%8E%8B")).orders;

async function checkShop() {
  check("the page is served", (await ask("/")).includes("<main"));
  const { books } = await ask("/api/catalog/books");
  check("the catalog lists 44 books", books.length === 44);
  check("texts are whole in Chinese", books[26].titleZh === "红楼梦");
  const { books: found } = await ask(`/api/search/books?q=${encodeURIComponent("科幻")}`);
  check(
    "the search knows synonyms from its config file",
    found.some((book) => book.title === "The Time Machine"),
  );
  const before = (await ask("/api/catalog/books/6")).book.stock;
  const placed = await order(6, 7);
  check(
    "the stock went down, in the cache too",
    (await ask("/api/catalog/books/6")).book.stock === before - 1,
  );
  const refused = await ask("/api/orders/orders", { reference: "x", customer: "", items: [] }).catch(
    (error) => error.message,
  );
  check(
    "a bad order is refused with every fault",
    /400/.test(refused) && /reference.*customer.*items/s.test(refused),
  );
  return placed;
}

async function restartAll() {
  const startedAt = performance.now();
  await docker("stop", ...running.toReversed());
  for (const container of running) {
    const code = await docker("inspect", "--format", "{{.State.ExitCode}}", container);
    check(`${container.replace(`${shop}-`, "")} stopped by itself (exit code ${code})`, code !== "137");
  }
  await docker("start", ...running);
  await waitAnswer("/api/catalog/books");
  await waitAnswer("/api/orders/orders");
  say(
    `  everything was stopped and answers again after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  );
}

async function waitAnswer(path) {
  const until = performance.now() + READY_WITHIN_MS;
  while (
    !(await fetch(`${origin}${path}`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (performance.now() > until) throw new Error(`${path} does not answer`);
    await sleep(LOOK_EVERY_MS);
  }
}

async function checkNew(earlier) {
  const listed = (await orders()).find((one) => one.id === earlier.id);
  check("every order has a status and its total", listed.status !== undefined && listed.totalCents === 1840);
  const placed = await order(6, 8);
  const { order: cancelled } = await ask(`/api/orders/orders/${placed.id}/cancel`, {});
  check("an order can be cancelled", cancelled.status === "cancelled");
  const { books } = await ask("/api/recommend/books/6");
  check(
    "books that were ordered together are recommended",
    books.some((book) => book.id === 7 && book.times > 0),
  );
}

async function upgrade(version, names) {
  await replace(readApp(version), names);
  say(`now ${version}`);
}

async function checkUpgrades(placed) {
  await upgrade("3.0", ["orders", "recommend", "web"]);
  await checkNew(placed);
  await upgrade("2.9", ["orders", "web"]);
  const late = await order(9);
  check("2.9 works on the tables of 3.0", (await orders()).length === 3);
  await upgrade("3.0", ["orders", "web"]);
  const filled = (await orders()).find((one) => one.id === late.id);
  check(
    "3.0 again knows the total of what 2.9 took meanwhile",
    filled.totalCents === late.items[0].priceCents,
  );
  await upgrade("3.1", ["orders"]);
  await checkCustomers(3);
  await upgrade("3.0", ["orders"]);
  const refused = await orders().catch((error) => error.message);
  check("3.0 does not work on the tables of 3.1, and says so", /503/.test(refused));
  await upgrade("3.1", ["orders"]);
  await checkCustomers(3);
}

/** As a move of the tables leaves them that was stopped just before its last step. */
const INTERRUPTED = `
  CREATE TABLE customers (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL UNIQUE) ENGINE = InnoDB;
  ALTER TABLE orders ADD COLUMN customer_id INT UNSIGNED NULL AFTER reference;
  INSERT INTO customers (name) VALUES ("ada 王")`;

async function checkJump(placed) {
  const statement = `mariadb --user=$MARIADB_USER --password=$MARIADB_PASSWORD $MARIADB_DATABASE -e '${INTERRUPTED}'`;
  await docker("exec", `${shop}-mariadb`, "sh", "-c", statement);
  await upgrade("3.1", ["orders", "recommend", "web"]);
  await checkCustomers(1);
  await checkNew(placed);
}

async function checkCustomers(ordered) {
  const items = [{ bookId: 9999, quantity: 1 }];
  const unknown = { reference: randomUUID(), customer: CUSTOMER, note: "", items };
  const refused = await ask("/api/orders/orders", unknown).catch((error) => error.message);
  check("a book that the catalog does not have is not sold", /NO_SUCH_BOOK/.test(refused));
  check("every order is there, with its customer", (await orders()).length === ordered);
  const { customers } = await ask("/api/orders/customers");
  check("customers have a list of their own", customers[0].name === CUSTOMER);
  check("it counts what they ordered", customers[0].orders === ordered);
}

async function story() {
  const first = options.upgrade || options.jump ? "2.9" : options.version;
  const app = readApp(first);
  const startedAt = performance.now();
  await docker("network", "create", shop);
  const times = await start(app, {});
  times.push({ component: "the whole", wallSeconds: (performance.now() - startedAt) / 1000 });
  for (const { component, wallSeconds } of times)
    say(`${component.padEnd(12)} ${wallSeconds.toFixed(2).padStart(6)} s`);

  const placed = await checkShop();
  await restartAll();
  check(
    "the order is there after the restart",
    (await orders()).some((one) => one.id === placed.id),
  );
  if (first === "3.1") await checkCustomers(1);
  if (first !== "2.9") await checkNew(placed);
  if (options.upgrade) await checkUpgrades(placed);
  if (options.jump) await checkJump(placed);
  return times;
}

async function clean() {
  const containers = (await docker("ps", "--all", "--quiet", "--filter", `network=${shop}`))
    .split("\n")
    .filter(Boolean);
  if (containers.length > 0) await docker("rm", "--force", ...containers);
  if (volumes.size > 0) await docker("volume", "rm", "--force", ...volumes);
  await docker("network", "rm", shop);
}

try {
  const times = await story();
  if (options.json) console.log(JSON.stringify(times, null, 2));
  say("the bookshop works");
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  if (options.keep) say(`kept: network ${shop}, ${origin}`);
  else await clean();
}
