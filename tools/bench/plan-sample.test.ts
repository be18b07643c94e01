import { diffApps, merge, resolve } from "@sampan/plan";
import { expect, test } from "vitest";
import { makePlanSample } from "./plan-sample.ts";

test("a component of the sample has 50 properties, a tenth of which changes; one in five was edited at the site", () => {
  const { merge: given, resolve: wish, observed } = makePlanSample(10);
  const { oldRelease, newRelease, site } = given;
  const [name, component] = Object.entries(oldRelease.components).at(-1) ?? [];
  if (name === undefined || component === undefined) throw new Error("the sample has no component");
  const { id = "", kind, image } = component;
  const bare = { components: { [name]: { id, kind, image } } };
  // Kind and image are there already.
  expect(diffApps(bare, { components: { [name]: component } })).toHaveLength(50 - 2);
  const changed = diffApps(oldRelease, newRelease).filter((one) => one.component === name);
  expect(changed.map((one) => `${one.action} ${one.what}`)).toEqual([
    "change image",
    "change command",
    "remove env NEW_IN_1",
    "change probe ready",
    "change label version",
    "add env NEW_IN_2",
  ]);
  const edits = diffApps(oldRelease, site).filter((one) => one.what.startsWith("env"));
  expect(edits.map((one) => one.component)).toEqual(["c0", "c5"]);
  expect(resolve(merge(given).app, wish).faults).toEqual([]);
  expect(observed.instances).toHaveLength(10);
});
