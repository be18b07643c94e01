import { digestFromHex } from "@sampan/content";
import { describe, expect, test } from "vitest";
import { type Desired, type Observed, type ObservedInstance, plan, renderPlan } from "./index.ts";
import { component, desiredOf, instance, observedOf, specDigestOf } from "./planning-samples.ts";

function planText(desired: Desired, observed: Observed, inFlight?: number): string {
  const made = plan(desired, observed, {
    now: "2026-01-01T00:00:00.000Z",
    newId: () => "p1",
    ...(inFlight === undefined ? {} : { inFlight }),
  });
  expect(renderPlan(made)).not.toContain("undefined");
  for (const [at, step] of made.steps.entries())
    for (const need of step.needs) expect(made.steps.findIndex((one) => one.id === need)).toBeLessThan(at);
  return renderPlan(made);
}

describe("plan", () => {
  test("a first install makes the ground, then starts components after those that they need", () => {
    const db = component("db", { kind: "stateful", volumes: ["data"] });
    const migrate = component("migrate", { kind: "job", needs: ["db"] });
    const web = component("web", { replicas: 2, needs: ["migrate"], hostPort: undefined });
    expect(planText(desiredOf([db, migrate, web]), observedOf())).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 1 to fetch, 4 to start
        s1   make         network                   the app has no network yet
        s2   make         volume db/data            it does not exist yet
        s3   fetch        shop/db:1 (aaaaaaaaaaaa)  the engine does not have it
        s4   start        db 1                      it does not run yet  [after s1 s2 s3]
        s5   await ready  db 1                      done only when it is healthy  [after s4]
        s6   start        migrate 1                 it does not run yet  [after s1 s3 s5]
        s7   await end    migrate 1                 done only when it is healthy  [after s6]
        s8   start        web 1                     it does not run yet  [after s1 s3 s7]
        s9   await ready  web 1                     done only when it is healthy  [after s8]
        s10  start        web 2                     it does not run yet  [after s1 s3 s7]
        s11  await ready  web 2                     done only when it is healthy  [after s10]
      "
    `);
  });

  test("what runs as desired gives no step", () => {
    const db = component("db", { kind: "stateful", volumes: ["data"] });
    const seen = observedOf({ network: true, volumes: ["db/data"], instances: [instance(db)] });
    expect(planText(desiredOf([db]), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: nothing to do
      "
    `);
  });

  test("a stateless component is replaced one by one, the new one ready before the old one goes", () => {
    const web = component("web", { replicas: 3, image: "b" });
    const old = { specDigest: specDigestOf("old"), imageId: digestFromHex("a".repeat(64)) };
    const seen = observedOf({
      network: true,
      instances: [1, 2, 3].map((index) => instance(web, { index, ...old })),
    });
    expect(planText(desiredOf([web]), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 1 to fetch, 3 to replace
        s1   fetch        shop/web:1 (bbbbbbbbbbbb)  the engine does not have it
        s2   start aside  web 1                      image changed  [after s1]
        s3   await ready  web 1                      done only when it is healthy  [after s2]
        s4   let serve    web 1                      it is ready to take over  [after s3]
        s5   remove       web 1                      the new one serves  [after s4]
        s6   start aside  web 2                      image changed  [after s1 s5]
        s7   await ready  web 2                      done only when it is healthy  [after s6]
        s8   let serve    web 2                      it is ready to take over  [after s7]
        s9   remove       web 2                      the new one serves  [after s8]
        s10  start aside  web 3                      image changed  [after s1 s9]
        s11  await ready  web 3                      done only when it is healthy  [after s10]
        s12  let serve    web 3                      it is ready to take over  [after s11]
        s13  remove       web 3                      the new one serves  [after s12]
      "
    `);
    expect(planText(desiredOf([web]), seen, 2)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 1 to fetch, 3 to replace
        s1   fetch        shop/web:1 (bbbbbbbbbbbb)  the engine does not have it
        s2   start aside  web 1                      image changed  [after s1]
        s3   await ready  web 1                      done only when it is healthy  [after s2]
        s4   let serve    web 1                      it is ready to take over  [after s3]
        s5   remove       web 1                      the new one serves  [after s4]
        s6   start aside  web 2                      image changed  [after s1]
        s7   await ready  web 2                      done only when it is healthy  [after s6]
        s8   let serve    web 2                      it is ready to take over  [after s7]
        s9   remove       web 2                      the new one serves  [after s8]
        s10  start aside  web 3                      image changed  [after s1 s5]
        s11  await ready  web 3                      done only when it is healthy  [after s10]
        s12  let serve    web 3                      it is ready to take over  [after s11]
        s13  remove       web 3                      the new one serves  [after s12]
      "
    `);
  });

  test("a stateful component, and one whose host port the old one holds, stop before they start", () => {
    const db = component("db", { kind: "stateful" });
    const edge = component("edge", { hostPort: 8080, needs: ["db"] });
    const old = { specDigest: specDigestOf("old") };
    const seen = observedOf({
      network: true,
      images: [db, edge],
      instances: [
        instance(db, old),
        instance(edge, { ...old, hostPorts: [{ name: "http", hostPort: 8080 }] }),
      ],
    });
    const desired = desiredOf([db, edge], {
      changes: { db: ["image", "env A", "env B", "file /etc/db.conf"] },
    });
    expect(planText(desired, seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 2 to replace
        s1  remove       db 1    image, env A, env B and 1 more changed; stopped first, because it is stateful
        s2  start        db 1    image, env A, env B and 1 more changed; stopped first, because it is stateful  [after s1]
        s3  await ready  db 1    done only when it is healthy  [after s2]
        s4  remove       edge 1  specification changed; stopped first, because a host port can be held by one instance at a time  [after s3]
        s5  start        edge 1  specification changed; stopped first, because a host port can be held by one instance at a time  [after s3 s4]
        s6  await ready  edge 1  done only when it is healthy  [after s5]
      "
    `);
  });

  test("a component whose host port another one gets is stopped before that one starts", () => {
    const a = component("a", { hostPort: 9000, needs: ["b"] });
    const b = component("b", { hostPort: 8000 });
    const old = { specDigest: specDigestOf("old") };
    const seen = observedOf({
      network: true,
      images: [a, b],
      instances: [
        instance(a, { ...old, hostPorts: [{ name: "http", hostPort: 8000 }] }),
        instance(b, { ...old, hostPorts: [{ name: "http", hostPort: 9000 }] }),
      ],
    });
    expect(planText(desiredOf([a, b]), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 2 to replace
        s1  remove       a 1  b gets its host port 8000
        s2  remove       b 1  a gets its host port 9000
        s3  start        b 1  specification changed; stopped first, because a gets its host port  [after s1 s2]
        s4  await ready  b 1  done only when it is healthy  [after s3]
        s5  start        a 1  specification changed; stopped first, because b gets its host port  [after s1 s2 s4]
        s6  await ready  a 1  done only when it is healthy  [after s5]
      "
    `);
  });

  test("surplus instances go from the highest index, stopped components after those that need them", () => {
    const db = component("db", { kind: "stateful", replicas: 0 });
    const web = component("web", { replicas: 1 });
    const job = component("api", { replicas: 0, needs: ["db"] });
    const seen = observedOf({
      network: true,
      images: [db, web],
      volumes: ["old/data"],
      instances: [
        instance(db),
        instance(job),
        ...[1, 2, 3].map((index) => instance(web, { index })),
        instance(component("old")),
      ],
    });
    expect(planText(desiredOf([db, web, job]), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 5 to remove
        s1  remove  web 3  only 1 of it is desired
        s2  remove  web 2  only 1 of it is desired
        s3  remove  api 1  it is stopped: 0 replicas are desired
        s4  remove  db 1   it is stopped: 0 replicas are desired  [after s3]
        s5  remove  old 1  its component is no longer part of the app
        note: old: volume data stays, with its data; nothing uses it
      "
    `);
  });

  const half = component("web", { image: "b" });
  const oldHalf = { specDigest: specDigestOf("old") };
  const halves: readonly [string, readonly ObservedInstance[]][] = [
    [
      "new one starting aside",
      [
        instance(half, { ...oldHalf, id: "i-old" }),
        instance(half, { id: "i-new", serving: false, state: "starting" }),
      ],
    ],
    [
      "new one serves, old one not yet removed",
      [instance(half, { ...oldHalf, id: "i-old", serving: false }), instance(half, { id: "i-new" })],
    ],
    [
      "new one stopped",
      [
        instance(half, { ...oldHalf, id: "i-old" }),
        instance(half, { id: "i-new", serving: false, state: "stopped" }),
      ],
    ],
    [
      "a third specification left aside",
      [
        instance(half, { ...oldHalf, id: "i-old" }),
        instance(half, {
          id: "i-older",
          specDigest: specDigestOf("older"),
          serving: false,
          state: "failing",
        }),
      ],
    ],
    ["the same twice", [instance(half, { id: "i-1" }), instance(half, { id: "i-2", serving: false })]],
    ["alone, and not serving", [instance(half, { id: "i-1", serving: false, state: "unready" })]],
  ];
  test.each(halves)("a replacement that was left half done is finished: %s", (_, instances) => {
    expect(planText(desiredOf([half]), observedOf({ network: true, instances }))).toMatchSnapshot();
    expect(
      planText(desiredOf([half]), observedOf({ network: true, instances: [...instances].reverse() })),
    ).toBe(planText(desiredOf([half]), observedOf({ network: true, instances })));
  });

  test("what is not ready is waited for, what ended or was stopped is made again", () => {
    const rows = (
      [
        ["starting", {}],
        ["unready", { message: "GET /health answers 503" }],
        ["failing", { exitCode: 1 }],
        ["stopped", {}],
        ["completed", { exitCode: 0 }],
      ] as const
    ).map(([state, more], at) => {
      const one = component(`c${at}-${state}`);
      return { one, seen: instance(one, { state, ...more }) };
    });
    const never = component("never", { restart: "never" });
    const desired = desiredOf([...rows.map((row) => row.one), never]);
    const instances = [...rows.map((row) => row.seen), instance(never, { state: "failing", exitCode: 3 })];
    expect(planText(desired, observedOf({ network: true, instances }))).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 1 to fetch, 3 to replace, 3 to wait for
        s1   fetch        shop/c3-stopped:1 (aaaaaaaaaaaa)  the engine does not have it
        s2   await ready  c0-starting 1                     it is starting
        s3   await ready  c1-unready 1                      it is unready (GET /health answers 503)
        s4   await ready  c2-failing 1                      it is failing
        s5   remove       c3-stopped 1                      it was stopped
        s6   start        c3-stopped 1                      it was stopped  [after s1 s5]
        s7   await ready  c3-stopped 1                      done only when it is healthy  [after s6]
        s8   remove       c4-completed 1                    it ended by itself with exit code 0
        s9   start        c4-completed 1                    it ended by itself with exit code 0  [after s1 s8]
        s10  await ready  c4-completed 1                    done only when it is healthy  [after s9]
        s11  remove       never 1                           it failed with exit code 3 and is not restarted
        s12  start        never 1                           it failed with exit code 3 and is not restarted  [after s1 s11]
        s13  await ready  never 1                           done only when it is healthy  [after s12]
      "
    `);
  });

  test("nothing is removed on account of an observation that is not complete", () => {
    const web = component("web", { replicas: 1 });
    const api = component("api", { replicas: 1 });
    const seen = observedOf({
      network: true,
      complete: false,
      instances: [
        instance(web, { specDigest: specDigestOf("old") }),
        instance(web, { index: 2 }),
        instance(component("gone")),
      ],
    });
    expect(planText(desiredOf([web, api]), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 1 to fetch, 1 to start
        s1  fetch        shop/api:1 (aaaaaaaaaaaa)  the engine does not have it
        s2  start        api 1                      it does not run yet  [after s1]
        s3  await ready  api 1                      done only when it is healthy  [after s2]
        note: web: instance 1 is left as it is: not all of the app could be seen, so nothing is removed
        note: web: not all of the app could be seen, so nothing is removed
        note: gone: not all of the app could be seen, so nothing is removed
      "
    `);
    expect(planText(desiredOf([web], { remove: true }), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: nothing to do
        note: not all of the app could be seen, so nothing is removed
      "
    `);
  });

  test("added replicas answer only when they are ready, because others already do", () => {
    const web = component("web", { replicas: 2 });
    const seen = observedOf({ network: true, images: [web], instances: [instance(web)] });
    expect(planText(desiredOf([web]), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 1 to start
        s1  start aside  web 2  it does not run yet
        s2  await ready  web 2  done only when it is healthy  [after s1]
        s3  let serve    web 2  it is ready to take over  [after s2]
      "
    `);
  });

  test("removing an app removes users before what they need, the network last, and keeps volumes", () => {
    const db = component("db", { kind: "stateful", volumes: ["data"] });
    const web = component("web", { replicas: 2, needs: ["db"] });
    const seen = observedOf({
      network: true,
      volumes: ["db/data"],
      instances: [instance(db), instance(web), instance(web, { index: 2 }), instance(component("gone"))],
    });
    expect(planText(desiredOf([db, web], { remove: true }), seen)).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: 4 to remove
        s1  remove  web 2    the app is removed
        s2  remove  web 1    the app is removed
        s3  remove  db 1     the app is removed  [after s1 s2]
        s4  remove  gone 1   the app is removed
        s5  remove  network  the app is removed  [after s1 s2 s3 s4]
        note: db: volume data stays, with its data; nothing uses it
      "
    `);
    expect(planText(desiredOf([], { remove: true }), observedOf())).toMatchInlineSnapshot(`
      "plan for team-shop, generation 4: nothing to do
      "
    `);
  });

  const faults: readonly [string, Desired, Observed][] = [
    ["PLAN_STALE", desiredOf([]), observedOf({ generation: 9 })],
    [
      "PLAN_NEED_CYCLE",
      desiredOf([
        component("a", { needs: ["b"] }),
        component("b", { needs: ["c"] }),
        component("c", { needs: ["b"] }),
      ]),
      observedOf(),
    ],
    ["PLAN_NEED_ABSENT", desiredOf([component("a", { needs: ["b"] })]), observedOf()],
    [
      "PLAN_PORT_CONFLICT",
      desiredOf([component("a", { hostPort: 80 }), component("b", { hostPort: 80 })]),
      observedOf(),
    ],
    ["PLAN_PORT_CONFLICT", desiredOf([component("a", { hostPort: 80, replicas: 2 })]), observedOf()],
  ];
  test.each(faults)("refuses with %s", (code, desired, observed) => {
    expect(() => planText(desired, observed)).toThrow(expect.objectContaining({ code }));
  });
});
