import { expect, test } from "vitest";
import { type DataWish, type Desired, type Observed, plan, planSummary, renderPlan } from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";

function planWith(desired: Desired, observed: Observed, data: DataWish) {
  return plan(desired, observed, { now: "2026-01-01T00:00:00.000Z", newId: () => "p1", data });
}

function planText(desired: Desired, observed: Observed, data: DataWish): string {
  const made = planWith(desired, observed, data);
  for (const [at, step] of made.steps.entries())
    for (const need of step.needs) expect(made.steps.findIndex((one) => one.id === need)).toBeLessThan(at);
  return renderPlan(made);
}

const capture = (...components: string[]): DataWish => ({ capture: { snapshotId: "snp1", components } });
const restore = (...texts: string[]): DataWish => ({
  restore: {
    snapshotId: "snp0",
    volumes: texts.map((text) => {
      const [owner = "", volume = ""] = text.split("/");
      return { component: owner, volume };
    }),
  },
});

const db = component("db", { kind: "stateful", volumes: ["data", "logs"], image: "b" });
const api = component("api", { volumes: ["uploads"], needs: ["db"], image: "c", data: { before: ["sync"] } });
const search = component("search", { shares: ["api/uploads"], needs: ["api"] });
const web = component("web", { replicas: 2, needs: ["api"] });
const shop = desiredOf([api, db, search, web]);
const volumes = ["db/data", "db/logs", "api/uploads"];
const running = {
  network: true,
  volumes,
  images: [db, api, search, web],
  instances: [instance(db), instance(api), instance(search), instance(web), instance(web, { index: 2 })],
};
const seen = observedOf(running);
const old = { specDigest: specDigestOf("old") };

test("data is captured while the component is stopped, and it starts again; others run on", () => {
  expect(planText(shop, seen, capture("db"))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to replace, 1 to capture
      s1  remove       db 1                                         its data is captured while nothing writes to it
      s2  capture      volumes db/data, db/logs, stopped meanwhile  nothing writes to it now  [after s1]
      s3  start        db 1                                         it was stopped for the sake of data  [after s2]
      s4  await ready  db 1                                         done only when it is healthy  [after s3]
    "
  `);
});

test("a component that brings its data to rest by itself runs meanwhile, and is captured before others are stopped", () => {
  expect(planText(shop, seen, capture("db", "api", "db"))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to replace, 2 to capture
      s1  capture      volume api/uploads, runs meanwhile           it brings its data to rest by itself
      s2  remove       db 1                                         its data is captured while nothing writes to it  [after s1]
      s3  capture      volumes db/data, db/logs, stopped meanwhile  nothing writes to it now  [after s2]
      s4  start        db 1                                         it was stopped for the sake of data  [after s3]
      s5  await ready  db 1                                         done only when it is healthy  [after s4]
    "
  `);
});

test("where no instance is ready, data is captured as found, with nothing that mounts it running", () => {
  const ill = observedOf({
    ...running,
    instances: [instance(db), instance(api, { state: "unready" }), instance(search)],
  });
  expect(planText(desiredOf([api, db, search]), ill, capture("api"))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 2 to replace, 1 to capture
      s1  remove       search 1                               data of api is captured while nothing writes to it
      s2  remove       api 1                                  its data is captured while nothing writes to it  [after s1]
      s3  capture      volume api/uploads, stopped meanwhile  nothing writes to it now  [after s1 s2]
      s4  start        api 1                                  it was stopped for the sake of data  [after s3]
      s5  await ready  api 1                                  done only when it is healthy  [after s4]
      s6  start        search 1                               it was stopped for the sake of data  [after s5]
      s7  await ready  search 1                               done only when it is healthy  [after s6]
      note: api: volume uploads is captured as found, without its command \`before\`: no instance of it is ready
    "
  `);
});

