// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts of apps hold such references.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyApp } from "./arbitrary.ts";
import { parseApp, parseAppValue, parseRelease } from "./index.ts";
import { renderApp } from "./render.ts";

const read = (file: string) => readFileSync(new URL(`../testdata/${file}`, import.meta.url), "utf8");
const sample = read("sample-shop.yaml");

test("an app with twenty faults gets all twenty, each with its path and line", async () => {
  const { value, faults } = parseApp(read("twenty-faults.yaml"));
  expect(value).toBeUndefined();
  expect(faults).toHaveLength(20);
  const lines = faults.map(({ line, path, message }) => `${line} ${path}: ${message}\n`);
  await expect(lines.join("")).toMatchFileSnapshot("../testdata/twenty-faults.txt");
});

test("an app without faults is read whole", () => {
  const { value, faults, warnings } = parseApp(sample);
  expect(faults).toEqual([]);
  expect(Object.keys(value?.components ?? {})).toEqual(["web", "api", "migrate", "db", "search", "mailer"]);
  expect(warnings).toEqual([]);
});

/** What replaces what in the sample, and the one fault or warning that this makes: its path, and a part of what is said. */
type Row = readonly [from: string, to: string, path: string, message: string];

const FAULTS: readonly Row[] = [
  ["apiVersion: sampan/v1", "apiVersion: sampan/v2", "apiVersion", "expected `sampan/v1`, found"],
  ["kind: App", "kind: App\nkind: App", "kind", "given twice; first on line 2"],
  ["title: A small shop", "titel: A small shop", "titel", "did you mean `title`?"],
  ["title: A small shop", "<<: { title: x }", "<<", "merge keys"],
  ["title: A small shop", 'title: ""', "title", "empty; at least 1 characters are needed"],
  ["title: A small shop", 'title: "a\\0b"', "title", "NUL"],
  ["title: A small shop", 'title: "\\uD800"', "title", "well-formed"],
  [
    "stopGrace: 30s",
    "stopGrace: 30",
    "components.db.stopGrace",
    'expected text, found the number 30 (write it in quotes: "30")',
  ],
  [
    "stopGrace: 30s",
    "stopGrace: 30sec",
    "components.db.stopGrace",
    'such as 500ms, 10s, 2m or 1h; found "30sec"',
  ],
  [
    "replicas: 2",
    "replicas: 2.5",
    "components.web.replicas",
    "expected a whole number, found the number 2.5",
  ],
  ["replicas: 2", 'replicas: "2"', "components.web.replicas", "write it without quotes"],
  ["replicas: 2", "replicas: 9", "components.web.replicas", "outside the scaling rule of 1 to 4"],
  ["min: 1, max: 4,", "min: 5, max: 4,", "components.web.scaling.min", "greater than max"],
  ["restart: always", "restart: allways", "components.db.restart", "did you mean `always`?"],
  ["restart: always", "replicas: 3", "components.db.replicas", "one replica"],
  ["restart: always", "scaling: { min: 1, max: 2 }", "components.db.scaling.max", "one replica"],
  ["needs: [api]\n    probes", "needs: [api, web]\n    probes", "components.web.needs", "needs itself"],
  ["needs: [db, migrate]", "needs: [db, migrate, web]", "components.web.needs", "web → api → web"],
  ["needs: [db, migrate]", "needs: [db, migrat]", "components.api.needs.1", "did you mean `migrate`?"],
  ["needs: [db, migrate]", "needs: [db, mailer]", "components.api.needs.1", "never ready"],
  ["from: api", "from: apo", "components.search.volumes.uploads.from", "did you mean `api`?"],
  ["from: api", "from: db", "components.search.volumes.uploads.from", "`db` has no volume `uploads`"],
  [
    "kind: shared, from",
    "kind: memory, from",
    "components.search.volumes.uploads.from",
    "only a volume of kind shared",
  ],
  [
    "path: /tmp/scratch",
    "path: /uploads/",
    "components.api.volumes.scratch.path",
    "already where the volume `uploads` is",
  ],
  ["path: /tmp/scratch", "path: /../x", "components.api.volumes.scratch.path", "absolute path"],
  [
    "{ port: 3001, protocol: http, exposed",
    "{ port: 3000, protocol: tcp, exposed",
    "components.api.ports.admin.port",
    "already the port `http`",
  ],
  [
    "exposed: true }\n    volumes",
    "exposed: true, hostPort: 13306 }\n    volumes",
    "routes.sql.listen",
    "already taken by components.api.ports.admin.hostPort",
  ],
  [
    "plugin: performance-analysis,",
    "plugin: perf,",
    "components.api.plugins.probe.plugin",
    "there is no plugin `perf`",
  ],
  [
    "to: [{ component: db, port: sql }]",
    "to: [{ component: db, port: http }]",
    "routes.sql.to.0.port",
    "no port of `db` named `http`",
  ],
  ["port: http, weight", "port: sql, weight", "routes.shop.to.0.port", "no port of `web` named `sql`"],
  [
    "to: [{ component: web, port: http, ",
    "to: [{ component: db, port: sql, ",
    "routes.shop.to.0.port",
    "speaks tcp; http is needed",
  ],
  [
    "listen: 13306",
    "listen: { parameter: theme }",
    "routes.sql.listen.parameter",
    "is of type enum, not int",
  ],
  ["listen: 13306", "listen: 133060", "routes.sql.listen", "at most 65535"],
  ["parameter: theme", "parameter: thema", "components.web.env.THEME.parameter", "did you mean `theme`?"],
  ["default: light", "default: blue", "parameters.theme.default", "must be one of light, dark"],
  ["[light, dark]", "[light, dark, dark]", "parameters.theme.options", "twice"],
  ["default: 128MiB", "default: 8GiB", "parameters.cache_size.default", "at most 4GiB"],
  ["default: 8080", "default: 80", "parameters.web_port.default", "at least 1024"],
  ['"[^@]+@[^@]+"', '"[^@"', "parameters.mail_from.pattern", "not a regular expression"],
  ['"[^@]+@[^@]+"', '"(?=.*@).+"', "parameters.mail_from.pattern", "without lookahead"],
  ['"[^@]+@[^@]+"', '"(.)@\\\\1"', "parameters.mail_from.pattern", "backreferences"],
  [
    "type: password, minLength: 8",
    "type: password, minLength: 8, maxLength: 4",
    "parameters.mail_password.minLength",
    "greater than maxLength",
  ],
  ["components: [search]", "components: [serach]", "modules.search.components.0", "did you mean `search`?"],
  ["default: false\n  search", "requires: [mail]\n  search", "modules.mail.requires.0", "cannot name itself"],
  ["mon-fri", "mon-fry", "components.mailer.schedule", "day of week `mon-fry`"],
  ["*/5 * * * mon-fri", "*/5 * *", "components.mailer.schedule", "this has 3"],
  ['schedule: "*/5 * * * mon-fri"', "", "components.mailer.schedule", "needs a schedule"],
  ["    command: [node, migrate.js]", "    restart: always", "components.migrate.restart", "never completes"],
  [
    "memory: 64MiB",
    "memory: 512MiB",
    "components.web.resources.limit.memory",
    "less than the request of 512MiB",
  ],
  ["cpu: 0.1,", "cpu: 1.1,", "components.web.resources.limit.cpu", "less than the request of 1.1"],
  ["image: mariadb:10.11", "image: Maria DB", "components.db.image", "not an image reference"],
  ["image: mariadb:10.11", "image: { id: sha256:1, name: x }", "components.db.image.id", "sha256"],
  ["    image: mariadb:10.11\n", "", "components.db.image", "give an image, or a build"],
  ["id: db-0001", "id: api-0001", "components.db.id", "is the id of `api` too"],
  [
    "tcp: { port: 3000 }",
    "tcp: { port: 3000 }, exec: [x]",
    "components.api.probes.start",
    "exactly one of http, tcp and exec",
  ],
  [
    "secret: not-so-$ecret",
    "secret: 123456",
    "components.db.env.MYSQL_ROOT_PASSWORD.secret",
    "expected text, found something else",
  ],
  ["generate: {}", "generat: {}", "components.db.connection.DB_PASSWORD.generat", "did you mean `generate`?"],
  [
    "DB_USER: shop",
    "DB-USER: shop\n      DB_USER: shop",
    "components.db.connection.DB-USER",
    "not usable as a name",
  ],
  ["DB_USER: shop", 'DB_USER: "${DB_USER}"', "components.db.connection.DB_USER", "refers to itself"],
  ["MYSQL_USER: ", "DB_USER: ", "", ""],
  ["DB_USER: shop", 'DB_USER: "${MYSQL_USER}"', "components.db.connection.DB_USER", "in a circle"],
  ['PRICE_SIGN: "$$"', 'PRICE_SIGN: "${DB_HOST}"', "components.web.env.PRICE_SIGN", "is not known here"],
  [
    'PRICE_SIGN: "$$"',
    'PRICE_SIGN: "${price sign}"',
    "components.web.env.PRICE_SIGN",
    "is no variable; write `$${`",
  ],
  [
    "proxy_pass ${API_URL}",
    "proxy_pass ${API_ULR}",
    "components.web.files./etc/nginx/conf.d/shop.conf.content",
    "did you mean `API_URL`?",
  ],
  ["needs: [api]\n  mailer", "needs: [api, db]\n    connection: {}\n  mailer", "", ""],
  ["API_HOST: api", "API_HOST: api\n      DB_HOST: other", "", ""],
  ["exec: { component: db,", "exec: { component: bd,", "acceptance.1.exec.component", "did you mean `db`?"],
  [
    "http: { component: web, port: http, path",
    "http: { component: web, port: htp, path",
    "acceptance.0.http.port",
    "did you mean `http`?",
  ],
  ["kind: shared }", "kind: share }", "components.api.volumes.uploads.kind", "did you mean `shared`?"],
  ["API_HOST: api", "API_HOST: !host api", "", "YAML tags"],
  [
    "API_HOST: api",
    "API_HOST: *nowhere",
    "components.api.connection.API_HOST",
    "nothing before this is marked &nowhere",
  ],
];

