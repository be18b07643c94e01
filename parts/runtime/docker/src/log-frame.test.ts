import { expect, test } from "vitest";
import { parseLogFrame } from "./log-frame.ts";

const AT = "2026-01-02T03:04:05.678901234Z";
const frame = (text: string) => ({ stream: "stdout" as const, data: Buffer.from(text) });

test.each([
  [`${AT} hello\n`, [[AT, "hello"]]],
  [`${AT} \n`, [[AT, ""]]],
  [`${AT} no line end`, [[AT, "no line end"]]],
  [`${AT} with a return\r\n`, [[AT, "with a return"]]],
  [`${AT} 2026-01-01T00:00:00Z inner\n`, [[AT, "2026-01-01T00:00:00Z inner"]]],
  [
    `${AT} one\n${AT} two\n`,
    [
      [AT, "one"],
      [AT, "two"],
    ],
  ],
  ["2026-01-02T03:04:05+01:00 zone\n", [["2026-01-02T03:04:05+01:00", "zone"]]],
])("%j", (text, lines) => {
  expect(parseLogFrame(frame(text)).map((one) => [one.at, one.text])).toEqual(lines);
});

test("a line that is too long becomes several, cut between characters", () => {
  const long = "舢".repeat(10_000);
  const lines = parseLogFrame(frame(`${AT} ${long}\n`));
  expect(lines.map(({ text }) => text).join("")).toBe(long);
  for (const { at, text } of lines) {
    expect(at).toBe(AT);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16 * 1024);
  }
});
