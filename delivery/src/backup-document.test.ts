import { expect, test } from "vitest";
import { type BackupDocument, parseBackupDocument } from "./backup-document.ts";
import { shop } from "./test-shop.ts";

const digest = `sha256:${"a".repeat(64)}` as const;

const whole: BackupDocument = {
  formatVersion: 1,
  site: "site_one",
  madeAt: "2026-11-23T18:28:20.000Z",
  by: "ann",
  note: "before the move",
  app: { name: "shop", stopped: false },
  spec: shop(),
  values: {
    parameters: { size: 3, on: true, name: "x" },
    generated: { key: "MARK" },
    hostPorts: { "web/http": 20000 },
  },
  modules: { extra: false },
  installations: [
    {
      id: "ins_1",
      templateId: "shop-template",
      releaseDigest: digest,
      modules: {},
      components: ["cmp-web"],
      names: {
        parameters: {},
        modules: {},
        plugins: {},
        routes: { web: "front" },
        acceptance: {},
        parts: {
          first: digest,
          later: [
            {
              release: digest,
              components: ["cmp-web"],
              parameters: [],
              modules: [],
              plugins: [],
              routes: [],
              acceptance: ["the front answers"],
            },
          ],
        },
      },
    },
  ],
  data: {
    imageId: digest,
    takenAt: "2026-11-23T18:00:00.000Z",
    volumes: [{ component: "db", componentId: "cmp-db", volume: "data", diffId: digest, sizeBytes: 1024 }],
  },
};

function parse(value: unknown): BackupDocument {
  return parseBackupDocument(new TextEncoder().encode(JSON.stringify(value)));
}

/** The document with something else at a path. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(whole) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let at = copy;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = value;
  return copy;
}

test("what a backup says comes back as it was", () => {
  expect(parse(whole)).toEqual(whole);
  const { note: _, data: __, ...rest } = whole;
  expect(parse(rest)).toEqual(rest);
});

const FAULTS: readonly (readonly [path: string, value: unknown, fault: string])[] = [
  ["site", 7, "site"],
  ["by", "x".repeat(5000), "by"],
  ["app.stopped", "no", "app.stopped"],
  ["spec", { kind: "App" }, "spec.apiVersion"],
  ["values.generated", ["a"], "values.generated"],
  ["values.generated.key", { secret: "x" }, "values.generated.key"],
  ["values.hostPorts.web/http", -1, "values.hostPorts.web/http"],
  ["values.parameters.size", null, "values.parameters.size"],
  ["modules.extra", 1, "modules.extra"],
  ["installations", {}, "installations"],
  ["installations.0.releaseDigest", "sha256:short", "installations.0.releaseDigest"],
  ["installations.0.names.routes.web", 3, "installations.0.names.routes.web"],
  ["installations.0.names.parts.later.0.routes", undefined, "installations.0.names.parts.later.0.routes"],
  ["data.volumes.0.diffId", "../../etc", "data.volumes.0.diffId"],
  ["data.volumes.0.sizeBytes", 0.5, "data.volumes.0.sizeBytes"],
];

test.for(FAULTS)(
  "a backup that is wrong at %s is refused, and the fault has its path",
  ([path, value, fault]) => {
    const error = (() => {
      try {
        return parse(changed(path, value));
      } catch (caught) {
        return caught as { code: string; faults: { path: string }[] };
      }
    })() as { code: string; faults: { path: string }[] };
    expect(error.code).toBe("BACKUP_INVALID");
    expect(error.faults.map((one) => one.path)).toContain(fault);
  },
);

test("a backup of a newer format, and what is no document at all, are refused", () => {
  expect(() => parse(changed("formatVersion", 2))).toThrow("made by a newer version");
  for (const bytes of [new Uint8Array(), new Uint8Array([0xff]), new TextEncoder().encode("[]")])
    expect(() => parseBackupDocument(bytes)).toThrow("cannot be read");
});
