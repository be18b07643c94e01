import { expect, test } from "vitest";
import type { EngineLabels, EngineVolume } from "./engine-types.ts";
import { LABEL } from "./labels.ts";
import { countingVolumes, markOf, nextTurn, sortTurns } from "./volume-turns.ts";

function made(Name: string, more: EngineLabels): EngineVolume {
  return { Name, Mountpoint: "", Labels: { [LABEL.app]: "shop", ...more } };
}

const key = { [LABEL.component]: "db", [LABEL.volume]: "data" };
const first = made("data", key);
const second = made("data-r1", { ...key, [LABEL.turn]: "1" });
const third = made("data-r2", { ...key, [LABEL.turn]: "2" });
const guardOf = (turn: number) => made(`data-r${turn}-guard`, { [LABEL.guards]: `db/data/${turn}` });
const others = [
  made("elsewhere", { ...key, [LABEL.app]: "other", [LABEL.turn]: "7" }),
  made("more", { ...key, [LABEL.volume]: "more" }),
];
const files = made("files", { [LABEL.files]: "web-1" });

const ROWS = [
  { there: [], counts: [], over: [] },
  { there: [first], counts: ["data"], over: [] },
  { there: [first, guardOf(1)], counts: ["data"], over: [] },
  { there: [first, guardOf(1), second], counts: ["data"], over: [] },
  { there: [first, second], counts: ["data-r1"], over: ["data"] },
  { there: [second], counts: ["data-r1"], over: [] },
  { there: [second, guardOf(1)], counts: [], over: [] },
  { there: [guardOf(1)], counts: [], over: [] },
  { there: [third, first, second], counts: ["data-r2"], over: ["data-r1", "data"] },
  { there: [third, first, second, guardOf(2)], counts: ["data-r1"], over: ["data"] },
] as const;

test.for(ROWS)("of $there.length volumes, $counts counts", ({ there, counts, over }) => {
  for (const all of [[...there], there.toReversed()]) {
    const sorted = sortTurns([...all, ...others, files]);
    expect(sorted.counting.map(({ Name }) => Name).filter((name) => name.startsWith("data"))).toEqual(counts);
    expect(sorted.over.map(({ Name }) => Name)).toEqual(over);
    const rest = countingVolumes([...all, ...others, files]).filter(({ Name }) => !Name.startsWith("data"));
    expect(rest.map(({ Name }) => Name)).toEqual(["elsewhere", "more"]);
  }
});

test("the next turn is after all that are there, those with a guard too", () => {
  const data = { app: "shop", owner: "db", volume: "data" };
  expect(nextTurn([], data)).toBe(1);
  expect(nextTurn([first, ...others], data)).toBe(1);
  expect(nextTurn([first, third, guardOf(2), files], data)).toBe(3);
});

test("a guard is known by the mark of what it guards", () => {
  const { guards } = sortTurns([first, third, guardOf(2)]);
  expect(guards).toMatchObject([{ mark: markOf(third), guarded: [third] }]);
  expect(markOf(files)).toBeUndefined();
});

test.for(["", "-1", "1.5", "x"])("a turn that is none, as %j, is the first", (turn) => {
  expect(
    nextTurn([made("data", { ...key, [LABEL.turn]: turn })], { app: "shop", owner: "db", volume: "data" }),
  ).toBe(1);
});
