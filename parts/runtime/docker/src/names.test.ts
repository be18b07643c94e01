import { expect, test } from "vitest";
import { containerName, elsewhere, networkAliases, networkName, volumeName } from "./names.ts";

const APP = { id: "app-1", slug: "team-shop" };

test("names tell app, component, index and generation", () => {
  expect(networkName(APP)).toBe("sampan-team-shop");
  expect(volumeName(APP, { owner: "db", volume: "data" })).toBe("sampan-team-shop-db-data");
  expect(containerName(APP, { component: "orders", index: 2, generation: 7 })).toBe(
    "sampan-team-shop-orders-2-g7",
  );
});

test("a name that another app has is evaded in the same way each time", () => {
  const name = elsewhere("sampan-a-b", APP);
  expect(name).toMatch(/^sampan-a-b-[0-9a-f]{6}$/);
  expect(elsewhere("sampan-a-b", APP)).toBe(name);
  expect(elsewhere("sampan-a-b", { ...APP, id: "app-2" })).not.toBe(name);
});

test.each([
  ["now", ["orders", "web"], ["orders", "orders-2"]],
  ["later", ["orders", "web"], ["orders-2"]],
  ["now", ["orders", "orders-2"], ["orders"]],
  ["later", ["orders", "orders-2"], []],
] as const)("an instance that serves %s among %j answers to %j", (serving, components, names) => {
  expect(networkAliases({ component: "orders", index: 2 }, { serving, components })).toEqual(names);
});
