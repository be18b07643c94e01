import type { Desired, Plan } from "@sampan/plan";
import { describe, expect, test } from "vitest";
import { bookshop, everything, noValues, openStoreWithApp } from "./test-store.ts";

async function openHistory() {
  const opened = await openStoreWithApp();
  const { store, app, clock } = opened;
  const ref = { id: app.id, slug: app.slug };
  const addPlan = async (id: string): Promise<Plan> => {
    clock.pass(1000);
    const createdAt = clock.now().toISOString();
    const plan = { id, app: ref, generation: 1, createdAt, steps: [], notes: [] } as unknown as Plan;
    await store.plans.put(plan, { app: ref, generation: 1, components: [] } as unknown as Desired);
    return plan;
  };
  const addRollout = (planId: string) =>
    store.rollouts.create({ planId, appId: app.id, generation: 1, state: "planned" });
  return { ...opened, addPlan, addRollout };
}

describe("plans and rollouts", () => {
  test("a plan comes back with what it was made for", async () => {
    const { store, app, addPlan } = await openHistory();
    const plan = await addPlan("p1");
    expect(await store.plans.get("p1")).toEqual(plan);
    expect(await store.plans.desired("p1")).toMatchObject({ generation: 1 });
    await addPlan("p2");
    expect((await store.plans.list(app.id)).items.map((one) => one.id)).toEqual(["p2", "p1"]);
    await expect(addPlan("p1")).rejects.toMatchObject({ code: "STORE_TAKEN" });
  });

  test("steps are told in the order of the plan, each with how it ended", async () => {
    const { store, addPlan, addRollout } = await openHistory();
    await addPlan("p1");
    const { id } = await addRollout("p1");
    await store.rollouts.beginStep(id, { stepId: "s2", ordinal: 2 });
    await store.rollouts.endStep(id, { stepId: "s2", ordinal: 2, state: "failed", message: "no room" });
    await store.rollouts.beginStep(id, { stepId: "s1", ordinal: 1 });
    await store.rollouts.endStep(id, { stepId: "s3", ordinal: 3, state: "skipped" });
    const told = async () =>
      (await store.rollouts.steps(id)).map((step) => [step.stepId, step.state, step.message]);
    expect(await told()).toEqual([
      ["s1", "running", undefined],
      ["s2", "failed", "no room"],
      ["s3", "skipped", undefined],
    ]);
    await store.rollouts.beginStep(id, { stepId: "s2", ordinal: 2 });
    expect((await told())[1]).toEqual(["s2", "running", undefined]);
    const nowhere = store.rollouts.beginStep("absent", { stepId: "s1", ordinal: 1 });
    await expect(nowhere).rejects.toMatchObject({ code: "STORE_IN_USE" });
  });

  test("whoever watches is told of an app's history with the app and its team", async () => {
    const { store, app, team, addPlan, addRollout } = await openHistory();
    const heard: unknown[] = [];
    store.watch((change) => heard.push(change));
    await addPlan("p1");
    const { id } = await addRollout("p1");
    await store.rollouts.beginStep(id, { stepId: "s1", ordinal: 1 });
    const of = { appId: app.id, teamId: team.id };
    expect(heard).toEqual([
      { noun: "plan", id: "p1", act: "created", ...of },
      { noun: "rollout", id, act: "created", ...of },
      { noun: "rollout", id, act: "updated", ...of },
    ]);
  });

  test("a rollout that has ended does not move any more", async () => {
    const { store, addPlan, addRollout } = await openHistory();
    await addPlan("p1");
    const { id } = await addRollout("p1");
    const open = async () => (await store.rollouts.list(everything, { open: true })).items.length;
    await store.rollouts.move(id, { state: "running" });
    expect(await open()).toBe(1);
    const ended = await store.rollouts.move(id, { state: "failed", reason: "not ready", ended: true });
    expect(ended).toMatchObject({ state: "failed", reason: "not ready", endedAt: expect.any(String) });
    expect(await open()).toBe(0);
    await expect(store.rollouts.move(id, { state: "running" })).rejects.toMatchObject({
      code: "STORE_ABSENT",
    });
  });
});

