import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type DataWish,
  type Desired,
  nextSteps,
  type Observed,
  type ObservedInstance,
  type Plan,
  type Step,
  type StepState,
} from "./index.ts";
import { simulateStep } from "./simulate-step.ts";
import { anyStart, carryOut, expectAsDesired, NAMES, planOf } from "./test-planning.ts";

const anyStartWithWish = anyStart.chain(({ desired, observed, inFlight }) => {
  const volumes = desired.components.flatMap(({ name, data }) =>
    (data?.volumes ?? []).map((volume) => ({ owner: name, volume })),
  );
  const withData = desired.components.filter((one) => one.data !== undefined).map((one) => one.name);
  const anyVolumes = fc.uniqueArray(
    fc.record({ component: fc.constantFrom(...NAMES), volume: fc.constantFrom("data", "logs") }),
    { selector: ({ component, volume }) => `${component}/${volume}`, maxLength: 4 },
  );
  return fc.record({
    desired: fc.constant(desired),
    observed: fc.subarray(volumes).map((seen) => ({ ...observed, volumes: seen })),
    inFlight: fc.constant(inFlight),
    wish: fc.record(
      {
        capture: fc.record({ snapshotId: fc.constant("new"), components: fc.subarray(withData) }),
        restore: fc.record({ snapshotId: fc.constant("old"), volumes: anyVolumes }),
      },
      { requiredKeys: [] },
    ),
  });
});

type Check = (step: Step, now: Observed, done: (id: string) => boolean) => void;

/** Carries out by needs alone, in an order that is drawn; steps that are to fail do. Gives what is there in the end. */
function carryOutInAnyOrder(
  made: Plan,
  start: { readonly desired: Desired; readonly observed: Observed },
  how: { readonly choices: Iterator<number>; readonly check?: Check; readonly fails?: ReadonlySet<string> },
): Observed {
  const results: Record<string, StepState> = {};
  let now = start.observed;
  let count = 0;
  for (let ready = nextSteps(made, results, 5); ready.length > 0; ready = nextSteps(made, results, 5)) {
    const step = ready[(how.choices.next().value as number) % ready.length]!;
    how.check?.(step, now, (id) => results[id] === "done");
    if (how.fails?.has(step.id) === true) results[step.id] = "failed";
    else {
      now = simulateStep(now, start.desired, step, () => `n${count++}`);
      results[step.id] = "done";
    }
  }
  return now;
}

/** All that an instance may mount, as far as anybody can know: one that is not as desired may have been given any volume of an owner. */
function mayMount(
  desired: Desired,
  instance: ObservedInstance,
  { component: owner, volumes }: { readonly component: string; readonly volumes: readonly string[] },
): boolean {
  if (instance.component === owner) return true;
  const component = desired.components.find((one) => one.name === instance.component);
  return (component?.spec.mounts ?? []).some(
    (mount) =>
      mount.kind === "volume" &&
      mount.owner === owner &&
      (volumes.includes(mount.volume) || instance.specDigest !== component?.specDigest),
  );
}

function isOver(desired: Desired, { component: name, state }: ObservedInstance): boolean {
  const component = desired.components.find((one) => one.name === name);
  const isRun = component?.kind === "job" || component?.kind === "cron";
  const isDead = state === "failing" && component?.spec.restart === "never";
  return isRun && (state === "completed" || state === "stopped" || isDead);
}

const isData = ({ kind }: Step) => kind === "data.capture" || kind === "data.restore";
const isGround = ({ kind }: Step) => kind.endsWith(".ensure");

test("nothing that mounts data runs while it is captured or put back, and what runs commands is ready", () => {
  fc.assert(
    fc.property(anyStartWithWish, fc.infiniteStream(fc.nat(10)), (start, choices) => {
      const { desired, observed, inFlight, wish } = start;
      const check: Check = (step, now) => {
        if (step.kind === "data.capture" && step.live) {
          const at = now.instances.filter(
            (one) => one.component === step.component && one.index === step.index && one.serving,
          );
          expect(at.map(({ state }) => state)).toContain("ready");
        } else if (step.kind === "data.capture") {
          for (const one of now.instances)
            expect(mayMount(desired, one, step) && !isOver(desired, one)).toBe(false);
        } else if (step.kind === "data.restore") {
          for (const one of now.instances) {
            expect(mayMount(desired, one, step)).toBe(false);
            const wanted = desired.components.find(({ name }) => name === one.component);
            expect(one.specDigest === wanted?.specDigest || isOver(desired, one)).toBe(true);
          }
        }
      };
      carryOutInAnyOrder(planOf(desired, observed, inFlight, wish), start, { choices, check });
    }),
    { numRuns: 300 },
  );
});

