import { expect, test } from "vitest";
import type { Policy } from "./policy.ts";
import { openTestStore } from "./test-store.ts";

test("the policy is the usual one until it is changed, and a change leaves the rest", async () => {
  const { store } = await openTestStore();
  const usual = { noteRequired: true, captureBeforeUpgrade: false, snapshotsKept: 10 };
  expect(await store.policy.get()).toEqual(usual);
  expect(await store.policy.set({ snapshotsKept: 3 })).toEqual({ ...usual, snapshotsKept: 3 });
  await store.policy.set({ noteRequired: false });
  expect(await store.policy.get()).toEqual({ ...usual, snapshotsKept: 3, noteRequired: false });
  await store.settings.set("policy", { captureBeforeUpgrade: true });
  expect(await store.policy.get()).toEqual({ ...usual, captureBeforeUpgrade: true });
});

const accepted: readonly Partial<Policy>[] = [{ snapshotsKept: 1 }, { snapshotsKept: 1000 }, {}];
test.each(accepted)("%j is accepted", async (change) => {
  const { store } = await openTestStore();
  expect(await store.policy.set(change)).toMatchObject(change);
});

const refused: readonly object[] = [
  { snapshotsKept: 0 },
  { snapshotsKept: 1001 },
  { snapshotsKept: 2.5 },
  { snapshotsKept: "3" },
  { snapshotsKept: null },
  { noteRequired: "yes" },
  { captureBeforeUpgrade: 1 },
  { toString: true },
];
test.each(refused)("%j is refused, and changes nothing", async (change) => {
  const { store } = await openTestStore();
  const before = await store.policy.get();
  const set = store.policy.set({ noteRequired: false, ...change } as unknown as Partial<Policy>);
  await expect(set).rejects.toMatchObject({ code: "STORE_POLICY_INVALID" });
  expect(await store.policy.get()).toEqual(before);
});
