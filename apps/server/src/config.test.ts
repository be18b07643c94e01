import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

test("what is not set has a value that works", () => {
  expect(readConfig({}, [])).toMatchObject({
    host: "127.0.0.1",
    port: 7070,
    reconcileEveryMs: 30_000,
    inFlight: 4,
    allowsPrivileged: false,
  });
  expect(readConfig({ SAMPAN_IN_FLIGHT: "64" }, []).inFlight).toBe(64);
});

const wrong: readonly (readonly [string, string])[] = [
  ["SAMPAN_IN_FLIGHT", "0"],
  ["SAMPAN_IN_FLIGHT", "65"],
  ["SAMPAN_IN_FLIGHT", "2.5"],
  ["SAMPAN_IN_FLIGHT", ""],
  ["SAMPAN_IN_FLIGHT", "many"],
  ["SAMPAN_RECONCILE_SECONDS", "0"],
  ["SAMPAN_LOG", "loud"],
  ["SAMPAN_LISTEN", "7070"],
  ["SAMPAN_ALLOW_PRIVILEGED", "true"],
];

test.for(wrong)("%s cannot be %j", ([name, value]) => {
  expect(() => readConfig({ [name]: value }, [])).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID" }),
  );
});
