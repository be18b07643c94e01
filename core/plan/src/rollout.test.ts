import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canRollout,
  isEnded,
  moveRollout,
  ROLLOUT_TABLE,
  type RolloutEvent,
  type RolloutState,
} from "./index.ts";

const STATES = Object.keys(ROLLOUT_TABLE) as RolloutState[];
const EVENTS = Object.keys(ROLLOUT_TABLE.planned) as RolloutEvent[];
const OPEN = STATES.filter((state) => !isEnded(state));

function walk(...events: readonly RolloutEvent[]): RolloutState {
  return events.reduce(moveRollout, "planned");
}

describe("rollout", () => {
  const stories: readonly [string, readonly RolloutEvent[], RolloutState][] = [
    ["done and accepted", ["start", "stepsDone", "accepted"], "succeeded"],
    ["a step failed", ["start", "fail"], "failed"],
    ["not accepted", ["start", "stepsDone", "fail"], "failed"],
    ["failed, and went back", ["start", "return", "returnDone"], "returned"],
    ["not accepted, and the way back failed", ["start", "stepsDone", "return", "returnFailed"], "failed"],
    ["cancelled before it began", ["cancel"], "cancelled"],
    ["cancelled while running", ["start", "cancel", "stopped"], "cancelled"],
    ["taken up after a crash", ["start", "start", "stepsDone", "accepted"], "succeeded"],
    ["taken up after a crash while it went back", ["start", "return", "return", "returnDone"], "returned"],
  ];
  test.each(stories)("%s", (_, events, end) => {
    expect(walk(...events)).toBe(end);
    expect(isEnded(end)).toBe(true);
  });

  test("success is reached from verifying alone, by acceptance", () => {
    for (const state of STATES)
      for (const event of EVENTS)
        if (ROLLOUT_TABLE[state][event] === "succeeded")
          expect([state, event]).toEqual(["verifying", "accepted"]);
  });

  test("an ended rollout takes no event, and says why", () => {
    for (const state of STATES.filter(isEnded))
      for (const event of EVENTS) {
        expect(canRollout(state, event)).toEqual({ can: false, because: "it has ended" });
        expect(() => moveRollout(state, event)).toThrow(
          expect.objectContaining({ code: "PLAN_ROLLOUT_STATE" }),
        );
      }
  });

  test("what has not ended can be superseded, and every reason is told in words", () => {
    for (const state of OPEN) {
      expect(moveRollout(state, "supersede")).toBe("superseded");
      for (const event of EVENTS) {
        const can = canRollout(state, event);
        if (!can.can) expect(can.because).toMatch(/^[a-z].{5,}$/);
      }
    }
  });

  test("every state can be reached, whatever happens, and from each an end", () => {
    const reached = new Set<RolloutState>(["planned"]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 12 }), (events) => {
        let state: RolloutState = "planned";
        for (const event of events) {
          if (canRollout(state, event).can) state = moveRollout(state, event);
          reached.add(state);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
    expect([...reached].sort()).toEqual([...STATES].sort());
  });
});
