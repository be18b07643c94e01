import { describe, expect, test } from "vitest";
import { LoginPace } from "./login-pace.ts";

const here = { userName: "ann", address: "10.0.0.1" };

function startPace() {
  let nowMs = 1_000_000;
  const pace = new LoginPace(() => nowMs);
  return {
    pace,
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** Fails as often as it is let in; stops at the first wait. */
    fail(times: number, source = here): number {
      for (let n = 0; n < times; n++) {
        const waitMs = pace.enter(source);
        if (waitMs > 0) return waitMs;
      }
      return 0;
    },
  };
}

describe("pace of logins", () => {
  test("a few mistakes cost nothing, then each wait is twice the one before, up to a limit", () => {
    const { pace, pass, fail } = startPace();
    expect(fail(5)).toBe(0);
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      const waitMs = pace.enter(here);
      waits.push(waitMs);
      pass(waitMs);
      expect(pace.enter(here)).toBe(0);
    }
    expect(waits.slice(0, 4)).toEqual([2000, 4000, 8000, 16_000]);
    expect(Math.max(...waits)).toBe(900_000);
  });

  test("a clock that is set back keeps nobody out", () => {
    const { pace, pass, fail } = startPace();
    expect(fail(6)).toBe(2000);
    pass(-365 * 86_400_000);
    expect(pace.enter(here)).toBe(0);
    expect(fail(1)).toBe(4000);
  });

  test("waiting is not counted as another failure", () => {
    const { pace, fail } = startPace();
    fail(5);
    for (let n = 0; n < 50; n++) expect(pace.enter(here)).toBe(2000);
  });

  test("a login that succeeds forgives the person's own mistakes", () => {
    const { pace, fail } = startPace();
    fail(4);
    pace.enter(here);
    pace.passed(here);
    expect(fail(5)).toBe(0);
  });

  test("an own account buys no guesses at others", () => {
    const { pace } = startPace();
    let waitMs = 0;
    let guesses = 0;
    while (waitMs === 0 && guesses < 1000) {
      const own = { ...here, userName: "mallory" };
      if (pace.enter(own) === 0) pace.passed(own);
      waitMs = pace.enter({ ...here, userName: `victim-${guesses++}` });
    }
    expect(guesses).toBeLessThanOrEqual(21);
  });

  test("one address that tries many names has to wait", () => {
    const { pace } = startPace();
    const waits = Array.from({ length: 25 }, (_, n) => pace.enter({ ...here, userName: `user-${n}` }));
    expect(waits.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0));
    expect(waits[20]).toBeGreaterThan(0);
  });

  test("many addresses slow a name down, and cannot lock its owner out for long", () => {
    const { pace, pass } = startPace();
    for (let n = 0; n < 300; n++) {
      const source = { userName: "ann", address: `10.1.${n >> 8}.${n & 255}` };
      pass(pace.enter(source));
      pace.enter(source);
    }
    const waitMs = pace.enter(here);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(30_000);
  });

  test("names are the same whatever their case, and mistakes are forgotten after an hour", () => {
    const { pace, pass, fail } = startPace();
    fail(5);
    expect(pace.enter({ ...here, userName: "ANN" })).toBe(2000);
    pass(3_600_000);
    expect(fail(5)).toBe(0);
  });
});
