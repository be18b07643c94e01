import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions, suggestNextVersion } from "./version-order.ts";

/** Each list from old to new. */
const ORDERS: readonly (readonly string[])[] = [
  ["2.9", "3.0", "v3.1", "3.10"],
  ["1.0-rc1", "1.0-rc2", "1.0", "1.0-p1"],
  ["1.0-dev", "1.0-alpha", "1.0-alpha1", "1.0-alpha.2", "1.0-beta", "1.0-M1", "1.0-pre1", "1.0-rc1", "1.0"],
  ["1.0", "1.0-1", "1.0-2", "1.0-10", "1.0.1", "1.1"],
  ["1.0", "1.0-patch2", "1.0.1-rc1", "1.0.1", "1.0.1-hotfix"],
  ["1.0.2", "1.0.2a", "1.0.2b", "1.0.2m", "1.0.2p", "1.0.3"],
  ["1.0a1", "1.0b1", "1.0rc1", "1.0", "1.0p1"],
  ["0", "0.0.1", "0.1", "0.9", "0.10", "1"],
  ["9", "10", "99", "100", "18446744073709551616", "18446744073709551617"],
  ["2023-12-31", "2024-01-15", "2024-02-01", "2024-10-01"],
  ["2024.1", "2024.01.2", "2024.02"],
  ["V1.2-SNAPSHOT", "V1.2-RC1", "V1.2", "V1.2-SP1", "V1.3"],
  ["1.0", "1.0-alpine", "1.0-enterprise", "1.0-p1"],
  ["1.0+build1", "1.0+build2", "1.0.1"],
  ["alpha", "beta", "1.0"],
];
const SAME: readonly (readonly [string, string])[] = [
  ["1.0", "v1.0"],
  ["1.0", "1.0.0"],
  ["1", "1.0"],
  ["1.0-rc1", "1.0.rc.1"],
  ["1.0-RC1", "1.0rc1"],
  ["1.0-final", "1.0"],
  ["1.0.RELEASE", "1.0"],
  ["release-1.2", "1.2"],
  ["1.02", "1.2"],
  ["1.0-1", "1.0-p1"],
];

test.each(ORDERS.map((versions) => [versions]))("versions are ordered as people expect: %s", (versions) => {
  for (const [i, older] of versions.entries()) {
    for (const newer of versions.slice(i + 1)) {
      expect([older, newer, Math.sign(compareVersions(older, newer))]).toEqual([older, newer, -1]);
      expect([newer, older, Math.sign(compareVersions(newer, older))]).toEqual([newer, older, 1]);
    }
  }
});

test.each(SAME)("%s and %s are the same version", (a, b) => {
  expect(compareVersions(a, b)).toBe(0);
});

const part = fc.constantFrom(
  "0",
  "1",
  "2",
  "10",
  "01",
  "rc",
  "p",
  "a",
  "b",
  "x",
  "final",
  "-",
  ".",
  "+",
  "v",
  "beta",
);
const version = fc.oneof(
  fc.array(part, { maxLength: 7 }).map((parts) => parts.join("")),
  fc.string({ maxLength: 12 }),
);

test("the order of versions is total: every three fit together", () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(compareVersions(a, a)).toBe(0);
      expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
      const [x, y, z] = [a, b, c].sort(compareVersions) as [string, string, string];
      expect(compareVersions(x, y)).toBeLessThanOrEqual(0);
      expect(compareVersions(y, z)).toBeLessThanOrEqual(0);
      expect(compareVersions(x, z)).toBeLessThanOrEqual(0);
      if (compareVersions(a, b) === 0)
        expect(Math.sign(compareVersions(a, c))).toBe(Math.sign(compareVersions(b, c)));
    }),
    { numRuns: 2000 },
  );
});

test("the suggested version is newer than all", () => {
  expect(suggestNextVersion([])).toBe("1.0");
  expect(suggestNextVersion(["3.0", "2.9", "v3.1"])).toBe("v3.2");
  expect(suggestNextVersion(["2.9"])).toBe("2.10");
  expect(suggestNextVersion(["1.0-rc1"])).toBe("1.0-rc2");
  expect(suggestNextVersion(["2024.09"])).toBe("2024.10");
  expect(suggestNextVersion(["stable"])).toBe("stable.1");
  fc.assert(
    fc.property(fc.array(version, { minLength: 1, maxLength: 5 }), (versions) => {
      const next = suggestNextVersion(versions);
      for (const one of versions) expect(compareVersions(next, one)).toBeGreaterThan(0);
    }),
  );
});

test.for([
  [[], "2.9", "2.9"],
  [["2.9"], "3.0", "3.0"],
  [["2.9"], "2.9", "2.10"],
  [["3.0", "2.9"], "2.9", "3.1"],
] as const)("after %j, an app that calls itself %s is suggested as %s", ([versions, own, suggested]) => {
  expect(suggestNextVersion(versions, own)).toBe(suggested);
});
