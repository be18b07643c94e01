// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts of apps hold such references.
import { createHash } from "node:crypto";
import type { Digest } from "@sampan/content";
import { type App, listGenerated, makeGenerated, parseApp } from "@sampan/template";
import { anyApp } from "@sampan/template/arbitrary";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ResolveInput, resolve } from "./resolve.ts";

const HEAD = "apiVersion: sampan/v1\nkind: App\nname: shop\n";

function sha256(text: string): Digest {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function appOf(text: string): App {
  const { value, faults } = parseApp(HEAD + text);
  expect(faults).toEqual([]);
  return value!;
}

interface Given {
  readonly parameters?: Record<string, unknown>;
  readonly hostPorts?: Record<string, number>;
  readonly generated?: Record<string, string>;
  readonly images?: ResolveInput["images"];
  readonly modules?: ResolveInput["modules"];
}

/** Resolves with every image there and every generated value made, unless told otherwise. */
function resolveWith(app: App, given: Given = {}) {
  const references = Object.values(app.components).flatMap(({ image }) =>
    typeof image === "string" ? [image] : [],
  );
  const zeros = makeGenerated(listGenerated(app), {}, (bytes) => new Uint8Array(bytes));
  return resolve(app, {
    appRef: { id: "app-1", slug: "team-shop" },
    generation: 7,
    modules: given.modules ?? { on: [], off: [] },
    values: {
      parameters: given.parameters ?? {},
      generated: given.generated ?? zeros,
      hostPorts: given.hostPorts ?? {},
    },
    images: given.images ?? Object.fromEntries(references.map((name) => [name, { id: sha256(name), name }])),
    sha256,
  });
}

function componentOf(text: string, name: string, given: Given = {}) {
  const { desired, faults } = resolveWith(appOf(text), given);
  expect(faults).toEqual([]);
  return desired!.components.find((component) => component.name === name)!;
}

test("a bare component gets every default, and its digest is that of its spec", () => {
  const web = componentOf("components: { web: { kind: stateless, image: shop/web } }", "web");
  expect(web).toEqual({
    name: "web",
    id: "web",
    kind: "stateless",
    needs: [],
    replicas: 1,
    startWithinMs: 120_000,
    specDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    spec: {
      image: { id: sha256("shop/web"), name: "shop/web" },
      env: {},
      secretEnv: [],
      files: [],
      mounts: [],
      ports: [],
      probes: {},
      limits: {},
      requests: {},
      restart: "always",
      labels: {},
      stopGraceMs: 10_000,
      security: { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false },
    },
  });
});

const EVERYTHING = `
components:
  web:
    id: web-01
    kind: stateless
    image: { id: ${sha256("x")}, name: shop/web, os: linux }
    command: [run]
    args: ["\${NOT}"]
    replicas: 3
    startWithin: 5m
    stopGrace: 1m
    restart: on-failure
    labels: { tier: front }
    ports: { http: { port: 80, protocol: http, exposed: true, hostPort: 8080 }, in: { port: 81, protocol: udp } }
    volumes:
      own: { path: /own, kind: persistent }
      tmp: { path: /tmp, kind: memory, size: 1MiB }
      pub: { path: /pub, kind: shared, readOnly: true }
    probes: { live: { http: { port: 80 } }, start: { tcp: { port: 80 }, period: 1s, failures: 9 }, ready: { exec: [ok], successes: 2 } }
    resources: { request: { cpu: 0.1, memory: 1MiB }, limit: { cpu: 2, memory: 1GiB, processes: 99 } }
    security: { user: "1", addCapabilities: [SYS_TIME, NET_ADMIN], readOnlyRoot: true, privileged: true }
  reader:
    kind: job
    image: r
    volumes: { pub: { path: /p, kind: shared, from: web } }
  nightly: { kind: cron, schedule: "0 3 * * *", image: n, replicas: 2 }
`;

test("everything that is written reaches the spec", () => {
  const { spec, ...web } = componentOf(EVERYTHING, "web");
  expect(web).toMatchObject({ id: "web-01", replicas: 3, startWithinMs: 300_000 });
  expect(spec).toMatchObject({
    image: { id: sha256("x"), name: "shop/web" },
    command: ["run"],
    args: ["${NOT}"],
    restart: "on-failure",
    stopGraceMs: 60_000,
    labels: { tier: "front" },
    ports: [
      { name: "http", port: 80, protocol: "http", hostPort: 8080 },
      { name: "in", port: 81, protocol: "udp" },
    ],
    mounts: [
      { kind: "volume", owner: "web", volume: "own", path: "/own", readOnly: false },
      { kind: "volume", owner: "web", volume: "pub", path: "/pub", readOnly: true },
      { kind: "memory", path: "/tmp", sizeBytes: 1_048_576 },
    ],
    probes: {
      live: {
        check: { kind: "http", port: 80, path: "/", headers: {} },
        delayMs: 0,
        periodMs: 5000,
        timeoutMs: 3000,
        failures: 3,
      },
      start: { check: { kind: "tcp", port: 80 }, periodMs: 1000, failures: 9, successes: 1 },
      ready: { check: { kind: "exec", command: ["ok"] }, failures: 6, successes: 2 },
    },
    limits: { cpu: 2, memoryBytes: 1024 ** 3, processes: 99 },
    requests: { cpu: 0.1, memoryBytes: 1024 ** 2 },
    security: { user: "1", addCapabilities: ["NET_ADMIN", "SYS_TIME"], readOnlyRoot: true, privileged: true },
  });
  expect(spec.image).not.toHaveProperty("os");
  expect(componentOf(EVERYTHING, "reader")).toMatchObject({
    replicas: 1,
    spec: { restart: "never", mounts: [{ kind: "volume", owner: "web", volume: "pub", path: "/p" }] },
  });
  expect(componentOf(EVERYTHING, "nightly")).toMatchObject({ replicas: 0, schedule: "0 3 * * *" });
});

const ENVIRONMENT = `
parameters:
  theme: { type: string, default: light }
  size: { type: int }
  pass: { type: password }
components:
  web:
    kind: stateless
    image: w
    needs: [db, cache]
    env:
      URL: "mysql://\${DB_USER}:\${DB_PASSWORD}@\${DB_HOST}/$$x"
      COPY: "\${URL}?again"
      THEME: { parameter: theme }
      SIZE: { parameter: size }
      SIZED: "<\${SIZE}>"
      PASS: { parameter: pass }
      DB_USER: "\${DB_USER}-mine"
    connection: { WEB: "\${THEME}", DB_HOST: "via-\${DB_HOST}" }
    files:
      /plain: { content: "\${URL}" }
      /expanded: { content: "user=\${DB_USER} $host", expand: true, mode: "600" }
  db:
    kind: stateful
    image: d
    needs: [cache]
    env: { NAME: "\${DB_USER}-db", ROOT: { generate: {} } }
    connection: { DB_HOST: db, DB_USER: shop, DB_NAME: "\${NAME}@\${CACHE}", DB_PASSWORD: { generate: { length: 8 } } }
  user: { kind: job, image: u, needs: [web] }
  cache: { kind: stateful, image: c, connection: { CACHE: cache, SECRET: { secret: "\${raw}" } } }
`;

test("an environment is connection info of what is needed, then own env; its own connection info is for references only", () => {
  const { spec } = componentOf(ENVIRONMENT, "web", { parameters: { pass: "word" } });
  expect(spec.env).toEqual({
    CACHE: "cache",
    COPY: "mysql://shop-mine:aaaaaaaa@db/$x?again",
    DB_HOST: "db",
    DB_NAME: "shop-db@cache",
    DB_PASSWORD: "aaaaaaaa",
    DB_USER: "shop-mine",
    PASS: "word",
    SECRET: "${raw}",
    SIZED: "<>",
    THEME: "light",
    URL: "mysql://shop-mine:aaaaaaaa@db/$x",
  });
  expect(componentOf(ENVIRONMENT, "user").spec.env).toEqual({ DB_HOST: "via-db", WEB: "light" });
  expect(spec.secretEnv).toEqual(["COPY", "DB_PASSWORD", "PASS", "SECRET", "URL"]);
  expect(spec.files).toEqual([
    { path: "/expanded", content: "user=shop-mine $host", mode: 0o600 },
    { path: "/plain", content: "${URL}", mode: 0o644 },
  ]);
});

test("a module that is off takes its components away, and changes nothing about the others", () => {
  const app = appOf(`
modules: { extra: { components: [extra] } }
components: { web: { kind: stateless, image: w }, extra: { kind: stateless, image: gone } }
`);
  const images = { w: { id: sha256("w"), name: "w" } };
  const { desired, faults } = resolveWith(app, { modules: { on: [], off: ["extra"] }, images });
  expect(faults).toEqual([]);
  expect(desired?.components.map(({ name }) => name)).toEqual(["web"]);
  expect(resolveWith(app).desired?.components.find(({ name }) => name === "web")).toEqual(
    desired?.components[0],
  );
});

const PORTS = `
parameters: { port: { type: int } }
components:
  web: { kind: stateless, image: w, ports: { a: { port: 1, protocol: http, exposed: true, hostPort: { parameter: port } } } }
  api: { kind: stateless, image: a, ports: { b: { port: 1, protocol: tcp, exposed: true } } }
`;

test("an exposed port takes the number of its parameter, or the one that was picked before", () => {
  const { desired } = resolveWith(appOf(PORTS), {
    parameters: { port: "8080" },
    hostPorts: { "api/b": 30_000, "web/a": 1 },
  });
  expect(desired?.components.map(({ spec }) => spec.ports[0]?.hostPort)).toEqual([30_000, 8080]);
});

test.each<readonly [string, string, Given, readonly string[]]>([
  [
    "ports without a number",
    PORTS,
    {},
    [
      "components.api.ports.b.hostPort: no port of the site was picked for it",
      "components.web.ports.a.hostPort: the parameter `port` has no value",
    ],
  ],
  [
    "a port that is none",
    PORTS,
    { parameters: { port: 70_000 }, hostPorts: { "api/b": 1 } },
    ["components.web.ports.a.hostPort: 70000 is not a port number"],
  ],
  [
    "a port taken twice",
    PORTS,
    { parameters: { port: 80 }, hostPorts: { "api/b": 80 } },
    ["components.web.ports.a.hostPort: 80/tcp is already taken by the port api/b"],
  ],
  [
    "an unknown answer",
    PORTS,
    { parameters: { port: 80, x: 1 }, hostPorts: { "api/b": 81 } },
    ["parameters.x: there is no parameter `x`"],
  ],
  [
    "an image that is not here",
    "components: { web: { kind: job, image: w } }",
    { images: {} },
    ["components.web.image: the image w is not here"],
  ],
  [
    "an app to be built",
    "components: { web: { kind: job, build: { context: . } } }",
    {},
    ["components.web.image: is only to be built: build it, and give the image"],
  ],
  [
    "values not generated",
    ENVIRONMENT,
    { generated: {} },
    [
      "components.db.connection.DB_PASSWORD: has not been generated yet",
      "components.db.env.ROOT: has not been generated yet",
    ],
  ],
  [
    "an unknown module",
    "components: { web: { kind: job, image: w } }",
    { modules: { on: ["x"], off: [] } },
    ["modules.x: there is no module `x`"],
  ],
])("%s: all is said, and nothing is desired", (_what, text, given, wanted) => {
  const { desired, faults } = resolveWith(appOf(text), given);
  expect(desired).toBeUndefined();
  expect(faults.map(({ path, message }) => `${path}: ${message}`)).toEqual(wanted);
});

test("references that double at every step are stopped", () => {
  const lines = Array.from(
    { length: 40 },
    (_, i) => `      V${i}: "${i === 0 ? "xxxxxxxx" : `\${V${i - 1}}`.repeat(2)}"`,
  );
  const app = appOf(`components:\n  web:\n    kind: job\n    image: w\n    env:\n${lines.join("\n")}\n`);
  const { desired, faults } = resolveWith(app);
  expect(desired).toBeUndefined();
  expect(faults[0]?.message).toContain("longer than 128 KiB");
});

test("every valid app resolves, to the same each time, and no secret is missing from the list of secrets", () => {
  fc.assert(
    fc.property(anyApp, (app) => {
      const parameters = {
        mode: app.parameters?.mode?.type === "enum" ? "on" : "abc",
        secret: "hunter2hunter2",
      };
      const known = Object.fromEntries(
        Object.entries(parameters).filter(([name]) => app.parameters?.[name] !== undefined),
      );
      const ports = Object.entries(app.components).flatMap(([name, component], index) =>
        Object.keys(component.ports ?? {}).map(
          (port, at) => [`${name}/${port}`, 30_000 + index * 10 + at] as const,
        ),
      );
      const given = { parameters: known, hostPorts: Object.fromEntries(ports) };
      const { desired, faults } = resolveWith(app, given);
      // Several components may name one parameter for their ports: only a site can know, and says so.
      fc.pre(!faults.some(({ message }) => message.includes("already taken")));
      expect(faults).toEqual([]);
      expect(resolveWith(app, given).desired).toEqual(desired);
      for (const { spec } of desired?.components ?? []) {
        const secret = Object.keys(spec.env).filter((name) => spec.env[name]?.includes("hunter2hunter2"));
        expect(spec.secretEnv).toEqual(expect.arrayContaining(secret));
      }
    }),
    { numRuns: 100 },
  );
});

const DATA: readonly (readonly [what: string, component: string, data: object | undefined])[] = [
  ["no volume", "", undefined],
  ["a volume in memory", "volumes: { tmp: { path: /tmp, kind: memory } }", undefined],
  [
    "volumes that last",
    "volumes: { b: { path: /b, kind: shared }, a: { path: /a, kind: persistent }, m: { path: /m, kind: memory } }",
    { volumes: ["a", "b"], withinMs: 1_800_000 },
  ],
  ["only the volume of another", "volumes: { own: { path: /o, kind: shared, from: other } }", undefined],
  [
    "a choice of volumes, and commands",
    "volumes: { b: { path: /b, kind: persistent }, a: { path: /a, kind: persistent } }, snapshot: { volumes: [b], before: [dump, x], after: [rm], restored: [load], within: 90s }",
    { volumes: ["b"], before: ["dump", "x"], after: ["rm"], restored: ["load"], withinMs: 90_000 },
  ],
];

test.each(DATA)("the data of a component with %s is known", (_what, text, data) => {
  const other = "other: { kind: stateless, image: x, volumes: { own: { path: /o, kind: shared } } }";
  const component = (more: string) =>
    componentOf(`components: { web: { kind: stateless, image: shop/web, ${more} }, ${other} }`, "web");
  const found = component(text);
  expect(found.data).toEqual(data);
  expect(Object.hasOwn(found, "data")).toBe(data !== undefined);
  const plain = component(text.replace(/, snapshot:.*/, ""));
  expect(found.specDigest).toBe(plain.specDigest);
});
