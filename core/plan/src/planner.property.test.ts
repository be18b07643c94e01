import fc from "fast-check";
import { expect, test } from "vitest";
import { nextSteps, type StepState } from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";
import { simulateStep } from "./simulate-step.ts";
import { anyStart, carryOut, expectAsDesired, holdsTwice, planOf } from "./test-planning.ts";

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
