import { createHash } from "node:crypto";
import { type Digest, digestFromHex } from "@sampan/content";
import {
  type Desired,
  type DesiredComponent,
  nextSteps,
  type Plan,
  plan,
  type StepState,
} from "@sampan/plan";
import { describe, expect, test } from "vitest";
import { virtualClock } from "./clock.ts";
import { doStep } from "./conformance-app.ts";
import type { Driver } from "./driver.ts";
import { memoryDriver } from "./memory.ts";
import { MemoryEngine, type MemoryEngineOptions } from "./memory-engine.ts";
import { dockerSaveTar, makeImage } from "./memory-image.ts";
import { crashing, ending, neverReady, serving } from "./memory-program.ts";

const app = { id: "app", slug: "team-app" };
const imageId: Digest = digestFromHex("a".repeat(64));

function componentOf(name: string, kind: DesiredComponent["kind"] = "stateless", tag = ""): DesiredComponent {
  const spec: DesiredComponent["spec"] = {
    image: { id: imageId, name: `shop/${name}` },
    env: { TAG: tag },
    secretEnv: [],
    files: [],
    mounts: [],
    ports: [{ name: "http", port: 80, protocol: "http" }],
    probes: {},
    limits: {},
    requests: {},
    restart: kind === "job" ? "never" : "always",
    labels: {},
    stopGraceMs: 1000,
    security: { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false },
  };
  const specDigest = digestFromHex(
    createHash("sha256")
      .update(name + tag)
      .digest("hex"),
  );
  return { name, id: name, kind, needs: [], replicas: 1, startWithinMs: 60_000, specDigest, spec };
}

function setUp(more: Partial<MemoryEngineOptions> = {}) {
  const clock = virtualClock();
  const engine = new MemoryEngine({ clock, ...more });
  const driver = memoryDriver({ engine, images: { pullReference: async () => ({ reference: "held" }) } });
  return { clock, engine, driver };
}

async function planFor(driver: Driver, desired: Desired): Promise<Plan> {
  const images = desired.components.map((one) => one.spec.image.id);
  const observed = await driver.observe({ id: app.id, images });
  return plan(desired, observed, { now: observed.at, newId: () => "p" });
}

/** Carries a plan out, several steps at a time; gives what failed, by step kind and component. */
async function carryOut(driver: Driver, desired: Desired, inFlight = 8): Promise<readonly string[]> {
  const made = await planFor(driver, desired);
  const results: Record<string, StepState> = {};
  const failed: string[] = [];
  const running = new Set<Promise<void>>();
  for (;;) {
    for (const step of nextSteps(made, results, inFlight - running.size)) {
      results[step.id] = "running";
      const one = doStep(driver, step, {
        desired,
        signal: new AbortController().signal,
        onProgress: () => {},
      })
        .then(
          () => {
            results[step.id] = "done";
          },
          (error: { readonly code: string }) => {
            results[step.id] = "failed";
            failed.push(`${step.kind} ${"component" in step ? step.component : ""} ${error.code}`);
          },
        )
        .finally(() => running.delete(one));
      running.add(one);
    }
    if (running.size === 0) return failed;
    await Promise.race(running);
  }
}

