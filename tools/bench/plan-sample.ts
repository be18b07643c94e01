import { createHash } from "node:crypto";
import { type Digest, digestFromHex } from "@sampan/content";
import { type Desired, type MergeInput, type Observed, type ResolveInput, resolve } from "@sampan/plan";
import type { App, AppBody, Component } from "@sampan/template";

/** An installation of many components, the release that it came from, and the next one: what an upgrade is planned from. */
export interface PlanSample {
  readonly merge: MergeInput & { readonly oldRelease: AppBody };
  readonly resolve: ResolveInput;
  readonly observed: Observed;
}

const INSTALLATION = "ins-1";

/** Each component has 50 properties, of which the new release changes 5; in every fifth the site had changed one itself. */
export function makePlanSample(components: number): PlanSample {
  const numbers = Array.from({ length: components }, (_, at) => at);
  const bodyOf = (version: number): AppBody => ({
    components: Object.fromEntries(numbers.map((at) => [nameOf(at), makeComponent(at, version)])),
  });
  const oldRelease = bodyOf(1);
  const here = Object.entries(oldRelease.components).map(([name, component], at) => [
    name,
    { ...(at % 5 === 0 ? editAtSite(component) : component), installation: INSTALLATION },
  ]);
  const site: App = {
    apiVersion: "sampan/v1",
    kind: "App",
    name: "large",
    components: Object.fromEntries(here),
  };
  const wish: ResolveInput = {
    appRef: { id: "app-1", slug: "team-large" },
    generation: 2,
    modules: { on: [], off: [] },
    values: { parameters: {}, generated: {} },
    images: {},
    sha256,
  };
  const { desired, faults } = resolve(site, { ...wish, generation: 1 });
  if (desired === undefined) throw new Error(`the sample cannot run: ${JSON.stringify(faults.slice(0, 3))}`);
  return {
    merge: { oldRelease, newRelease: bodyOf(2), site, installation: INSTALLATION },
    resolve: wish,
    observed: observedOf(desired),
  };
}

function sha256(text: string): Digest {
  return digestFromHex(createHash("sha256").update(text).digest("hex"));
}

function nameOf(at: number): string {
  return `c${at}`;
}

function editAtSite(component: Component): Component {
  return { ...component, env: { ...component.env, SETTING_3: "changed here" } };
}

/** Image, command, a probe, a label, and the name of a variable differ between versions. */
function makeComponent(at: number, version: number): Component {
  const variables = Array.from({ length: 14 }, (_, key) => [
    `SETTING_${key}`,
    `value ${key} of component ${at}`,
  ]);
  const labels = Array.from({ length: 4 }, (_, key) => [`label-${key}`, `${at}`]);
  // Each needs up to three others that come before it, near and far.
  const needs = [...new Set([at - 1, Math.floor(at / 2), Math.floor(at / 3)])].filter(
    (need) => need >= 0 && need < at,
  );
  return {
    id: `id-${at}-component`,
    title: `Component ${at}`,
    kind: at % 10 === 0 ? "stateful" : "stateless",
    image: { id: sha256(`image ${at} ${version}`), name: `large/${nameOf(at)}:${version}` },
    command: ["server", `--version=${version}`],
    args: ["--port", "8080"],
    env: { ...Object.fromEntries(variables), [`NEW_IN_${version}`]: "on" },
    files: {
      "/etc/server.conf": { content: fileText(at) },
      "/etc/logging.conf": { content: fileText(at + 1), mode: "0600" },
      "/etc/hosts.conf": { content: fileText(at + 2) },
    },
    volumes: {
      data: { path: "/data", kind: "persistent" },
      cache: { path: "/cache", kind: "memory", size: "64MiB" },
    },
    ports: { http: { port: 8080, protocol: "http" }, admin: { port: 9000, protocol: "http" } },
    needs: needs.map(nameOf),
    connection: { [`HOST_${at}`]: nameOf(at), [`PORT_${at}`]: "8080" },
    probes: {
      ready: { http: { port: 8080, path: `/health/${version}` }, period: "2s" },
      live: { tcp: { port: 8080 } },
    },
    startWithin: "60s",
    replicas: 1,
    resources: { request: { cpu: 0.1, memory: "64MiB" }, limit: { memory: "256MiB" } },
    restart: "always",
    labels: { ...Object.fromEntries(labels), version: `${version}` },
    stopGrace: "10s",
    security: { readOnlyRoot: true, user: "1000" },
  };
}

function fileText(at: number): string {
  return Array.from({ length: 10 }, (_, line) => `setting.${line} = ${at * line}`).join("\n");
}

/** What the engine runs when nothing has happened since: one instance of each component. */
function observedOf(desired: Desired): Observed {
  return {
    at: "2026-01-01T00:00:00.000Z",
    complete: true,
    remarks: [],
    generation: desired.generation,
    network: true,
    volumes: desired.components.map(({ name }) => ({ owner: name, volume: "data" })),
    images: desired.components.map(({ spec }) => spec.image.id),
    instances: desired.components.map(({ name, specDigest, spec }) => ({
      id: `engine-${name}`,
      component: name,
      index: 1,
      generation: desired.generation,
      specDigest,
      imageId: spec.image.id,
      state: "ready",
      serving: true,
      restarts: 0,
      hostPorts: [],
    })),
  };
}
