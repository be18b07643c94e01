import type { InstanceProbe } from "@sampan/plan";
import { expect, test } from "vitest";
import {
  beginRun,
  judge,
  nextLookMs,
  noteFailure,
  type ProbeKind,
  type Probes,
  settleMs,
  takeResult,
} from "./probe-state.ts";

const SPEC: InstanceProbe = {
  check: { kind: "tcp", port: 80 },
  delayMs: 0,
  periodMs: 1000,
  timeoutMs: 500,
  failures: 3,
  successes: 2,
};
const ALL: Probes = { start: SPEC, live: SPEC, ready: SPEC };

/** Letters: s S start fails, passes; l L live; r R ready; n a ready failure that does not count. */
function live(probes: Probes, story: string) {
  let state = beginRun(probes);
  let restarts = 0;
  for (const letter of story) {
    const failure = { outcome: "fail", message: "no" } as const;
    if (letter === "n") {
      state = noteFailure(state, "ready", failure);
      continue;
    }
    const kind = ({ s: "start", l: "live", r: "ready" } as const)[letter.toLowerCase() as "s" | "l" | "r"];
    const result = letter === letter.toLowerCase() ? failure : ({ outcome: "pass", message: "yes" } as const);
    const taken = takeResult(state, { kind: kind as ProbeKind, spec: SPEC }, result);
    state = taken.state;
    if (taken.restart) restarts++;
  }
  return { state, restarts };
}

test.each([
  ["", "starting", 0],
  ["S", "starting", 0],
  ["SS", "starting", 0],
  ["SSR", "starting", 0],
  ["SSRR", "ready", 0],
  ["SSRRrr", "ready", 0],
  ["SSRRrrr", "unready", 0],
  ["SSRRrrRrr", "ready", 0],
  ["SSRRrrrR", "unready", 0],
  ["SSRRrrrRR", "ready", 0],
  ["sss", "starting", 1],
  ["ssSsSS", "starting", 0],
  ["SSRRllLll", "ready", 0],
  ["SSRRlll", "ready", 1],
  ["SSnnnnnnn", "starting", 0],
  ["SSRnR", "starting", 0],
  ["SSRnRR", "ready", 0],
])("after %j it is %s, with %i restarts asked for", (story, state, restarts) => {
  const after = live(ALL, story);
  const wasReady = story.includes("RR") ? "yes" : "no";
  expect(judge(ALL, after.state, { settled: "yes", wasReady }).state).toBe(state);
  expect(after.restarts).toBe(restarts);
});

test.each([
  ["SSL", "yes", "ready"],
  ["SSL", "no", "starting"],
  ["SSrrr", "yes", "unready"],
] as const)(
  "after %j, where a look of its own had found it ready: %s, it is %s",
  (story, wasReady, state) => {
    expect(judge(ALL, live(ALL, story).state, { settled: "yes", wasReady }).state).toBe(state);
  },
);

test("without a ready probe it is ready once it has started, or has run for a while", () => {
  const run = { wasReady: "no" } as const;
  expect(judge({}, beginRun({}), { ...run, settled: "no" }).state).toBe("starting");
  expect(judge({}, beginRun({}), { ...run, settled: "yes" }).state).toBe("ready");
  const probes = { start: SPEC };
  expect(judge(probes, live(probes, "S").state, { ...run, settled: "yes" }).state).toBe("starting");
  expect(judge(probes, live(probes, "SS").state, { ...run, settled: "no" }).state).toBe("ready");
});

test("why it is not ready is told", () => {
  const say = (story: string) =>
    judge(ALL, live(ALL, story).state, { settled: "yes", wasReady: "no" }).message;
  expect(say("")).toBe("its start probe has not answered yet");
  expect(say("s")).toBe("its start probe fails: no");
  expect(say("SSR")).toBe("its ready probe passes, but not often enough yet");
  expect(say("SSn")).toBe("its ready probe fails: no");
});

test("what has been restarted must run longer to count as ready", () => {
  expect([0, 1, 2, 3, 4, 50].map(settleMs)).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("what is starting is looked at often at first, and never less often than its period says", () => {
  const looks = [0, 1, 2, 10, 1000].map((count) => nextLookMs(SPEC, { count, phase: "starting" }));
  expect(looks).toEqual([100, 150, 225, 1000, 1000]);
  expect(nextLookMs(SPEC, { count: 0, phase: "settled" })).toBe(1000);
  expect(nextLookMs({ ...SPEC, periodMs: 20 }, { count: 0, phase: "starting" })).toBe(20);
});
