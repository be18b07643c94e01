import { expect, test } from "vitest";
import { type Desired, type Observed, planRun, renderPlan } from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";

const db = component("db", { kind: "stateful" });
const nightly = component("nightly", { kind: "cron", needs: ["db"] });
const desired = desiredOf([db, nightly]);

function runText(observed: Observed, name = "nightly", of: Desired = desired): string {
  return renderPlan(
    planRun(of, observed, { component: name, why: "it is due", now: observed.at, newId: () => "p1" }),
  );
}

test("a run removes the last one, starts anew and awaits its end", () => {
  const last = instance(nightly, { state: "failing", specDigest: specDigestOf("old"), exitCode: 1 });
  const seen = observedOf({ network: true, instances: [instance(db), last] });
  expect(runText(seen)).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to fetch, 1 to replace
      s1  fetch      shop/nightly:1 (aaaaaaaaaaaa)  the engine does not have it
      s2  remove     nightly 1                      its last run makes room for the next
      s3  start      nightly 1                      it is due  [after s1 s2]
      s4  await end  nightly 1                      done only when it has ended well  [after s3]
    "
  `);
});

test("a run waits for what it needs, and is refused where that does not run", () => {
  const starting = observedOf({
    network: true,
    images: [nightly],
    instances: [instance(db, { state: "starting" })],
  });
  expect(runText(starting)).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to start, 1 to wait for
      s1  await ready  db 1       nightly needs it
      s2  start        nightly 1  it is due  [after s1]
      s3  await end    nightly 1  done only when it has ended well  [after s2]
    "
  `);
  expect(() => runText(observedOf({ network: true }))).toThrow(
    expect.objectContaining({ code: "PLAN_NEED_NOT_RUNNING" }),
  );
});

test("no run is started beside one that is under way, nor when not all could be seen", () => {
  const running = [instance(db), instance(nightly, { state: "ready" })];
  expect(runText(observedOf({ network: true, instances: running }))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: nothing to do
      note: nightly: it is not started: its last run is still under way
    "
  `);
  expect(
    runText(observedOf({ network: true, complete: false, instances: [instance(db)] })),
  ).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: nothing to do
      note: nightly: it is not started: not all of the app could be seen
    "
  `);
});

test.each([
  ["PLAN_UNKNOWN_COMPONENT", "nobody", observedOf()],
  ["PLAN_NOT_RUNNABLE", "db", observedOf()],
  ["PLAN_STALE", "nightly", observedOf({ generation: 99 })],
])("a run is refused with %s", (code, name, seen) => {
  expect(() => runText(seen, name)).toThrow(expect.objectContaining({ code }));
});
