import fc from "fast-check";
import { expect } from "vitest";
import {
  type DataWish,
  type Desired,
  type DesiredComponent,
  type Observed,
  type Plan,
  plan,
} from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";
import { simulateStep } from "./simulate-step.ts";

export const NAMES = ["a", "b", "c", "d", "e"];

const anyData = fc.record({
  volumes: fc.subarray(["data", "logs"]),
  commands: fc.record(
    { before: fc.constant(["dump"]), restored: fc.constant(["load"]) },
    { requiredKeys: [] },
  ),
  shares: fc.boolean(),
});

/**
 * Components that need only those before them, and may share volumes of what they need; ports from a small set, so that they meet.
 */
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
          data: anyData,
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
      const shares = needs.flatMap((need) =>
        sample.data.shares ? volumesOf(need, samples[NAMES.indexOf(need)]?.data.volumes) : [],
      );
      const { volumes, commands } = sample.data;
      const more = { needs, shares, volumes, data: commands, hostPort: free, replicas };
      return [component(NAMES[at] ?? "", { ...sample, ...more })];
    });
  });

function volumesOf(owner: string, volumes: readonly string[] = []): readonly string[] {
  return volumes.map((volume) => `${owner}/${volume}`);
}

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

/** Whether two instances hold one port of the machine. */
export function holdsTwice({ instances }: Observed): boolean {
  const held = instances.flatMap((one) => one.hostPorts.map((port) => port.hostPort));
  return held.length !== new Set(held).size;
}

/** Anything that is desired, and anything that was seen. */
export const anyStart = anyComponents.chain((components) =>
  fc.record({
    desired: fc.constant(desiredOf(components)),
    observed: anyRemains(components),
    inFlight: fc.integer({ min: 1, max: 3 }),
  }),
);

export function planOf(desired: Desired, observed: Observed, inFlight = 1, data?: DataWish): Plan {
  const options = { now: observed.at, newId: () => "p", inFlight };
  return plan(desired, observed, data === undefined ? options : { ...options, data });
}

/** Carries out at most `count` steps of the plan. */
export function carryOut(
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

/** Runs of cron components are left alone. */
export function expectAsDesired(desired: Desired, observed: Observed): void {
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
