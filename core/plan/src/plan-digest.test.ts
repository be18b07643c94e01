import { createHash } from "node:crypto";
import type { Digest } from "@sampan/content";
import { describe, expect, test } from "vitest";
import { type Change, type Desired, type Observed, type Plan, plan, planDigest, type Step } from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";

function sha256(text: string): Digest {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

const old = component("web", { image: "a", replicas: 2 });
const web = component("web", { image: "b", replicas: 2 });
const db = component("db", { kind: "stateful", volumes: ["data"] });
const desired = desiredOf([db, web]);
const observed = observedOf({
  network: true,
  volumes: ["db/data"],
  images: [db, web],
  instances: [instance(db), instance(old), instance(old, { index: 2 })],
});

const changes: readonly Change[] = [
  {
    path: "components.web.image",
    component: "web",
    what: "image",
    action: "change",
    why: "a release is its images",
    before: { id: "a", name: "web:1" },
    after: { id: "b", name: "web:2" },
    secret: false,
    decided: false,
  },
];

let plans = 0;

function planned(to: Desired = desired, from: Observed = observed): Plan {
  plans += 1;
  return plan(to, from, { now: `2026-01-01T00:00:0${plans % 10}.000Z`, newId: () => `pln_${plans}` });
}

const shown = { base: 3, plan: planned(), changes };

function withInstances(...instances: Observed["instances"]): Plan {
  return planned(desired, { ...observed, instances });
}

function withSteps(edit: (step: Step) => Step): Plan {
  return { ...shown.plan, steps: shown.plan.steps.map(edit) };
}

const SAME: readonly [string, Partial<typeof shown>][] = [
  ["planned again, with another id and time", { plan: planned() }],
  [
    "instances that the engine made anew",
    {
      plan: withInstances(
        instance(db, { id: "x" }),
        instance(old, { id: "y" }),
        instance(old, { id: "z", index: 2 }),
      ),
    },
  ],
  [
    "an instance that is to stay, and restarts just now",
    {
      plan: withInstances(
        instance(db, { state: "starting", restarts: 1, message: "started 3 s ago" }),
        instance(old),
        instance(old, { index: 2 }),
      ),
    },
  ],
  [
    "secrets that were made anew",
    {
      plan: withSteps((step) =>
        "specDigest" in step ? { ...step, specDigest: specDigestOf("other") } : step,
      ),
    },
  ],
  ["other words", { changes: changes.map((one) => ({ ...one, what: "the image", why: "for a reason" })) }],
  ["another time limit", { plan: withSteps((step) => ({ ...step, timeoutMs: step.timeoutMs + 1 })) }],
];

const ANOTHER: readonly [string, Partial<typeof shown>][] = [
  ["another base", { base: 4 }],
  ["another generation", { plan: planned({ ...desired, generation: 5 }) }],
  ["another app", { plan: planned({ ...desired, app: { ...desired.app, slug: "team-other" } }) }],
  ["no change told", { changes: [] }],
  ["another value", { changes: changes.map((one) => ({ ...one, after: { id: "c", name: "web:3" } })) }],
  ["another decision", { changes: changes.map((one) => ({ ...one, decided: true })) }],
  [
    "one instance fewer to replace",
    { plan: withInstances(instance(db), instance(old), instance(web, { index: 2 })) },
  ],
  [
    "another component to replace",
    { plan: planned(desiredOf([component("db", { kind: "stateful", image: "c" }), web])) },
  ],
  ["an image to fetch", { plan: planned(desired, { ...observed, images: [] }) }],
  ["another order", { plan: { ...shown.plan, steps: shown.plan.steps.toReversed() } }],
];

function withData(snapshotId: string, kind: "data.capture" | "data.restore"): Plan {
  const base = { id: "s0", needs: [], why: "", timeoutMs: 1 };
  const data = { ...base, component: "db", volumes: ["data"], snapshotId };
  const step: Step = kind === "data.capture" ? { ...data, kind, live: false } : { ...data, kind };
  return { ...shown.plan, steps: [step, ...shown.plan.steps] };
}

function digest(more: Partial<typeof shown> = {}): Digest {
  return planDigest({ ...shown, ...more }, { sha256 });
}

describe("the digest of a plan", () => {
  test.each(SAME)("is the same for %s", (_, more) => {
    expect(digest(more)).toBe(digest());
  });

  test.each(ANOTHER)("is another for %s", (_, more) => {
    expect(digest(more)).not.toBe(digest());
  });

  test("knows which snapshot is put back, and not the one that is yet to be made", () => {
    expect(digest({ plan: withData("a", "data.capture") })).toBe(
      digest({ plan: withData("b", "data.capture") }),
    );
    expect(digest({ plan: withData("a", "data.restore") })).not.toBe(
      digest({ plan: withData("b", "data.restore") }),
    );
    expect(digest({ plan: withData("a", "data.capture") })).not.toBe(digest());
  });
});