test("until all data is captured and put back, nothing is made, serves or goes but what stands in its way", () => {
  fc.assert(
    fc.property(anyStartWithWish, fc.infiniteStream(fc.nat(10)), (start, choices) => {
      const { desired, observed, inFlight, wish } = start;
      const made = planOf(desired, observed, inFlight, wish);
      const data = made.steps.filter(isData);
      const touched = data.filter((step) => step.kind === "data.restore" || !("live" in step && step.live));
      const check: Check = (step, now, done) => {
        if (isGround(step) || isData(step) || data.every(({ id }) => done(id))) return;
        expect(step.kind).toBe("instance.remove");
        for (const live of data)
          if ("live" in live && live.live) expect(done(live.id), "what runs is captured first").toBe(true);
        const going = now.instances.find((one) => "instanceId" in step && one.id === step.instanceId)!;
        const wanted = desired.components.find(({ name }) => name === going.component);
        const isInTheWay = touched.some((one) => "volumes" in one && mayMount(desired, going, one));
        const isOfAnother = wanted === undefined || going.specDigest !== wanted.specDigest;
        expect(isInTheWay || (isOfAnother && touched.length > 0)).toBe(true);
      };
      carryOutInAnyOrder(made, start, { choices, check });
    }),
    { numRuns: 300 },
  );
});

test("with data on the way, what is desired is reached in any order, and then nothing is left to do", () => {
  fc.assert(
    fc.property(anyStartWithWish, fc.infiniteStream(fc.nat(10)), (start, choices) => {
      const { desired, observed, inFlight, wish } = start;
      const made = planOf(desired, observed, inFlight, wish);
      const after = carryOutInAnyOrder(made, start, { choices });
      expectAsDesired(desired, after);
      expect(planOf(desired, after).steps).toEqual([]);
      const captured = made.steps.flatMap((step) => (step.kind === "data.capture" ? step.component : []));
      const seen = new Set(observed.volumes.map((one) => one.owner));
      expect(captured.sort()).toEqual((wish.capture?.components ?? []).filter((one) => seen.has(one)).sort());
      const restored = made.steps.flatMap((step) =>
        step.kind === "data.restore" ? step.volumes.map((volume) => `${step.component}/${volume}`) : [],
      );
      const wanted = (wish.restore?.volumes ?? []).map((one) => `${one.component}/${one.volume}`);
      expect(restored).toEqual(wanted.sort());
    }),
    { numRuns: 300 },
  );
});

test("a plan with data that was left after any step is finished by the next, which has none", () => {
  fc.assert(
    fc.property(anyStartWithWish, fc.nat(60), ({ desired, observed, inFlight, wish }, count) => {
      const cut = carryOut(desired, observed, planOf(desired, observed, inFlight, wish), count);
      const after = carryOut(desired, cut, planOf(desired, cut, inFlight));
      expectAsDesired(desired, after);
      expect(planOf(desired, after).steps).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("when data cannot be captured or put back, nothing of the new has begun", () => {
  fc.assert(
    fc.property(anyStartWithWish, fc.infiniteStream(fc.nat(10)), fc.nat(), (start, choices, pick) => {
      const { desired, observed, inFlight, wish } = start;
      const made = planOf(desired, observed, inFlight, wish);
      const data = made.steps.filter(isData);
      fc.pre(data.length > 0);
      const fails = new Set([data[pick % data.length]!.id]);
      const after = carryOutInAnyOrder(made, start, { choices, fails });
      for (const one of after.instances) expect(observed.instances).toContain(one);
    }),
    { numRuns: 300 },
  );
});

test("the same wish gives the same plan, in whatever order it comes", () => {
  fc.assert(
    fc.property(anyStartWithWish, ({ desired, observed, inFlight, wish }) => {
      const made = planOf(desired, observed, inFlight, wish);
      expect(planOf(desired, observed, inFlight, wish)).toEqual(made);
      expect(planOf(desired, observed, inFlight, reversed(wish))).toEqual(made);
      const shuffled = { ...observed, instances: observed.instances.toReversed() };
      const turned = { ...desired, components: desired.components.toReversed() };
      expect(planOf(turned, shuffled, inFlight, wish).steps.length).toBe(made.steps.length);
    }),
    { numRuns: 300 },
  );
});

function reversed({ capture, restore }: DataWish): DataWish {
  return {
    ...(capture && { capture: { ...capture, components: capture.components.toReversed() } }),
    ...(restore && { restore: { ...restore, volumes: restore.volumes.toReversed() } }),
  };
}
