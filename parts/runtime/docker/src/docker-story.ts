import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { digestFromHex } from "@sampan/content";
import {
  type AppRef,
  type Desired,
  type DesiredComponent,
  type InstanceProbe,
  type InstanceSpec,
  type Observed,
  plan,
  type Step,
  type StepKind,
} from "@sampan/plan";
import { Bug } from "@sampan/problem";
import type { Driver, InstanceRef } from "@sampan/runtime";
import type { DockerHarness } from "./docker-harness.ts";

/** A component that runs `/role` with these words; the rest as in its spec. */
export type StoryComponent = Partial<InstanceSpec> & {
  readonly role: readonly string[];
  readonly kind?: "job";
};

export const READY: InstanceProbe = {
  check: { kind: "http", port: 8080, path: "/ready", headers: {} },
  delayMs: 0,
  periodMs: 100,
  timeoutMs: 2000,
  failures: 3,
  successes: 1,
};

/** One app on the engine, for tests that look behind the driver. */
export class DockerStory {
  readonly app: AppRef;
  readonly harness: DockerHarness;
  #generation = 0;

  constructor(harness: DockerHarness) {
    const id = `story-${randomUUID().slice(0, 8)}`;
    this.harness = harness;
    this.app = { id, slug: id };
  }

  desire(components: Readonly<Record<string, StoryComponent>>, more: Partial<Desired> = {}): Desired {
    return {
      app: this.app,
      generation: ++this.#generation,
      components: Object.entries(components)
        .map(([name, one]) => this.#component(name, one))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      ...more,
    };
  }

  /** Steps still to do. */
  async steps(desired: Desired, driver: Driver = this.harness.driver): Promise<readonly Step[]> {
    const observed = await driver.observe({ id: this.app.id, images: [this.harness.images.role.id] });
    return plan(desired, observed, { now: observed.at, newId: () => randomUUID() }).steps;
  }

  async apply(desired: Desired, driver: Driver = this.harness.driver): Promise<Observed> {
    for (const step of await this.steps(desired, driver)) await this.do(step, desired, driver);
    return await this.observe();
  }

  async install(components: Readonly<Record<string, StoryComponent>>): Promise<Observed> {
    return await this.apply(this.desire(components));
  }

  async do(step: Step, desired: Desired, driver: Driver = this.harness.driver): Promise<void> {
    const verbs = driver.steps as Readonly<
      Partial<Record<StepKind, (step: Step, at: object) => Promise<void>>>
    >;
    const verb = verbs[step.kind];
    if (verb === undefined) throw new Bug(`${step.kind} is no step of a driver`);
    await verb(step, { desired, signal: new AbortController().signal, onProgress: () => {} });
  }

  async observe(): Promise<Observed> {
    return await this.harness.driver.observe({ id: this.app.id, images: [] });
  }

  async until(wish: (observed: Observed) => boolean): Promise<Observed> {
    for (;;) {
      const observed = await this.observe();
      if (wish(observed)) return observed;
      await delay(50);
    }
  }

  async instance(component: string): Promise<InstanceRef> {
    const { instances } = await this.observe();
    const found = instances.find((one) => one.component === component);
    return { app: this.app.id, component, id: found?.id ?? "absent" };
  }

  /** What `/role` writes to stdout. */
  async say(component: string, ...role: readonly string[]): Promise<string> {
    const limits = { timeoutMs: 10_000, outputBytesMax: 10_000 };
    const ref = await this.instance(component);
    return (await this.harness.driver.exec(ref, ["/role", ...role], limits)).stdout.trimEnd();
  }

  /** Removes all of it, and proves that nothing stays. */
  async remove(): Promise<void> {
    await this.apply(this.desire({}, { remove: true }));
    await this.harness.removeVolumes(this.app.id);
    const remains = await this.harness.remains(this.app.id);
    if (remains.length > 0) throw new Error(`left behind: ${remains.join(", ")}`);
  }

  #component(name: string, { role, kind, ...over }: StoryComponent): DesiredComponent {
    const spec: InstanceSpec = {
      image: this.harness.images.role,
      command: ["/role", ...role],
      env: { TAG: name },
      secretEnv: [],
      files: [],
      mounts: [],
      ports: [{ name: "http", port: 8080, protocol: "http" }],
      probes: {},
      limits: {},
      requests: {},
      restart: kind === "job" ? "never" : "always",
      labels: {},
      stopGraceMs: 2000,
      security: { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false },
      ...over,
    };
    return {
      name,
      id: `id-${name}`,
      kind: kind ?? "stateless",
      needs: [],
      replicas: 1,
      startWithinMs: 60_000,
      specDigest: digestFromHex(createHash("sha256").update(JSON.stringify(spec)).digest("hex")),
      spec,
    };
  }
}
