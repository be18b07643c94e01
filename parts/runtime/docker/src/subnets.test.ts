import { Bug } from "@sampan/problem";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseAddress, chooseSubnet, parseRange, parseRoutes, renderAddress } from "./subnets.ts";

const POOL = "10.213.0.0/16";
const rangesOf = (...texts: readonly string[]) => texts.flatMap((text) => parseRange(text) ?? []);

test.each([
  [[], "10.213.0.0/24"],
  [["10.213.0.0/24"], "10.213.1.0/24"],
  [["10.213.0.128/25", "10.213.1.7/32"], "10.213.2.0/24"],
  [["172.17.0.0/16", "192.168.0.0/24"], "10.213.0.0/24"],
  [["10.213.0.0/17"], "10.213.128.0/24"],
  [["10.0.0.0/8"], undefined],
] as const)("with %j in use, %s is chosen", (used, chosen) => {
  expect(chooseSubnet(POOL, rangesOf(...used))).toBe(chosen);
});

test("a pool without room for one network is a bug of who gave it", () => {
  for (const pool of ["10.0.0.0/25", "fd00::/64", ""]) expect(() => chooseSubnet(pool, [])).toThrow(Bug);
});

test("what is no IPv4 range is none", () => {
  for (const text of ["", "10.0.0.0", "10.0.0.256/24", "10.0.0.0/33", "fd00::/8", "a.b.c.d/8"])
    expect(parseRange(text)).toBeUndefined();
});

test("addresses go round, and those in use are left out", () => {
  const subnet = "10.213.4.0/24";
  expect(chooseAddress(subnet, new Set(), undefined)).toBe("10.213.4.2");
  expect(chooseAddress(subnet, new Set(["10.213.4.2"]), "10.213.4.2")).toBe("10.213.4.3");
  expect(chooseAddress(subnet, new Set(["10.213.4.239"]), "10.213.4.239")).toBe("10.213.4.2");
  const all = new Set(Array.from({ length: 254 }, (_, at) => `10.213.4.${at + 1}`));
  expect(chooseAddress(subnet, all, "10.213.4.7")).toBeUndefined();
});

test("a chosen address is in the range for instances and free, whatever is in use", () => {
  const host = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(fc.uniqueArray(host), fc.option(host, { nil: undefined }), (hosts, last) => {
      const used = new Set(hosts.map((one) => `10.9.8.${one}`));
      const chosen = chooseAddress("10.9.8.0/24", used, last === undefined ? undefined : `10.9.8.${last}`);
      if (chosen === undefined) return hosts.length >= 238;
      const at = Number(chosen.split(".")[3]);
      return !used.has(chosen) && at >= 2 && at <= 239;
    }),
  );
});

test("the kernel's routes are read, without the default one", () => {
  const table = [
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "eth0\t0005D50A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "",
  ].join("\n");
  const ranges = parseRoutes(table).map(
    ({ first, last }) => `${renderAddress(first)}-${renderAddress(last)}`,
  );
  expect(ranges).toEqual(["172.17.0.0-172.17.255.255", "10.213.5.0-10.213.5.255"]);
  expect(parseRoutes("")).toEqual([]);
});
