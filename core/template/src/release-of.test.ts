import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyApp } from "./arbitrary.ts";
import {
  type App,
  type AppBody,
  assignComponentIds,
  type PinnedImage,
  parseApp,
  parseRelease,
  type ReleaseWish,
  releaseOf,
  releaseText,
  renderRelease,
} from "./index.ts";

const sample: App = parseApp(readFileSync(new URL("../testdata/sample-shop.yaml", import.meta.url), "utf8"))
  .value!;

function imagesOf(app: App, digit: string): ReleaseWish["images"] {
  const pin = (names: readonly string[]) =>
    Object.fromEntries(
      names.map((name): [string, PinnedImage] => [
        name,
        { id: `sha256:${digit.repeat(64)}`, name: `shop/${name}` },
      ]),
    );
  return { components: pin(Object.keys(app.components)), plugins: pin(Object.keys(app.plugins ?? {})) };
}

function wish(app: App, more: Partial<ReleaseWish> = {}): ReleaseWish {
  return { template: { id: "shop", name: "Shop" }, version: "2.9", images: imagesOf(app, "a"), ...more };
}

test("a release pins every image, drops builds and what belongs to a site, and keeps the rest", () => {
  const web = { ...sample.components.web!, build: { context: "." }, installation: "i1" };
  const { value, faults, omitted } = releaseOf(
    { ...sample, components: { ...sample.components, web } },
    wish(sample),
  );
  expect(faults).toEqual([]);
  expect(omitted).toEqual([]);
  expect(value?.components.web).toEqual({
    ...sample.components.web,
    image: { id: `sha256:${"a".repeat(64)}`, name: "shop/web" },
  });
  expect(value?.plugins?.["performance-analysis"]?.image).toHaveProperty("id");
  expect(value?.parameters).toEqual(sample.parameters);
  for (const name of ["api", "db"])
    expect(value?.components[name]?.snapshot).toEqual(sample.components[name]?.snapshot);
});

test("any valid app with images and ids can be published, and its release is read back the same", () => {
  fc.assert(
    fc.property(anyApp, (drawn) => {
      const app = assignComponentIds(drawn, (name) => `id-of-${name}`);
      const { value, faults } = releaseOf(app, wish(app));
      expect(faults).toEqual([]);
      expect(releaseText(parseRelease(releaseText(value!)).value!)).toBe(releaseText(value!));
      expect(releaseText(parseRelease(renderRelease(value!)).value!)).toBe(releaseText(value!));
    }),
    { numRuns: 50 },
  );
});

test("what is missing for a release is said at once", () => {
  const { id: _, ...web } = sample.components.web!;
  const { db: _db, ...components } = imagesOf(sample, "a").components;
  const app = { ...sample, components: { ...sample.components, web } };
  const { value, faults } = releaseOf(
    app,
    wish(app, {
      images: { components },
      version: "no spaces",
      components: ["wbe", ...Object.keys(app.components)],
    }),
  );
  expect(value).toBeUndefined();
  expect(faults.map(({ path }) => path)).toEqual([
    "components.wbe",
    "components.db.image",
    "plugins.performance-analysis.image",
    "version",
    "components.web.id",
  ]);
});

test("of an earlier release the components that are not selected stay as they were there", () => {
  const previous = releaseOf(sample, wish(sample)).value!;
  const next = releaseOf(
    sample,
    wish(sample, { version: "3.0", images: imagesOf(sample, "b"), components: ["api"], previous }),
  );
  expect(next.faults).toEqual([]);
  expect(next.omitted).toEqual([]);
  expect(next.value?.components.web).toEqual(previous.components.web);
  expect(next.value?.components.api?.image).toMatchObject({ id: `sha256:${"b".repeat(64)}` });
});

test("without an earlier release what is not selected is left out, and everything that names it is listed", () => {
  const { value, faults, omitted } = releaseOf(
    sample,
    wish(sample, { components: ["db", "migrate", "api"] }),
  );
  expect(faults).toEqual([]);
  expect(Object.keys(value?.components ?? {})).toEqual(["api", "migrate", "db"]);
  expect(omitted.map(({ path }) => path)).toEqual([
    "components.web",
    "components.search",
    "components.mailer",
    "modules.mail.components",
    "modules.search.components",
    "routes.shop",
    "acceptance.0",
  ]);
  expect(releaseOf(sample, wish(sample, { components: ["web"] })).faults).toContainEqual({
    path: "components.web.needs.0",
    message: expect.stringContaining("there is no component `api`"),
  });
});

test("ids are given once", () => {
  const app: AppBody = {
    components: { a: { kind: "job", image: "x" }, b: { kind: "job", image: "x", id: "kept" } },
  };
  const given = assignComponentIds(app, (name) => `new-${name}`);
  expect([given.components.a?.id, given.components.b?.id]).toEqual(["new-a", "kept"]);
});
