import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Desired,
  type DesiredComponent,
  nextSteps,
  type Observed,
  type Plan,
  plan,
  type StepState,
} from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";
import { simulateStep } from "./simulate-step.ts";

const NAMES = ["a", "b", "c", "d", "e"];

/** Components that need only those before them; ports from a small set, so that they meet. */
const anyComponents: fc.Arbitrary<readonly DesiredComponent[]> = fc
  .tuple(
    ...NAMES.map((_, at) =>
      fc.option(
        fc.record({
          kind: fc.constantFrom("stateless" as const, "stateful" as const, "job" as const, "cron" as const),
          replicas: fc.nat(3),
          image: fc.constantFrom("a", "b", "c"),
          needs: fc.subarray(NAMES.slice(0, at)),
          hostPort: fc.option(fc.constantFrom(8001, 8002, 8003), { nil: undefined }),
        }),
        { nil: undefined },
      ),
    ),
  )
  .map((samples) => {
    const taken = new Set<number>();
    const here = new Set(NAMES.filter((_, at) => samples[at] !== undefined));
    return samples.flatMap((sample, at) => {
      if (sample === undefined) return [];
      const { hostPort } = sample;
      const free = hostPort !== undefined && !taken.has(hostPort) ? hostPort : undefined;
      if (free !== undefined) taken.add(free);
      const needs = sample.needs.filter((need) => here.has(need));
      const replicas = free === undefined ? sample.replicas : 1;
      return [component(NAMES[at] ?? "", { ...sample, needs, hostPort: free, replicas })];
    });
  });

/** What may be left of earlier work: anything at all. */
const anyRemains = (components: readonly DesiredComponent[]): fc.Arbitrary<Observed> =>
  fc
    .array(
      fc.record({
        name: fc.constantFrom(...NAMES),
        index: fc.integer({ min: 1, max: 4 }),
        spec: fc.constantFrom("desired", "old", "older"),
        state: fc.constantFrom("starting", "ready", "unready", "failing", "completed", "stopped"),
        serving: fc.boolean(),
        hostPort: fc.option(fc.constantFrom(8001, 8002, 8003), { nil: undefined }),
      }),
      { maxLength: 8 },
    )
    .map((remains) => {
      const taken = new Set<number | undefined>();
      return observedOf({
        network: remains.length > 0,
        instances: remains.flatMap(({ name, index, spec, state, serving, hostPort }, at) => {
          const base = components.find((one) => one.name === name) ?? component(name);
          const specDigest = spec === "desired" ? base.specDigest : specDigestOf(spec);
          const free = hostPort !== undefined && !taken.has(hostPort);
          // What has the desired specification has its ports, and no others. Runs of cron components are left alone, and have none.
          const others = free && base.kind !== "cron" ? [hostPort] : [];
          const own = spec === "desired" ? portsOf(base) : others;
          if (spec === "desired" && own.some((port) => taken.has(port))) return [];
          for (const port of own) taken.add(port);
          const hostPorts = own.map((port) => ({ name: "http", hostPort: port }));
          return instance(base, { id: `r${at}`, index, specDigest, state, serving, hostPorts });
        }),
      });
    });

function portsOf({ spec }: DesiredComponent): readonly number[] {
  return spec.ports.flatMap((port) => port.hostPort ?? []);
}

function holdsTwice({ instances }: Observed): boolean {
  const held = instances.flatMap((one) => one.hostPorts.map((port) => port.hostPort));
  return held.length !== new Set(held).size;
}

const anyStart = anyComponents.chain((components) =>
  fc.record({
    desired: fc.constant(desiredOf(components)),
    observed: anyRemains(components),
    inFlight: fc.integer({ min: 1, max: 3 }),
  }),
);

function planOf(desired: Desired, observed: Observed, inFlight = 1): Plan {
  return plan(desired, observed, { now: observed.at, newId: () => "p", inFlight });
}

/** Carries out at most `count` steps of the plan. */
function carryOut(
  desired: Desired,
  observed: Observed,
  made: Plan,
  count = Number.POSITIVE_INFINITY,
): Observed {
  let at = 0;
  return made.steps
    .slice(0, count)
    .reduce(
      (seen, step) =>
        simulateStep(seen, desired, step, () => `n${made.id}${observed.instances.length}-${at++}`),
      observed,
    );
}

