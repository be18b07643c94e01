import type { AppBody, Component } from "@sampan/template";
import { anyApp } from "@sampan/template/arbitrary";
import fc from "fast-check";
import { expect, test } from "vitest";
import { merge, planReturn } from "./index.ts";
import { emptySite } from "./merge-samples.ts";
import { componentFrom, propertiesOf } from "./property.ts";

const KEPT = ["env", "connection", "files", "volumes"] as const;

/** As a release: every component with an id that follows its name, so that two apps drawn alike are versions of one another. */
const anyRelease: fc.Arbitrary<AppBody> = anyApp.map(
  ({ parameters, modules, components, plugins, routes, preflight, acceptance }) =>
    present({
      parameters,
      modules,
      components: Object.fromEntries(
        Object.entries(components).map(([name, one]) => [name, { ...one, id: `id-${name}` }]),
      ),
      plugins,
      routes,
      preflight,
      acceptance,
    }),
);

/** A site with the first release installed, parts of it edited to be as in another app. */
const anyStory = fc
  .record({
    old: anyRelease,
    offered: anyRelease,
    other: anyRelease,
    edits: fc.subarray([...KEPT, "replicas", "image", "ports"] as const),
  })
  .map(({ old, offered, other, edits }) => {
    const { app } = merge({ newRelease: old, site: emptySite, installation: "i1" });
    const components = Object.entries(app.components).map(([name, one]): [string, Component] => {
      const source = Object.hasOwn(other.components, name) ? other.components[name] : undefined;
      const changed = Object.fromEntries(
        edits.map((section) => [section, source?.[section] ?? one[section]]),
      );
      return [name, tidy({ ...one, ...present(changed) })];
    });
    return { old, offered, site: { ...app, components: Object.fromEntries(components) } };
  });

test("no upgrade changes an existing value, file or volume without a decision", () => {
  fc.assert(
    fc.property(anyStory, ({ old, offered, site }) => {
      const { app } = merge({ oldRelease: old, newRelease: offered, site, installation: "i1" });
      for (const [name, before] of Object.entries(site.components))
        for (const section of KEPT)
          for (const [key, value] of Object.entries(before[section] ?? {}))
            expect(Object.entries(app.components[name]?.[section] ?? {})).toContainEqual([key, value]);
    }),
  );
});

test("an upgrade and a return that takes what was added away give the app of before", () => {
  fc.assert(
    fc.property(anyStory, ({ old, offered, site }) => {
      const { app } = merge({ oldRelease: old, newRelease: offered, site, installation: "i1" });
      const added = Object.keys(app.components).filter((name) => !Object.hasOwn(site.components, name));
      const back = planReturn({ snapshot: site, after: app, site: app, installation: "i1", remove: added });
      expect(back.app).toEqual(site);
    }),
  );
});

test("the same upgrade twice changes nothing the second time, and inputs are left as they are", () => {
  fc.assert(
    fc.property(anyStory, ({ old, offered, site }) => {
      const before = structuredClone({ old, offered, site });
      const first = merge({ oldRelease: old, newRelease: offered, site, installation: "i1" });
      expect({ old, offered, site }).toEqual(before);
      expect(merge({ oldRelease: old, newRelease: offered, site, installation: "i1" })).toEqual(first);
      const again = merge({
        oldRelease: offered,
        newRelease: offered,
        site: first.app,
        installation: "i1",
        names: first.names,
      });
      expect(again.app).toEqual(first.app);
      expect(again.changes.filter((change) => change.action !== "keep")).toEqual([]);
    }),
  );
});

test("a component taken apart into properties and put together again is the same", () => {
  fc.assert(
    fc.property(anyApp, ({ components }) => {
      for (const one of Object.values(components)) expect(tidy(one)).toEqual(tidy(tidy(one)));
    }),
  );
});

/** Without sections that are empty: they say nothing. */
function tidy(component: Component): Component {
  return componentFrom(propertiesOf(component).values());
}

function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
