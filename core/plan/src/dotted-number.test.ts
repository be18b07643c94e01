import { expect, test } from "vitest";
import { compareDotted, parseDotted } from "./dotted-number.ts";

test.each([
  ["5.10.0-21-amd64", [5, 10, 0]],
  ["6.1", [6, 1]],
  ["v20.10.24+dfsg1", [20, 10, 24]],
  ["4.19.0+", [4, 19, 0]],
  ["3.", [3]],
  ["", undefined],
  ["unknown", undefined],
  ["-5.4", undefined],
])("%s begins with the numbers %j", (text, numbers) => {
  expect(parseDotted(text)).toEqual(numbers);
});

test.each([
  ["5.9", "<", "5.10"],
  ["5.10", "=", "5.10.0"],
  ["5.10.0-21-amd64", "=", "5.10"],
  ["1.41", "<", "1.100"],
  ["4.19.255", "<", "5"],
  ["6", ">", "5.99.99"],
  ["20.10.24", ">", "20.10.9"],
])("%s %s %s", (a, sign, b) => {
  const [left, right] = [parseDotted(a) ?? [], parseDotted(b) ?? []];
  const signOf = (order: number) => (order < 0 ? "<" : order > 0 ? ">" : "=");
  expect(signOf(compareDotted(left, right))).toBe(sign);
  expect(Math.sign(compareDotted(left, right))).toBe(0 - Math.sign(compareDotted(right, left)));
});
