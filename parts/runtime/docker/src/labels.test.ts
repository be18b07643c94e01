import type { DesiredComponent, InstanceSpec } from "@sampan/plan";
import { expect, test } from "vitest";
import {
  hideSecrets,
  instanceLabels,
  LABEL,
  ownerFilter,
  ownerLabels,
  parseInstanceLabels,
} from "./labels.ts";

const DIGEST = `sha256:${"a".repeat(64)}` as const;
const IMAGE = `sha256:${"b".repeat(64)}` as const;
const APP = { id: "app-1", slug: "team-shop" };

function componentWith(over: Partial<InstanceSpec>): DesiredComponent {
  const spec: InstanceSpec = {
    image: { id: IMAGE, name: "shop/orders:1" },
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
    stopGraceMs: 1000,
    security: { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false },
    ...over,
  };
  return {
    name: "orders",
    id: "c-orders",
    kind: "stateless",
    needs: [],
    replicas: 1,
    startWithinMs: 1000,
    specDigest: DIGEST,
    spec,
  };
}

const PLACE = { index: 2, generation: 7, address: "10.213.0.5" };

function labelsOf(component: DesiredComponent) {
  return { ...ownerLabels(APP, "north"), ...instanceLabels(component, PLACE, "later") };
}

function probe(headers: Readonly<Record<string, string>>) {
  const check = { kind: "http", port: 80, path: "/p", headers } as const;
  return { check, delayMs: 0, periodMs: 1000, timeoutMs: 500, failures: 3, successes: 1 };
}

test("what was written on an instance is read back", () => {
  const ports = [
    { name: "http", port: 80, protocol: "http", hostPort: 8080 },
    { name: "dns", port: 53, protocol: "udp", hostPort: 53 },
    { name: "inner", port: 81, protocol: "tcp" },
  ] as const;
  const probes = { ready: probe({ host: "shop" }) };
  expect(parseInstanceLabels(labelsOf(componentWith({ ports, probes })))).toEqual({
    app: APP,
    component: "orders",
    componentId: "c-orders",
    index: 2,
    generation: 7,
    specDigest: DIGEST,
    imageId: IMAGE,
    address: "10.213.0.5",
    ports: [
      { name: "http", key: "80/tcp" },
      { name: "dns", key: "53/udp" },
    ],
    probes,
  });
});

test("secrets in probes are not in labels, and come back from the container's variables", () => {
  const env = { TOKEN: "t0ps3cret", LONG: "t0ps3cret-and-more", EMPTY: "" };
  const probes = { ready: probe({ authorization: "Bearer t0ps3cret", other: "x t0ps3cret-and-more y" }) };
  const labels = labelsOf(componentWith({ env, secretEnv: ["TOKEN", "LONG", "EMPTY"], probes }));
  expect(JSON.stringify(labels)).not.toContain("t0ps3cret");
  const container = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  expect(parseInstanceLabels(labels, container)?.probes).toEqual(probes);
});

test("labels that are not whole are not taken for an instance's", () => {
  const whole = labelsOf(componentWith({}));
  expect(parseInstanceLabels(whole)).toBeDefined();
  const bad: readonly Readonly<Record<string, string>>[] = [
    {},
    { ...whole, [LABEL.app]: "" },
    { ...whole, [LABEL.component]: "" },
    { ...whole, [LABEL.index]: "0" },
    { ...whole, [LABEL.index]: "1.5" },
    { ...whole, [LABEL.index]: "x" },
    { ...whole, [LABEL.generation]: "new" },
    { ...whole, [LABEL.spec]: "sha256:short" },
    { ...whole, [LABEL.image]: "latest" },
    { ...whole, [LABEL.ports]: "{}" },
    { ...whole, [LABEL.probes]: "[]" },
    { ...whole, [LABEL.probes]: "{" },
  ];
  for (const labels of bad) expect(parseInstanceLabels(labels)).toBeUndefined();
  expect(parseInstanceLabels(null)).toBeUndefined();
});

test("values of secret variables are hidden in what a container says", () => {
  const container = {
    Labels: { [LABEL.secretEnv]: '["PASSWORD","PIN"]' },
    Env: ["PASSWORD=hunter22", "PIN=12", "USER=anna"],
  };
  expect(hideSecrets("anna logs in with hunter22 and 12", container)).toBe("anna logs in with *** and 12");
  expect(hideSecrets("hunter22", { ...container, Labels: {} })).toBe("hunter22");
  expect(hideSecrets("hunter22", { Labels: { [LABEL.secretEnv]: "no list" }, Env: null })).toBe("hunter22");
});

test("each site looks for its own only", () => {
  expect(ownerFilter("north", "app-1")).toEqual(["dev.sampan.app=app-1", "dev.sampan.site=north"]);
  expect(ownerFilter(undefined)).toEqual(["dev.sampan.app"]);
});
