import { createHash, randomUUID } from "node:crypto";
import { digestFromHex } from "@sampan/content";
import {
  type AppRef,
  type Desired,
  type DesiredComponent,
  type InstanceProbe,
  type InstanceSpec,
  type Observed,
  type Plan,
  plan,
  type Step,
  type StepKind,
} from "@sampan/plan";
import { Bug } from "@sampan/problem";
import { expect } from "vitest";
import type { ConformanceHarness, RoleImage } from "./conformance.ts";
import type { Driver, ExecResult, InstanceRef, StepContext } from "./driver.ts";

/** A component of a test, with what differs from the ordinary: one `/role serve` that is ready when `/ready` answers. */
export interface RoleComponent extends Partial<Omit<InstanceSpec, "command">> {
  readonly kind?: DesiredComponent["kind"];
  readonly role?: readonly string[];
  readonly roleImage?: RoleImage;
  readonly needs?: readonly string[];
  readonly replicas?: number;
  readonly startWithinMs?: number;
  readonly schedule?: string;
  readonly tag?: string;
}

export const ROLE_PORT = 8080;

export function probeOf(check: InstanceProbe["check"], more: Partial<InstanceProbe> = {}): InstanceProbe {
  return { check, delayMs: 0, periodMs: 100, timeoutMs: 2000, failures: 3, successes: 1, ...more };
}

export const READY = probeOf({ kind: "http", port: ROLE_PORT, path: "/ready", headers: {} });

/** An app that a test installs, changes and removes. */
export class TestApp {
  readonly ref: AppRef;
  readonly #harness: ConformanceHarness;
  #generation = 0;

  constructor(harness: ConformanceHarness) {
    const id = randomUUID().slice(0, 8);
    this.#harness = harness;
    this.ref = { id: `conformance-${id}`, slug: `conformance-${id}` };
  }

  get driver(): Driver {
    return this.#harness.driver;
  }

  /** The next generation of the app. */
  desire(components: Readonly<Record<string, RoleComponent>>, more: Partial<Desired> = {}): Desired {
    return {
      app: this.ref,
      generation: ++this.#generation,
      components: Object.entries(components)
        .map(([name, one]) => componentOf(name, one, this.#harness))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      ...more,
    };
  }

  context(desired: Desired, signal = new AbortController().signal): StepContext {
    return { desired, signal, onProgress: () => {} };
  }

  observe(desired?: Desired): Promise<Observed> {
    const images = desired?.components.map((one) => one.spec.image.id) ?? [];
    return this.driver.observe({ id: this.ref.id, images });
  }

  async plan(desired: Desired): Promise<Plan> {
    const observed = await this.observe(desired);
    return plan(desired, observed, { now: observed.at, newId: () => randomUUID() });
  }

  /** Plans and does all steps one by one; afterwards nothing is left to plan. */
  async apply(
    desired: Desired,
    more: { readonly times?: number; readonly driver?: Driver } = {},
  ): Promise<Observed> {
    for (const step of (await this.plan(desired)).steps)
      for (let time = 0; time < (more.times ?? 1); time++)
        await doStep(more.driver ?? this.driver, step, this.context(desired));
    expect((await this.plan(desired)).steps).toEqual([]);
    return this.observe(desired);
  }

  install(components: Readonly<Record<string, RoleComponent>>): Promise<Observed> {
    return this.apply(this.desire(components));
  }

  async instance(component: string, index = 1): Promise<InstanceRef> {
    const { instances } = await this.observe();
    const found = instances.find((one) => one.component === component && one.index === index);
    return { app: this.ref.id, component, id: found?.id ?? "absent" };
  }

  async exec(component: string, role: readonly string[]): Promise<ExecResult> {
    const ref = await this.instance(component);
    return this.driver.exec(ref, ["/role", ...role], { timeoutMs: 10_000, outputBytesMax: 65_536 });
  }

  /** What `/role` writes to stdout, without its line end. */
  async say(component: string, ...role: readonly string[]): Promise<string> {
    return (await this.exec(component, role)).stdout.trimEnd();
  }

  /** Looks again and again until it is as wished; the test's own time limit ends it. */
  async until(wish: (observed: Observed) => boolean): Promise<Observed> {
    for (;;) {
      const observed = await this.observe();
      if (wish(observed)) return observed;
      await this.#harness.sleep(50);
    }
  }

  /** Removes all of it, and proves that nothing stays. */
  async remove(): Promise<void> {
    const removal = this.desire({}, { remove: true });
    for (const step of (await this.plan(removal)).steps)
      await doStep(this.driver, step, this.context(removal));
    await this.#harness.removeVolumes(this.ref.id);
    expect(await this.#harness.remains(this.ref.id)).toEqual([]);
  }
}

/** Runs `story` with a fresh app, and leaves nothing behind. */
export function withApp(
  given: () => ConformanceHarness,
  story: (app: TestApp, harness: ConformanceHarness) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const app = new TestApp(given());
    try {
      await story(app, given());
    } finally {
      await app.remove();
    }
  };
}

export async function doStep(driver: Driver, step: Step, context: StepContext): Promise<void> {
  const verbs = driver.steps as Readonly<
    Partial<Record<StepKind, (step: Step, context: StepContext) => Promise<void>>>
  >;
  const verb = verbs[step.kind];
  if (verb === undefined) throw new Bug(`${step.kind} is no step of a driver`);
  await verb(step, context);
}

function componentOf(name: string, one: RoleComponent, harness: ConformanceHarness): DesiredComponent {
  const {
    kind = "stateless",
    role = ["serve"],
    roleImage,
    needs,
    replicas,
    startWithinMs,
    schedule,
    tag,
    ...spec
  } = one;
  const image = roleImage ?? harness.images.role;
  const whole: InstanceSpec = {
    image: { id: image.id, name: image.name },
    command: ["/role", ...role],
    env: { TAG: tag ?? name },
    secretEnv: [],
    files: [],
    mounts: [],
    ports: [{ name: "http", port: ROLE_PORT, protocol: "http" }],
    probes: role[0] === "serve" ? { ready: READY } : {},
    limits: {},
    requests: {},
    restart: kind === "job" || kind === "cron" ? "never" : "always",
    labels: {},
    stopGraceMs: 2000,
    security: { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false },
    ...spec,
  };
  return {
    name,
    id: `id-${name}`,
    kind,
    needs: needs ?? [],
    replicas: replicas ?? 1,
    startWithinMs: startWithinMs ?? 30_000,
    specDigest: digestFromHex(createHash("sha256").update(JSON.stringify(whole)).digest("hex")),
    spec: whole,
    ...(schedule === undefined ? {} : { schedule }),
  };
}
