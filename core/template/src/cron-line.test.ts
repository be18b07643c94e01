import { expect, test } from "vitest";
import { parseCronLine } from "./cron-line.ts";

test.each([
  ["*/15 0 * * *", { minutes: [0, 15, 30, 45], hours: [0] }],
  ["5,10-12 * * * *", { minutes: [5, 10, 11, 12] }],
  ["50/5 * * * *", { minutes: [50, 55] }],
  ["0 22-23 1 jan,JUL *", { hours: [22, 23], months: [1, 7], daysOfMonth: [1] }],
  ["0 0 * * 7", { daysOfWeek: [0], eitherDay: false }],
  ["0 0 13 * fri", { daysOfWeek: [5], daysOfMonth: [13], eitherDay: true }],
  ["  0   0 * *  sun-tue ", { daysOfWeek: [0, 1, 2] }],
])("the schedule %j is read", (line, wanted) => {
  const parsed = parseCronLine(line);
  if ("message" in parsed) throw new Error(parsed.message);
  const value = Object.fromEntries(
    Object.entries(parsed.value).map(([key, field]) => [
      key,
      typeof field === "boolean" ? field : [...field].sort((a, b) => a - b),
    ]),
  );
  expect(value).toMatchObject(wanted);
});

test.each([
  "",
  "* * * *",
  "* * * * * *",
  "60 * * * *",
  "* 24 * * *",
  "* * 0 * *",
  "* * * 13 *",
  "* * * * 8",
  "5-1 * * * *",
])("the schedule %j is refused", (line) => {
  expect(parseCronLine(line)).toHaveProperty("message");
});

test.each([
  "*/0 * * * *",
  "a * * * *",
  "1,,2 * * * *",
  "-1 * * * *",
  "1-2-3 * * * *",
  "@daily",
  "* * * foo *",
  "1.5 * * * *",
])("the schedule %j is refused too", (line) => {
  expect(parseCronLine(line)).toHaveProperty("message");
});
