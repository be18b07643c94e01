import { expect, test } from "vitest";
import { systemClock, virtualClock } from "./clock.ts";

test("a virtual clock wakes sleepers in the order of their times, and jumps over what lies between", async () => {
  const clock = virtualClock(0);
  const woken: string[] = [];
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push(`${name} at ${clock.now()}`);
  };
  await Promise.all([sleep("hour", 3_600_000), sleep("second", 1000), sleep("also", 1000), sleep("now", 0)]);
  expect(woken).toEqual(["now at 0", "second at 1000", "also at 1000", "hour at 3600000"]);
});

test("a virtual clock stands still while nobody sleeps", async () => {
  const clock = virtualClock(5);
  await new Promise((resolve) => setImmediate(resolve));
  expect(clock.now()).toBe(5);
  await clock.advance(10);
  expect(clock.now()).toBe(15);
});

test.each([
  ["virtual", () => virtualClock(0)],
  ["system", () => systemClock],
] as const)("sleep of the %s clock ends with the signal's reason", async (_, make) => {
  const clock = make();
  const reason = new Error("woken");
  await expect(clock.sleep(1000, AbortSignal.abort(reason))).rejects.toBe(reason);
  const abort = new AbortController();
  const sleeping = clock.sleep(3_600_000, abort.signal);
  abort.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
});