test("an upgrade with a capture brings all it needs first, and begins nothing before the data is safe", () => {
  const upgraded = desiredOf([api, db, web]);
  const before = observedOf({
    network: true,
    volumes,
    instances: [
      instance(db, old),
      instance(api, old),
      instance(search),
      instance(web, old),
      instance(web, { index: 2, ...old }),
    ],
  });
  expect(planText(upgraded, before, capture("db"))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 3 to fetch, 4 to replace, 1 to remove, 1 to capture
      s1   fetch        shop/db:1 (bbbbbbbbbbbb)                     the engine does not have it
      s2   fetch        shop/api:1 (cccccccccccc)                    the engine does not have it
      s3   fetch        shop/web:1 (aaaaaaaaaaaa)                    the engine does not have it
      s4   remove       search 1                                     its component is no longer part of the app, and may use the data  [after s1 s2 s3]
      s5   remove       db 1                                         its data is captured while nothing writes to it  [after s1 s2 s3]
      s6   capture      volumes db/data, db/logs, stopped meanwhile  nothing writes to it now  [after s4 s5]
      s7   start        db 1                                         specification changed  [after s1 s6]
      s8   await ready  db 1                                         done only when it is healthy  [after s7]
      s9   start aside  api 1                                        specification changed  [after s2 s8]
      s10  await ready  api 1                                        done only when it is healthy  [after s9]
      s11  let serve    api 1                                        it is ready to take over  [after s10]
      s12  remove       api 1                                        the new one serves  [after s11]
      s13  start aside  web 1                                        specification changed  [after s3 s11]
      s14  await ready  web 1                                        done only when it is healthy  [after s13]
      s15  let serve    web 1                                        it is ready to take over  [after s14]
      s16  remove       web 1                                        the new one serves  [after s15]
      s17  start aside  web 2                                        specification changed  [after s3 s11 s16]
      s18  await ready  web 2                                        done only when it is healthy  [after s17]
      s19  let serve    web 2                                        it is ready to take over  [after s18]
      s20  remove       web 2                                        the new one serves  [after s19]
    "
  `);
});

test("data that is put back is captured first; nothing of another version is left to touch it; and it is taken up before others start", () => {
  const dump = component("db", {
    ...{ kind: "stateful" as const, volumes: ["dump"] },
    data: { before: ["dump"], restored: ["load"] },
  });
  const desired = desiredOf([
    dump,
    component("api", { needs: ["db"] }),
    component("web", { needs: ["api"] }),
  ]);
  const now = observedOf({
    network: true,
    volumes: ["db/dump"],
    images: [dump, web],
    instances: [
      instance(dump, old),
      instance(component("api"), old),
      instance(component("web")),
      instance(component("added")),
    ],
  });
  expect(
    planText(desired, now, { ...capture("db"), ...restore("db/dump", "gone/data", "db/dump") }),
  ).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 2 to replace, 1 to remove, 1 to capture, 2 to put back
      s1   make         volume gone/data                     its data is put back, and it does not exist
      s2   capture      volume db/dump, runs meanwhile       it brings its data to rest by itself  [after s1]
      s3   remove       added 1                              its component is no longer part of the app, and may use the data  [after s2]
      s4   remove       api 1                                data is put back, and it is not of the version that will use it  [after s2]
      s5   remove       db 1                                 its data is put back  [after s4]
      s6   put back     volume db/dump, stopped meanwhile    it gets what the snapshot holds  [after s3 s4 s5]
      s7   put back     volume gone/data, stopped meanwhile  it gets what the snapshot holds  [after s3 s4 s5]
      s8   start        db 1                                 specification changed  [after s6 s7]
      s9   await ready  db 1                                 done only when it is healthy  [after s8]
      s10  take up      what was put back, db 1              its volumes were put back  [after s9]
      s11  start        api 1                                specification changed  [after s9 s10]
      s12  await ready  api 1                                done only when it is healthy  [after s11]
      note: gone: volume data is put back, and nothing uses it
    "
  `);
});

test("what is stopped is captured without a removal, and put back without taking it up", () => {
  const stopped = component("db", { replicas: 0, volumes: ["data"], data: { restored: ["load"] } });
  const now = observedOf({ network: true, volumes: ["db/data"] });
  expect(
    planText(desiredOf([stopped]), now, { ...capture("db"), ...restore("db/data") }),
  ).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to capture, 1 to put back
      s1  capture   volume db/data, stopped meanwhile  nothing writes to it now
      s2  put back  volume db/data, stopped meanwhile  it gets what the snapshot holds  [after s1]
      note: db: its volumes are put back, and its command \`restored\` is not run: no instance of it gets ready
    "
  `);
});