test.each(FAULTS)("%j written as %j is reported once: %s %s", (from, to, path, message) => {
  expect(sample).toContain(from);
  const { faults } = parseApp(sample.replace(from, () => to));
  const wanted = { path, line: expect.any(Number), message: expect.stringContaining(message) };
  expect(faults).toEqual(message === "" ? [] : [wanted]);
});

const WARNINGS: readonly Row[] = [
  ["readOnlyRoot: true", "privileged: true", "components.api.security.privileged", "site must allow"],
  ["theme: { type", "other: { type: bool }\n  theme: { type", "parameters.other", "used nowhere"],
  ["needs: [db, migrate]", "needs: [db, migrate, db]", "components.api.needs.2", "listed twice"],
  [
    "needs: [api]\n    probes",
    "needs: [api, search]\n    probes",
    "components.web.needs",
    "only in module `search`",
  ],
  ["    restart: always", "    schedule: x", "components.db.schedule", "no effect"],
  [
    ", exposed: true, hostPort",
    ", hostPort",
    "components.web.ports.http.hostPort",
    "without `exposed: true`",
  ],
  ["limit: { cpu: 1, memory", "limit: { memory", "components.web.scaling.cpuTarget", "resources.limit.cpu"],
  [
    "command: [node, migrate.js]",
    "ports: { x: { port: 1, protocol: tcp } }",
    "components.migrate.ports",
    "ends by itself",
  ],
];