describe("memory engine", () => {
  test("what was scripted for a component, an image or all decides what runs; the last that matches counts", async () => {
    const { engine, driver } = setUp();
    engine.script({}, neverReady());
    engine.script({ image: "shop/crash" }, crashing(5));
    engine.script({ component: "job" }, ending(0, 500));
    engine.script({ component: "web" }, serving(100));
    const components = [componentOf("crash"), componentOf("job", "job"), componentOf("web")];
    const failed = await carryOut(driver, { app, generation: 1, components });
    expect(failed).toEqual(["instance.ready crash RUNTIME_INSTANCE_FAILED"]);
    const { instances } = await driver.observe({ id: app.id, images: [] });
    expect(instances.map((one) => `${one.component} ${one.state}`)).toEqual([
      "crash failing",
      "job completed",
      "web ready",
    ]);
  });

  test("a crash loop backs off, and hours of it take no time to look at", async () => {
    const { clock, engine, driver } = setUp();
    engine.script({}, crashing());
    await carryOut(driver, { app, generation: 1, components: [componentOf("web")] });
    await clock.advance(3_600_000);
    const { instances } = await driver.observe({ id: app.id, images: [] });
    expect(instances[0]?.restarts).toBeGreaterThan(60);
    expect(instances[0]?.restarts).toBeLessThan(80);
  });

  test("an engine that goes away while a step waits ends the step, and the next plan goes on", async () => {
    const { engine, driver } = setUp();
    engine.script({}, serving(5000));
    const desired: Desired = { app, generation: 1, components: [componentOf("web")] };
    engine.onStep = (step, when) => {
      engine.unreachable = step.kind === "instance.ready" && when === "before";
    };
    expect(await carryOut(driver, desired)).toEqual(["instance.ready web RUNTIME_UNREACHABLE"]);
    engine.unreachable = false;
    engine.onStep = undefined;
    expect(await carryOut(driver, desired)).toEqual([]);
    expect((await planFor(driver, desired)).steps).toEqual([]);
  });

  test("a hundred components are replaced with as many steps under way as asked for, and the same each time", async () => {
    const story = async () => {
      const { engine, driver } = setUp();
      const told: string[] = [];
      let [running, most] = [0, 0];
      engine.onStep = (step, when) => {
        running += when === "before" ? 1 : -1;
        most = Math.max(most, running);
        told.push(`${engine.clock.now()} ${when} ${step.id}`);
      };
      for (const tag of ["1", "2"]) {
        const components = Array.from({ length: 100 }, (_, at) => componentOf(`c${at}`, "stateless", tag));
        expect(await carryOut(driver, { app, generation: Number(tag), components }, 7)).toEqual([]);
      }
      expect(most).toBe(7);
      return told;
    };
    expect(await story()).toEqual(await story());
  });

  test("watching a lively engine tells that an instance became ready, with nobody looking", async () => {
    const { driver } = setUp({ pace: "watched" });
    const desired: Desired = { app, generation: 1, components: [componentOf("web")] };
    const abort = new AbortController();
    const told: string[] = [];
    const watching = (async () => {
      for await (const { what } of driver.watch(abort.signal)) {
        told.push(what);
        if (what === "became ready") abort.abort();
      }
    })();
    for (const step of (await planFor(driver, desired)).steps.filter((one) => one.kind !== "instance.ready"))
      await doStep(driver, step, { desired, signal: abort.signal, onProgress: () => {} });
    await watching;
    expect(told).toEqual(["created", "became ready"]);
  });

  test("an image that came without content runs, and cannot be saved", async () => {
    const { driver } = setUp();
    await carryOut(driver, { app, generation: 1, components: [componentOf("web")] });
    const drain = async () => {
      for await (const piece of driver.saveImages([imageId])) expect(piece).toBeDefined();
    };
    await expect(drain()).rejects.toMatchObject({
      code: "RUNTIME_IMAGE_ABSENT",
      why: expect.stringContaining("no content"),
    });
  });

  test("a registry that gives another image is found out", async () => {
    const { driver } = setUp({ pull: async () => makeImage({ name: "x", layers: [] }) });
    expect(await carryOut(driver, { app, generation: 1, components: [componentOf("web")] })).toEqual([
      "image.ensure  RUNTIME_IMAGE_MISMATCH",
    ]);
  });

  test("a terminal runs lines until exit", async () => {
    const { driver } = setUp();
    await carryOut(driver, { app, generation: 1, components: [componentOf("web")] });
    const { instances } = await driver.observe({ id: app.id, images: [] });
    const ref = { app: app.id, component: "web", id: instances[0]?.id ?? "" };
    const terminal = await driver.attach(ref, ["sh"], { columns: 80, rows: 24 });
    await terminal.write(Buffer.from("echo hello wor"));
    await terminal.write(Buffer.from("ld\rnothing\rexit 3\r"));
    let shown = "";
    for await (const piece of terminal.output) shown += Buffer.from(piece).toString();
    expect(shown).toContain("hello world\r\n");
    expect(shown).toContain("nothing: not found");
    expect(await terminal.exitCode).toBe(3);
  });

  test("made images are the same each time, and share a layer where files are the same", () => {
    const files = [{ name: "bin/run", bytes: Buffer.from("x"), mode: 0o755 }];
    const [a, b] = [
      makeImage({ name: "a:1", layers: [files] }),
      makeImage({ name: "b:1", layers: [files, []] }),
    ];
    expect(makeImage({ name: "a:1", layers: [files] })).toEqual(a);
    expect(b.content?.layers[0]?.diffId).toBe(a.content?.layers[0]?.diffId);
    expect(b.id).not.toBe(a.id);
    expect(dockerSaveTar([a, b]).length % 512).toBe(0);
    expect(() => makeImage({ name: "c", layers: [[{ name: "x".repeat(101), bytes: Buffer.of() }]] })).toThrow(
      RangeError,
    );
  });
});