test("volumes that do not exist yet are not captured, and a new site gets what is put back before anything runs", () => {
  expect(
    planText(desiredOf([db]), observedOf(), { ...capture("db"), ...restore("db/data") }),
  ).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to fetch, 1 to start, 1 to put back
      s1  make         network                            the app has no network yet
      s2  make         volume db/data                     it does not exist yet
      s3  make         volume db/logs                     it does not exist yet
      s4  fetch        shop/db:1 (bbbbbbbbbbbb)           the engine does not have it
      s5  put back     volume db/data, stopped meanwhile  it gets what the snapshot holds  [after s1 s2 s3 s4]
      s6  start        db 1                               it does not run yet  [after s1 s2 s3 s4 s5]
      s7  await ready  db 1                               done only when it is healthy  [after s6]
      note: db: volumes data, logs are not captured: they do not exist yet
    "
  `);
});

test("runs that mount the data are stopped for the capture; those that are over stay", () => {
  const job = component("job", { kind: "job", shares: ["db/data"] });
  const cron = component("cron", { kind: "cron", shares: ["db/data"] });
  const now = observedOf({
    network: true,
    volumes,
    images: [db, job, cron],
    instances: [
      instance(job, { state: "completed", serving: false }),
      instance(cron, { state: "ready" }),
      instance(cron, { index: 2, state: "completed" }),
    ],
  });
  const desired = desiredOf([{ ...db, replicas: 0 }, job, cron]);
  expect(planText(desired, now, capture("db"))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to remove, 1 to capture
      s1  remove   cron 1                                       data of db is captured while nothing writes to it
      s2  capture  volumes db/data, db/logs, stopped meanwhile  nothing writes to it now  [after s1]
      note: api: volume uploads stays, with its data; nothing uses it
    "
  `);
  expect(planText(desired, now, restore("db/data"))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 1 to replace, 2 to remove, 1 to put back
      s1  remove     job 1                              data of db is put back
      s2  remove     cron 2                             data of db is put back
      s3  remove     cron 1                             data of db is put back
      s4  put back   volume db/data, stopped meanwhile  it gets what the snapshot holds  [after s1 s2 s3]
      s5  start      job 1                              it was stopped for the sake of data  [after s4]
      s6  await end  job 1                              done only when it is healthy  [after s5]
      note: api: volume uploads stays, with its data; nothing uses it
    "
  `);
});

test("the last data of an app that goes is captured before all of it is gone", () => {
  expect(planText({ ...shop, remove: true }, seen, capture("db"))).toMatchInlineSnapshot(`
    "plan for team-shop, generation 4: 5 to remove, 1 to capture
      s1  remove   db 1                                         its data is captured while nothing writes to it
      s2  capture  volumes db/data, db/logs, stopped meanwhile  nothing writes to it now  [after s1]
      s3  remove   web 2                                        the app is removed  [after s2]
      s4  remove   web 1                                        the app is removed  [after s2]
      s5  remove   search 1                                     the app is removed  [after s2]
      s6  remove   api 1                                        the app is removed  [after s3 s4 s5]
      s7  remove   network                                      the app is removed  [after s1 s3 s4 s5 s6]
      note: db: volume data stays, with its data; nothing uses it
      note: db: volume logs stays, with its data; nothing uses it
      note: api: volume uploads stays, with its data; nothing uses it
    "
  `);
});

test("a plan with nothing but a capture says so, and its time limit is the component's", () => {
  const quick = component("api", { volumes: ["uploads"], data: { before: ["sync"], withinMs: 5000 } });
  const made = planWith(
    desiredOf([quick]),
    observedOf({ network: true, volumes: ["api/uploads"], images: [quick], instances: [instance(quick)] }),
    capture("api"),
  );
  expect(made.steps).toEqual([
    {
      id: "s1",
      kind: "data.capture",
      component: "api",
      volumes: ["uploads"],
      snapshotId: "snp1",
      live: true,
      index: 1,
      needs: [],
      why: "it brings its data to rest by itself",
      timeoutMs: 5000,
    },
  ]);
  expect(planSummary(made)).toEqual({
    steps: 1,
    images: 0,
    creates: 0,
    replaces: 0,
    removes: 0,
    waits: 0,
    captures: 1,
    restores: 0,
    components: [],
  });
  expect(renderPlan(made)).toContain("1 to capture");
});

test("data that is not there, or an app that was not seen whole, gives a problem with a way out", () => {
  const check = (observed: Observed, data: DataWish, wanted: object) =>
    expect(() => planWith(shop, observed, data)).toThrow(expect.objectContaining(wanted));
  check(seen, capture("db", "web", "nobody"), {
    code: "PLAN_DATA_ABSENT",
    hint: "name components that have data: api, db",
  });
  check({ ...seen, complete: false, remarks: ["the engine is busy"] }, capture("api"), {
    code: "PLAN_DATA_UNSEEN",
  });
  check({ ...seen, complete: false }, restore("db/data"), { code: "PLAN_DATA_UNSEEN" });
  expect(() => planWith(desiredOf([web]), seen, capture("web"))).toThrow("no such data");
  expect(planWith(shop, seen, { capture: { snapshotId: "x", components: [] } }).steps).toEqual([]);
});
