import { expect, test } from "vitest";
import { type Desired, type Observed, plan, renderPlan } from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";

function planText(desired: Desired, observed: Observed): string {
  return renderPlan(plan(desired, observed, { now: observed.at, newId: () => "p1" }));
}

test("a job that completed is not run again, one that changed or failed for good is", () => {
  const jobs = [
    component("a-done", { kind: "job" }),
    component("b-running", { kind: "job" }),
    component("c-failed", { kind: "job", restart: "never" }),
    component("d-changed", { kind: "job" }),
  ] as const;
  const seen = observedOf({
    network: true,
    images: jobs,
    instances: [
      instance(jobs[0], { state: "completed", exitCode: 0 }),
      instance(jobs[1], { state: "starting" }),
      instance(jobs[2], { state: "failing", exitCode: 2 }),
      instance(jobs[3], { state: "completed", specDigest: specDigestOf("old") }),
    ],
  });
  expect(planText(desiredOf(jobs), seen)).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 2 to replace, 1 to wait for
      s1  await end  b-running 1  it has not completed yet
      s2  remove     c-failed 1   it failed with exit code 2 and is not restarted
      s3  start      c-failed 1   it failed with exit code 2 and is not restarted  [after s2]
      s4  await end  c-failed 1   done only when it is healthy  [after s3]
      s5  remove     d-changed 1  specification changed
      s6  start      d-changed 1  specification changed  [after s5]
      s7  await end  d-changed 1  done only when it is healthy  [after s6]
    "
  `);
});

test("a repair leaves a failed job, and what needs it, until somebody asks", () => {
  const migrate = component("migrate", { kind: "job", restart: "never" });
  const api = component("api", { needs: ["migrate"], image: "b" });
  const web = component("web", { needs: ["api"] });
  const cache = component("cache");
  const failed = instance(migrate, { state: "failing", exitCode: 1 });
  const old = { specDigest: specDigestOf("old") };
  const seen = observedOf({ network: true, images: [web, cache], instances: [failed, instance(api, old)] });
  const made = plan(desiredOf([migrate, api, web, cache]), seen, {
    now: seen.at,
    newId: () => "p",
    failedJobs: "leave",
  });
  expect(renderPlan(made)).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to start
      s1  start        cache 1  it does not run yet
      s2  await ready  cache 1  done only when it is healthy  [after s1]
      note: migrate: instance 1 is left as it is: it failed with exit code 1 and is not restarted; it is run again when somebody asks
      note: api: instance 1 is left as it is: it needs migrate, which failed
      note: web: instance 1 is left as it is: it needs api, which failed
    "
  `);
});

test("a cron component has no instances to be made; its image is brought, its runs are left alone", () => {
  const nightly = component("nightly", { kind: "cron" });
  const seen = observedOf({
    instances: [instance(nightly, { state: "completed", specDigest: specDigestOf("x") })],
  });
  expect(planText(desiredOf([nightly]), seen)).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to fetch
      s1  make   network                        the app has no network yet
      s2  fetch  shop/nightly:1 (aaaaaaaaaaaa)  the engine does not have it
    "
  `);
});
