import fc from "fast-check";
import { API_VERSION, type App } from "./app.ts";
import type { Component, Probe } from "./component.ts";
import type { EnvValue, Parameter } from "./values.ts";
import { quoteText } from "./variables.ts";

/** Texts that formats like to trip over, among ordinary ones. Well-formed, without NUL. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll("\0", "")),
  fc.constantFrom("", " ", "\n", "on", "no", "null", "~", "1.0", "0x1f", "1e3", "- a", "# c", "a: b", "a #b"),
  fc.constantFrom(
    "two\nlines\n",
    "tail \n\n\n",
    "\ttab",
    " lead\n  more\n",
    "%",
    "@x",
    "`",
    "é\u2028x",
    "\ufeff",
  ),
  fc.constantFrom(
    "\r\n",
    "a\rb",
    "\u0085",
    "'\"",
    "$",
    "$$",
    "${",
    "<<",
    "---",
    "...",
    "2024-01-01",
    "=",
    "!",
  ),
);

/** Valid apps: everything that parses without a fault can come out. For the tests of every room that takes apps. */
export const anyApp: fc.Arbitrary<App> = fc.gen().map((draw) => new AppDrawing(draw).app());

const NAMES = [
  "web",
  "api",
  "db",
  "constructor",
  "cache-2",
  "valueof",
  "z9",
  "worker",
  "to-json",
  "hasownproperty",
];
const KINDS = ["stateless", "stateful", "job", "cron"] as const;

class AppDrawing {
  readonly #draw: fc.GeneratorValue;
  readonly #parameters: Record<string, Parameter> = {};
  readonly #components: Record<string, Component> = {};
  readonly #plugins: NonNullable<App["plugins"]> = {};

  constructor(draw: fc.GeneratorValue) {
    this.#draw = draw;
  }

