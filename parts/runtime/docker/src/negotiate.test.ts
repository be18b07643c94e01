import { expect, test } from "vitest";
import { chooseApiVersion } from "./negotiate.ts";

test.each([
  ["1.41", "1.41"],
  ["1.43", "1.43"],
  ["1.47", "1.47"],
  ["1.52", "1.47"],
  ["2.0", "1.47"],
])("with an engine of %s, %s is spoken", (offered, spoken) => {
  expect(chooseApiVersion(offered)).toBe(spoken);
});

test.each(["1.40", "1.12", "0.99"])("an engine of %s is too old", (offered) => {
  expect(() => chooseApiVersion(offered)).toThrow(expect.objectContaining({ code: "RUNTIME_TOO_OLD" }));
});

test.each([undefined, "", "latest", "1", "1.41.1", ["1.41", "1.42"]])(
  "%j is no engine's version",
  (offered) => {
    expect(() => chooseApiVersion(offered)).toThrow(expect.objectContaining({ code: "RUNTIME_UNREACHABLE" }));
  },
);
