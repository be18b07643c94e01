import type { DesiredComponent, InstanceSpec } from "@sampan/plan";
import { expect, test } from "vitest";
import type { EngineContainer } from "./engine-types.ts";
import { LABEL } from "./labels.ts";
import { parseRecipe, renderRecipe, specOf } from "./recipe.ts";

const IMAGE = `sha256:${"b".repeat(64)}` as const;

const SPEC: InstanceSpec = {
  image: { id: IMAGE, name: "shop/orders:1" },
  command: ["/app", "--password", "s3cret"],
  env: { PASSWORD: "s3cret", MODE: "x=y" },
  secretEnv: ["PASSWORD"],
  files: [{ path: "/etc/app.conf", content: "s3cret", mode: 0o600 }],
  mounts: [
    { kind: "memory", path: "/tmp" },
    { kind: "volume", owner: "db", volume: "data", path: "/data", readOnly: false },
  ],
  ports: [{ name: "http", port: 80, protocol: "http", hostPort: 8080 }],
  probes: {},
  limits: { cpu: 0.5 },
  requests: {},
  restart: "always",
  labels: { mine: "s3cret" },
  stopGraceMs: 1500,
  security: { addCapabilities: [], dropCapabilities: ["CAP_CHOWN"], readOnlyRoot: false, privileged: false },
};

const COMPONENT: DesiredComponent = {
  name: "orders",
  id: "c-orders",
  kind: "cron",
  needs: ["db"],
  replicas: 0,
  startWithinMs: 1000,
  specDigest: IMAGE,
  spec: SPEC,
  schedule: "0 3 * * *",
};

const CONTAINER = {
  Config: {
    Entrypoint: SPEC.command,
    Cmd: ["of the image"],
    Env: ["MODE=x=y", "PASSWORD=s3cret", "PATH=/of/the/image"],
    Labels: { mine: "s3cret", "of.the": "image", [LABEL.secretEnv]: '["PASSWORD"]' },
  },
} as unknown as EngineContainer;

test("with its recipe a container tells the specification that it was made from", () => {
  const recipe = parseRecipe(renderRecipe(COMPONENT));
  if (recipe === undefined) throw new Error("a recipe that was written can be read");
  expect(specOf(CONTAINER, recipe, { imageId: IMAGE, probes: {}, files: SPEC.files })).toEqual(SPEC);
  expect(recipe).toMatchObject({ kind: "cron", needs: ["db"], startWithinMs: 1000, schedule: "0 3 * * *" });
});

test("a recipe holds no value and no content", () => {
  expect(renderRecipe(COMPONENT)).not.toContain("s3cret");
});

test("a recipe that is not whole is not taken for one", () => {
  const whole = JSON.parse(renderRecipe(COMPONENT)) as Record<string, unknown>;
  expect(parseRecipe(JSON.stringify(whole))).toBeDefined();
  for (const text of [undefined, "", "{", "null", "[]", "1"]) expect(parseRecipe(text)).toBeUndefined();
  for (const key of Object.keys(whole)) {
    const { [key]: _, ...less } = whole;
    if (key !== "schedule") expect(parseRecipe(JSON.stringify(less)), key).toBeUndefined();
    expect(parseRecipe(JSON.stringify({ ...whole, [key]: { odd: 1 } })) ?? key, key).toSatisfy(
      (found) => found === undefined || found === key || key === "limits" || key === "requests",
    );
  }
  const wrong = [
    { mounts: [{ kind: "bind", path: "/" }] },
    { files: [{ path: "/a" }] },
    { ports: [{ name: "a", port: "80", protocol: "http" }] },
    { replaced: ["entrypoint"] },
    { limits: { cpu: "1" } },
    { stopGraceMs: -1 },
  ];
  for (const part of wrong) expect(parseRecipe(JSON.stringify({ ...whole, ...part }))).toBeUndefined();
});