function expectAsDesired(desired: Desired, observed: Observed): void {
  const runs = observed.instances.filter(
    (one) => desired.components.find((component) => component.name === one.component)?.kind !== "cron",
  );
  const wanted = desired.components.flatMap(({ name, kind, replicas, specDigest }) =>
    Array.from(
      { length: replicas },
      (_, at) => `${name} ${at + 1} ${specDigest} ${kind === "job" ? "completed" : "ready"}`,
    ),
  );
  expect(runs.map((one) => `${one.component} ${one.index} ${one.specDigest} ${one.state}`).sort()).toEqual(
    wanted.sort(),
  );
}

test("a plan that is carried out gives what is desired, from whatever was there, and then nothing is left to do", () => {
  fc.assert(
    fc.property(anyStart, ({ desired, observed, inFlight }) => {
      const after = carryOut(desired, observed, planOf(desired, observed, inFlight));
      expectAsDesired(desired, after);
      expect(planOf(desired, after).steps).toEqual([]);
    }),
  );
});

test("a plan that was left after any step is finished by the next", () => {
  fc.assert(
    fc.property(anyStart, fc.nat(60), ({ desired, observed, inFlight }, count) => {
      const cut = carryOut(desired, observed, planOf(desired, observed, inFlight), count);
      const after = carryOut(desired, cut, planOf(desired, cut, inFlight));
      expectAsDesired(desired, after);
      expect(planOf(desired, after).steps).toEqual([]);
    }),
  );
});

test("the same input gives the same plan, in whatever order it comes", () => {
  fc.assert(
    fc.property(anyStart, ({ desired, observed, inFlight }) => {
      const made = planOf(desired, observed, inFlight);
      const shuffled = { ...observed, instances: [...observed.instances].reverse() };
      const reversed = { ...desired, components: [...desired.components].reverse() };
      expect(planOf(desired, observed, inFlight)).toEqual(made);
      expect(planOf(reversed, shuffled, inFlight).steps.length).toBe(made.steps.length);
    }),
  );
});

test("steps come after all that they need, and nobody holds a host port twice", () => {
  fc.assert(
    fc.property(anyStart, ({ desired, observed }) => {
      const made = planOf(desired, observed);
      const seen = new Set<string>();
      let now = observed;
      for (const [at, step] of made.steps.entries()) {
        for (const need of step.needs) expect(seen).toContain(need);
        seen.add(step.id);
        now = simulateStep(now, desired, step, () => `n${at}`);
        expect(holdsTwice(now)).toBe(false);
      }
    }),
  );
});

test("carrying out by needs alone, several at a time and in any order, gives what is desired", () => {
  fc.assert(
    fc.property(anyStart, fc.infiniteStream(fc.nat(10)), ({ desired, observed }, choices) => {
      const made = planOf(desired, observed);
      const results: Record<string, StepState> = {};
      let now = observed;
      let count = 0;
      for (let ready = nextSteps(made, results, 5); ready.length > 0; ready = nextSteps(made, results, 5)) {
        const step = ready[(choices.next().value as number) % ready.length]!;
        now = simulateStep(now, desired, step, () => `n${count++}`);
        expect(holdsTwice(now)).toBe(false);
        results[step.id] = "done";
      }
      expect(Object.keys(results)).toHaveLength(made.steps.length);
      expectAsDesired(desired, now);
    }),
  );
});

test("a component that serves keeps at least one instance serving while it is rolled", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), (replicas, inFlight) => {
      const web = component("web", { replicas });
      const old = { specDigest: specDigestOf("old") };
      const instances = Array.from({ length: replicas }, (_, at) => instance(web, { index: at + 1, ...old }));
      let now = observedOf({ network: true, instances });
      const desired = desiredOf([web]);
      for (const [at, step] of planOf(desired, now, inFlight).steps.entries()) {
        now = simulateStep(now, desired, step, () => `n${at}`);
        const serving = now.instances.filter((one) => one.serving && one.state === "ready");
        expect(serving.length).toBeGreaterThanOrEqual(replicas);
      }
    }),
  );
});