test.each(WARNINGS)("%j written as %j gets a warning and is read: %s %s", (from, to, path, message) => {
  expect(sample).toContain(from);
  const { value, warnings } = parseApp(sample.replace(from, () => to));
  expect(value).toBeDefined();
  expect(warnings).toEqual([{ path, line: expect.any(Number), message: expect.stringContaining(message) }]);
});

const COLLISION = `apiVersion: sampan/v1
kind: App
name: x
components:
  one: { kind: stateless, image: a, connection: { HOST: one, SAME: same, P: { generate: {} } } }
  two: { kind: stateless, image: a, connection: { HOST: two, SAME: same, P: { generate: {} } } }
  web: { kind: stateless, image: a, needs: [one, two], env: { P: mine } }
`;

test("two needed components that offer one name with different values are a fault, unless the component sets it itself", () => {
  expect(parseApp(COLLISION).faults).toEqual([
    {
      path: "components.web.needs",
      line: 7,
      message: expect.stringContaining("`one` and `two` both offer `HOST`"),
    },
  ]);
});

test("components that conflicting modules keep apart may have the same port of the site", () => {
  const text = (modules: string) => `apiVersion: sampan/v1
kind: App
name: x
${modules}
components:
  one: { kind: stateless, image: a, ports: { p: { port: 1, protocol: tcp, exposed: true, hostPort: 5000 } } }
  two: { kind: stateless, image: a, ports: { p: { port: 1, protocol: http, exposed: true, hostPort: 5000 } } }
`;
  expect(
    parseApp(text("modules: { a: { components: [one], conflicts: [b] }, b: { components: [two] } }")).faults,
  ).toEqual([]);
  expect(
    parseApp(text("modules: { a: { components: [one] }, b: { components: [two] } }")).faults,
  ).toHaveLength(1);
});