describe("records", () => {
  test("a record begins, names its rollout, ends, and keeps the way back", async () => {
    const { store, app, addPlan, addRollout } = await openHistory();
    await addPlan("p1");
    const rollout = await addRollout("p1");
    const snapshot = { spec: bookshop, values: noValues, modules: {}, stopped: false };
    const begun = await store.records.begin({ appId: app.id, kind: "upgrade", who: "ann", snapshot });
    expect(begun).toMatchObject({ result: "running", hasSnapshot: true, decisions: [] });
    await store.records.update(begun.id, { rolloutId: rollout.id, planId: "p1" });
    const ended = await store.records.end(begun.id, "failed", { note: "no room" });
    expect(ended).toMatchObject({ result: "failed", note: "no room", rolloutId: rollout.id });
    expect(await store.records.snapshot(begun.id)).toEqual(snapshot);
    const plain = await store.records.begin({ appId: app.id, kind: "scale", who: "ann" });
    await expect(store.records.snapshot(plain.id)).rejects.toMatchObject({ code: "STORE_ABSENT" });
    expect((await store.records.list(everything, { result: "failed" })).items).toHaveLength(1);
    expect((await store.records.list({ kind: "teams", teamIds: [], userId: "u" })).items).toEqual([]);
  });
});

describe("events", () => {
  test("are told newest first to those who may see their team", async () => {
    const { store, team, app } = await openHistory();
    const event = { who: "ann", outcome: "done" };
    await store.events.add({
      ...event,
      what: "app.scale",
      teamId: team.id,
      appId: app.id,
      details: { to: 3 },
    });
    await store.events.add({ ...event, what: "user.create" });
    const what = async (sight: Parameters<typeof store.events.list>[0], filter = {}) =>
      (await store.events.list(sight, filter)).items.map((one) => one.what);
    expect(await what(everything)).toEqual(["user.create", "app.scale"]);
    expect(await what({ kind: "teams", teamIds: [team.id], userId: "u" })).toEqual(["app.scale"]);
    expect(await what(everything, { what: "user.create" })).toEqual(["user.create"]);
    expect(await what(everything, { since: "2027" })).toEqual([]);
  });

  test("details beyond the limit are refused", async () => {
    const { store } = await openHistory();
    const details = { text: "x".repeat(70_000) };
    const added = store.events.add({ who: "ann", outcome: "done", what: "x", details });
    await expect(added).rejects.toMatchObject({ code: "STORE_TOO_LARGE" });
  });
});

describe("housekeeping", () => {
  test("drops what has had its time, and nothing that is needed", async () => {
    const { store, app, clock, addPlan, addRollout } = await openHistory();
    for (const id of ["old", "recorded", "kept-by-rollout", "newest"]) await addPlan(id);
    await store.records.begin({ appId: app.id, kind: "edit", who: "ann", planId: "recorded" });
    const open = await addRollout("kept-by-rollout");
    const healed = await addRollout("old");
    await store.rollouts.move(healed.id, { state: "done", ended: true });
    for (let n = 0; n < 5; n++) await store.events.add({ what: `e${n}`, who: "ann", outcome: "done" });
    clock.pass(31 * 86_400_000);
    expect(await store.housekeep({ eventsMax: 2 })).toEqual({
      tokens: 0,
      jobs: 0,
      events: 3,
      rollouts: 1,
      plans: 1,
    });
    const plans = (await store.plans.list(app.id)).items.map((one) => one.id);
    expect(plans).toEqual(["newest", "kept-by-rollout", "recorded"]);
    expect((await store.rollouts.get(open.id)).endedAt).toBeUndefined();
    expect((await store.events.list(everything)).items.map((one) => one.what)).toEqual(["e4", "e3"]);
  });
});
