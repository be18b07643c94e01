import { createHash } from "node:crypto";
import type { Digest } from "@sampan/content";
import { type DesiredComponent, resolve } from "@sampan/plan";
import type { RunningApp } from "@sampan/runtime";
import { type App, assignComponentIds, listGenerated, makeGenerated, parseAppValue } from "@sampan/template";
import { anyApp } from "@sampan/template/arbitrary";
import fc from "fast-check";
import { expect, test } from "vitest";
import { documentOf } from "./recovered-app.ts";

const APP = { id: "app_1", slug: "team-shop" };

function sha256(text: string): Digest {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function resolved(app: App, given: { parameters?: object; hostPorts?: Record<string, number> } = {}) {
  const references = Object.values(app.components).flatMap(({ image }) =>
    typeof image === "string" ? [image] : [],
  );
  return resolve(app, {
    appRef: APP,
    generation: 7,
    modules: { on: [], off: [] },
    values: {
      parameters: { ...given.parameters },
      generated: makeGenerated(listGenerated(app), {}, (bytes) => new Uint8Array(bytes)),
      hostPorts: given.hostPorts ?? {},
    },
    images: Object.fromEntries(references.map((name) => [name, { id: sha256(name), name }])),
    sha256,
  });
}

/** The app of what runs, resolved anew. */
function again(components: readonly DesiredComponent[]): readonly DesiredComponent[] {
  const running: RunningApp = { app: APP, generation: 7, components, remarks: [] };
  const { document, remarks } = documentOf(running, "shop");
  expect(remarks).toEqual([]);
  const { value, faults } = parseAppValue(document);
  expect(faults).toEqual([]);
  const { desired, faults: left } = resolved(value as App);
  expect(left).toEqual([]);
  return desired?.components ?? [];
}

test("the app that is made of what runs is an equal one: it resolves to the same, whatever the app was", () => {
  fc.assert(
    fc.property(anyApp, (drawn) => {
      let ids = 0;
      const app = assignComponentIds(drawn, () => `cmp_${++ids}`);
      const known = { mode: app.parameters?.mode?.type === "enum" ? "on" : "abc", secret: "hunter2hunter2" };
      const parameters = Object.fromEntries(
        Object.entries(known).filter(([name]) => app.parameters?.[name] !== undefined),
      );
      const ports = Object.entries(app.components).flatMap(([name, component], index) =>
        Object.keys(component.ports ?? {}).map(
          (port, at) => [`${name}/${port}`, 30_000 + index * 10 + at] as const,
        ),
      );
      const { desired } = resolved(app, { parameters, hostPorts: Object.fromEntries(ports) });
      // Several components may name one parameter for their ports: only a site can know, and says so.
      fc.pre(desired !== undefined);
      expect(again(desired.components)).toEqual(desired.components);
    }),
    { numRuns: 200 },
  );
});

function component(over: Partial<DesiredComponent["spec"]>, name = "web"): DesiredComponent {
  return {
    name,
    id: `cmp-${name}`,
    kind: "stateless",
    needs: [],
    replicas: 1,
    startWithinMs: 90_000,
    specDigest: sha256(name),
    spec: {
      image: { id: sha256("image"), name: "shop/web:1" },
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
      stopGraceMs: 1500,
      security: { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false },
      ...over,
    },
  };
}

function volume(name: string) {
  return { kind: "volume", owner: "web", volume: name, path: `/${name}`, readOnly: false } as const;
}
const memory = (path: string) => ({ kind: "memory", path }) as const;
const long = "v".repeat(41);

test.each([
  [[memory("/a")]],
  [[memory("/a"), memory("/b"), memory("/c")]],
  [[memory("/m"), volume("data"), memory("/n"), volume("data-a"), memory("/o")]],
  [[volume("memory"), memory("/a"), volume("memory1"), volume("z"), memory("/b"), memory("/c")]],
  [[memory("/a"), memory("/m"), volume("b"), memory("/c"), memory("/d")]],
  [[volume(long), memory("/a")]],
] as const)("mounts keep their order, though volumes in memory have no name left: %j", (mounts) => {
  expect(again([component({ mounts })])[0]?.spec.mounts).toEqual(mounts);
});

test("where no name is left between two others, the volume in memory is still there", () => {
  const mounts = [volume("a"), memory("/m"), volume("a--0")];
  expect(new Set(again([component({ mounts })])[0]?.spec.mounts)).toEqual(new Set(mounts));
});

test.each([
  [1500, "1500ms"],
  [0, "0ms"],
  [1000, "1s"],
  [90_000, "90s"],
  [120_000, "2m"],
  [7_200_000, "2h"],
])("%i ms are written %s", (stopGraceMs, text) => {
  expect(documentOf(running(component({ stopGraceMs })), "shop").document).toMatchObject({
    components: { web: { stopGrace: text } },
  });
});

function running(...components: readonly DesiredComponent[]): RunningApp {
  return { app: APP, generation: 1, components, remarks: [] };
}

test("secrets are secrets again: variables, and files that hold their values or look like it", () => {
  const file = (path: string, content: string) => ({ path, content, mode: 0o600 });
  const spec = {
    env: { PASSWORD: "correct-horse", PIN: "12", TITLE: `costs $$5 $\{HOME}` },
    secretEnv: ["PASSWORD", "PIN"],
    files: [
      file("/a.conf", "title = 12"),
      file("/b.conf", "x correct-horse x"),
      file("/c.pem", "-----BEGIN PRIVATE KEY-----\n"),
    ],
  };
  expect(documentOf(running(component(spec)), "shop").document).toMatchObject({
    components: {
      web: {
        env: { PASSWORD: { secret: "correct-horse" }, PIN: { secret: "12" }, TITLE: `costs $$$5 $$\{HOME}` },
        files: {
          "/a.conf": { content: "title = 12", mode: "0600" },
          "/b.conf": { secret: true },
          "/c.pem": { secret: true },
        },
      },
    },
  });
  expect(again([component(spec)])[0]?.spec).toMatchObject(spec);
});

test("a volume of a component that the engine does not know is left out, and remarked", () => {
  const mounts = [{ ...volume("data"), owner: "db" }];
  const { document, remarks } = documentOf(running(component({ mounts })), "shop");
  expect(parseAppValue(document).faults).toEqual([]);
  expect(remarks).toEqual([expect.stringContaining("web mounts the volume data of db")]);
});