const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["an empty text", "", "expected a mapping"],
  ["a number", "5", "expected a mapping"],
  ["two documents", "a: 1\n---\nb: 2\n", "one document"],
  ["a tab", "a:\n\t- b", "tabs cannot indent"],
  ["an open bracket", "a: [", "not valid YAML"],
  ["a deep nest", "[".repeat(100_000), "nested deeper than 64"],
  [
    "a deep nest of blocks",
    Array.from({ length: 70 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    "nested deeper than 64",
  ],
  ["an alias inside itself", "a: &a [*a, *a]", "nested deeper than 64"],
  ["a tower of aliases", towerOfAliases(), "more than 200000 values"],
  ["a text of more than 4 MiB", `a: ${"x".repeat(4 * 1024 * 1024)}`, "larger than 4 MiB"],
  ["another YAML", "%YAML 1.1\n---\na: 1\n", "YAML 1.2"],
  [
    "too many components",
    `components: { ${Array.from({ length: 1001 }, (_, i) => `c${i}: { kind: job, image: a }`).join(", ")} }`,
    "at most 1000",
  ],
];

function towerOfAliases(): string {
  const floors = Array.from(
    { length: 12 },
    (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : `*a${i - 1},`.repeat(9)}]`,
  );
  return floors.join("\n");
}

test.each(HOSTILE)("%s is refused with a fault", (_what, text, message) => {
  const { value, faults } = parseApp(text);
  expect(value).toBeUndefined();
  expect(faults.map((fault) => fault.message).join("\n")).toContain(message);
});

test("a key that would change what objects are is a fault, in JSON too", () => {
  const value: unknown = JSON.parse(
    '{"components": {"a": {"kind": "job", "image": "a", "env": {"__proto__": "x"}}}}',
  );
  expect(parseAppValue(value).faults).toContainEqual({
    path: "components.a.env.__proto__",
    message: "the key `__proto__` is not allowed",
  });
});

test("any text, and any valid app with something replaced, gives faults or an app, and never throws", () => {
  const check = (text: string) => {
    const { value, faults } = parseApp(text);
    expect(value === undefined).toBe(faults.length > 0);
    for (const { line } of faults) expect(line ?? 1).toBeLessThanOrEqual(text.split(/\r\n|\r|\n/).length);
  };
  fc.assert(fc.property(fc.string({ unit: "binary" }), check));
  const piece = fc.constantFrom(
    "",
    ":",
    "- ",
    "{",
    "]",
    "&a ",
    "*a",
    "!x ",
    "null",
    "5",
    '"',
    "\n",
    "  ",
    "#",
    "${",
    "constructor",
  );
  const spoiled = fc.tuple(anyApp, fc.nat(), fc.nat(12), piece).map(([app, at, length, text]) => {
    const whole = renderApp(app);
    const from = at % whole.length;
    return whole.slice(0, from) + text + whole.slice(from + length);
  });
  fc.assert(fc.property(spoiled, check), { numRuns: 200 });
});

test("a release must have pinned images and ids, and nothing to build or of a site", () => {
  const text = `apiVersion: sampan/v1
kind: Release
template: { id: shop, name: Shop }
version: "1.0"
components:
  web: { kind: job, image: shop/web, build: { context: . }, installation: i1 }
`;
  expect(parseRelease(text).faults.map(({ path }) => path)).toEqual([
    "components.web.id",
    "components.web.installation",
    "components.web.build",
    "components.web.image",
  ]);
});