  app(): App {
    for (const name of this.#some(["mode", "size", "secret", "level", "flag"]))
      this.#parameters[name] = this.#parameter(name);
    for (const name of this.#some(["spy", "init"]))
      this.#plugins[name] = { kind: name === "spy" ? "sidecar" : "init", image: "sampan/spy:1" };
    const names = this.#draw(fc.subarray, NAMES, { minLength: 1 });
    for (const [index, name] of names.entries()) this.#components[name] = this.#component(index);
    return defined({
      apiVersion: API_VERSION,
      kind: "App",
      name: "shop",
      version: this.#maybe("2.9"),
      title: this.#maybe(`t${this.#text()}`),
      summary: this.#maybe(this.#text()),
      parameters: this.#filled(this.#parameters),
      modules: this.#modules(names),
      components: this.#components,
      plugins: this.#filled(this.#plugins),
      routes: this.#routes(names),
      preflight: this.#maybe({ cpu: 0.5, memory: "2GiB", architectures: ["amd64" as const], kernel: "5.10" }),
      acceptance: this.#acceptance(names),
    });
  }

  #component(index: number): Component {
    const kind = this.#one(KINDS);
    const isLong = kind === "stateless" || kind === "stateful";
    const earlier = Object.keys(this.#components).filter((other) => this.#components[other]?.kind !== "cron");
    const needs = this.#some(earlier);
    const connection = this.#connection(index);
    const scaled = kind === "stateless" && this.#flag();
    const volumes = this.#volumes(needs);
    return defined({
      id: this.#maybe(`comp-${index}`),
      title: this.#maybe(`t${this.#text()}`),
      kind,
      schedule: kind === "cron" ? this.#one(["*/5 * * * *", "0 3 1,15 jan-jun mon"]) : undefined,
      image: this.#one([
        "shop/web:2.9",
        `sha256:${"ab".repeat(32)}`,
        "registry.local:5000/a/b@sha256:".concat("0".repeat(64)),
      ]),
      command: this.#maybe([this.#text(), "x"]),
      args: this.#maybe([this.#text()]),
      env: this.#env(index, [
        ...needs.flatMap((other) => Object.keys(this.#components[other]?.connection ?? {})),
        ...Object.keys(connection),
      ]),
      files: this.#files(Object.keys(connection)),
      volumes,
      ports: this.#ports(index),
      needs: needs.length === 0 ? undefined : needs,
      connection: this.#filled(connection),
      probes: this.#maybe({ start: this.#probe(), live: this.#probe(), ready: this.#probe() }),
      startWithin: this.#maybe("90s"),
      replicas: scaled
        ? 2
        : kind === "stateful"
          ? this.#maybe(1)
          : this.#maybe(this.#draw(fc.integer, { min: 0, max: 5 })),
      scaling: scaled ? { min: 1, max: 4, step: 1 } : undefined,
      resources: this.#maybe({
        request: { cpu: 0.25, memory: "64MiB" },
        limit: { cpu: 1.5, memory: "1GiB", processes: 100 },
      }),
      plugins: this.#bindings(),
      metrics: this.#maybe({ main: { port: 9100, path: "/metrics", interval: "15s" } }),
      restart: this.#maybe(
        isLong ? this.#one(["always", "on-failure", "never"]) : this.#one(["on-failure", "never"]),
      ),
      labels: this.#maybe({ "sampan/tier": this.#text() }),
      stopGrace: this.#maybe("30s"),
      snapshot: volumes === undefined ? undefined : this.#snapshot(),
      security: this.#maybe({
        user: "1000:1000",
        dropCapabilities: ["NET_RAW"],
        readOnlyRoot: true,
        privileged: this.#flag(),
      }),
      description: this.#maybe(this.#text()),
    });
  }

  #parameter(name: string): Parameter {
    const rest = defined({
      title: this.#maybe(`t${this.#text()}`),
      group: this.#maybe("Main"),
      required: this.#maybe(true),
    });
    switch (name) {
      case "size":
        return { type: "size", ...rest, default: "1GiB", min: "512MiB", max: "4GiB" };
      case "secret":
        return { type: "password", ...rest, minLength: 8 };
      case "level":
        return { type: "int", ...rest, default: 8080, min: 1, max: 65535 };
      case "flag":
        return { type: "bool", ...rest, default: this.#flag() };
      default:
        return this.#flag()
          ? { type: "enum", ...rest, options: ["a", "on", "1"], default: "on" }
          : { type: "string", ...rest, default: "abc", pattern: "[a-z]+" };
    }
  }

  /** Names differ from component to component, so that what is needed never disagrees. */
  #connection(index: number): Record<string, EnvValue> {
    const names = this.#some([`C${index}_HOST`, `C${index}_PASSWORD`, `c${index}`]);
    return Object.fromEntries(names.map((name) => [name, this.#value([])]));
  }

  #env(index: number, visible: readonly string[]): Record<string, EnvValue> | undefined {
    const names = this.#some([`E${index}`, "PATH", "constructor", "toString", "A_1"]);
    return this.#maybe(Object.fromEntries(names.map((name) => [name, this.#value(visible)])));
  }

  #value(visible: readonly string[]): EnvValue {
    const parameters = Object.keys(this.#parameters);
    switch (this.#draw(fc.nat, 5)) {
      case 0:
        return { secret: this.#text() };
      case 1:
        return {
          generate: this.#flag()
            ? {}
            : { length: 12, alphabet: this.#one(["hex", "lowercase", "alphanumeric"]) },
        };
      case 2:
        return parameters.length === 0 ? "none" : { parameter: this.#one(parameters) };
      case 3:
        return visible.length === 0 ? "$$" : `${quoteText(this.#text())}\${${this.#one(visible)}}/$$`;
      default:
        return quoteText(this.#text());
    }
  }

  #files(visible: readonly string[]): Component["files"] {
    const reference = visible.length === 0 ? "" : `\${${this.#one(visible)}}`;
    return this.#maybe({
      "/etc/plain file.conf": defined({
        content: this.#text(),
        mode: this.#maybe("0644"),
        secret: this.#maybe(true),
      }),
      "/etc/expanded": { content: `${quoteText(this.#text())}${reference}`, expand: true },
    });
  }

  #volumes(needs: readonly string[]): Component["volumes"] {
    const owners = needs.filter(
      (name) =>
        this.#components[name]?.volumes?.shared?.from === undefined &&
        this.#components[name]?.volumes?.shared !== undefined,
    );
    const from = owners.length === 0 ? undefined : this.#maybe(this.#one(owners));
    return this.#maybe({
      data: defined({ path: "/var/lib/data", kind: "persistent" as const, size: this.#maybe("2GiB") }),
      scratch: { path: "/scratch/", kind: "memory" as const, size: "64MiB" },
      shared: defined({ path: "/shared", kind: "shared" as const, from, readOnly: this.#maybe(true) }),
    });
  }

  #snapshot(): Component["snapshot"] {
    const quiesced = this.#maybe({
      before: ["dump", this.#text()],
      ...(this.#flag() ? { after: ["rm"] } : {}),
    });
    return this.#maybe(
      defined({
        volumes: this.#maybe(["data"]),
        ...quiesced,
        restored: this.#maybe(["load", this.#text()]),
        within: this.#maybe("10m"),
      }),
    );
  }

  #ports(index: number): Component["ports"] {
    const level = Object.hasOwn(this.#parameters, "level") ? { parameter: "level" } : undefined;
    return this.#maybe({
      http: defined({
        port: 8080,
        protocol: "http" as const,
        exposed: this.#maybe(true),
        hostPort: this.#maybe(20_000 + index),
      }),
      dns: { port: 8080, protocol: "udp" as const },
      sql: defined({ port: 3306, protocol: "tcp" as const, exposed: true, hostPort: this.#maybe(level) }),
    });
  }

  #probe(): Probe | undefined {
    const timing = { delay: "1s", period: "2s", timeout: "500ms", failures: 4, successes: 2 };
    const check = this.#one<Probe>([
      { http: { port: 8080, path: "/", status: 204 } },
      { tcp: { port: 1 } },
      { exec: ["sh", "-c", "true"] },
    ]);
    return this.#maybe({ ...check, ...(this.#flag() ? timing : {}) });
  }

  #bindings(): Component["plugins"] {
    const names = this.#some(Object.keys(this.#plugins));
    return this.#maybe(
      Object.fromEntries(names.map((plugin) => [plugin, { plugin, config: { "1": this.#text() } }])),
    );
  }

  #modules(names: readonly string[]): App["modules"] {
    const [core, extra] = [this.#some(names), this.#some(names)];
    if (core.length === 0 || extra.length === 0) return undefined;
    return {
      core: defined({ components: core, default: this.#maybe(true) }),
      extra: defined({
        title: this.#maybe("Extra"),
        components: extra,
        requires: ["core"],
        default: this.#maybe(false),
      }),
    };
  }

  #routes(names: readonly string[]): App["routes"] {
    const component = names.find((name) => this.#components[name]?.ports?.http !== undefined);
    if (component === undefined) return undefined;
    return this.#maybe({
      main: {
        kind: "http" as const,
        match: { host: "shop.local", path: "/", methods: ["GET" as const] },
        to: [{ component, port: "http", weight: 10 }],
      },
      sql: { kind: "tcp" as const, listen: 13_306, to: [{ component, port: "sql" }] },
    });
  }

  #acceptance(names: readonly string[]): App["acceptance"] {
    return this.#maybe([
      {
        name: "It runs",
        exec: { component: this.#one(names), command: ["true", this.#text()], exitCode: 0 },
        within: "60s",
      },
    ]);
  }

  #text(): string {
    return this.#draw(() => anyText);
  }

  #flag(): boolean {
    return this.#draw(fc.boolean);
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#draw(fc.nat, items.length - 1)]!;
  }

  #some<T>(items: readonly T[]): T[] {
    return this.#draw(fc.nat, 2) === 0 ? [] : items.filter(() => this.#flag());
  }

  #maybe<T>(value: T): T | undefined {
    return this.#flag() ? value : undefined;
  }

  #filled<T extends object>(value: T): T | undefined {
    return Object.keys(value).length === 0 ? undefined : value;
  }
}

/** Without the keys that are undefined: they are absent in what is parsed. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(value).map(([key, item]) => [
    key,
    key === "probes" && item ? defined(item) : item,
  ]);
  return Object.fromEntries(kept.filter(([, item]) => item !== undefined));
}
