import type { App, AppBody, Component } from "@sampan/template";
import { anyApp } from "@sampan/template/arbitrary";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type MergeInput, merge, planReturn } from "./index.ts";
import { localise } from "./localise.ts";
import { emptySite } from "./merge-samples.ts";
import { COMPONENT_SECTIONS, componentFrom, propertiesOf } from "./property.ts";

const KEPT = ["env", "connection", "files", "volumes"] as const;

/** As a release: every component with an id that follows its name, so that two apps drawn alike are versions of one another. */
const anyRelease: fc.Arbitrary<AppBody> = anyApp.map(
  ({ parameters, modules, components, plugins, routes, preflight, acceptance }) =>
    present({
      parameters,
      modules,
      components: Object.fromEntries(
        Object.entries(components).map(([name, one]) => [name, tidy({ ...one, id: `id-${name}` })]),
      ),
      plugins,
      routes,
      preflight,
      acceptance,
    }),
);

const SECTIONS = Object.keys(COMPONENT_SECTIONS).filter(
  (section) => COMPONENT_SECTIONS[section as keyof Component].class !== "identity",
) as readonly Exclude<keyof Component, "id" | "installation">[];

const anyEdits = fc.array(
  fc.record({ component: fc.nat(20), section: fc.constantFrom(...SECTIONS, ...KEPT), remove: fc.boolean() }),
  { maxLength: 12 },
);

/** Some parts of some components as another app has them, or taken away. */
function edited(app: App, other: AppBody, edits: readonly Edit[]): App {
  const components = new Map(Object.entries(app.components));
  const names = [...components.keys()];
  for (const { component, section, remove } of edits) {
    const name = names[component % names.length]!;
    const here = components.get(name)!;
    const source = Object.hasOwn(other.components, name) ? other.components[name] : undefined;
    const isNeeded = section === "kind" || section === "image";
    const value = remove && !isNeeded ? undefined : (source?.[section] ?? here[section]);
    components.set(name, tidy({ ...here, [section]: value }));
  }
  return { ...app, components: Object.fromEntries(components) };
}

interface Edit {
  readonly component: number;
  readonly section: Exclude<keyof Component, "id" | "installation">;
  readonly remove: boolean;
}

/** Some components get other names, wherever they are named. */
function renamed<T extends AppBody>(app: T, picks: readonly number[]): T {
  const names = Object.keys(app.components);
  const components = new Map(
    picks.flatMap((pick, at) => (pick < names.length ? [[names[pick]!, `renamed-${at}`] as const] : [])),
  );
  return { ...app, ...localise(app, { ...NO_NAMES, components }) };
}

const NONE: ReadonlyMap<string, string> = new Map();
const NO_NAMES = {
  components: NONE,
  parameters: NONE,
  modules: NONE,
  plugins: NONE,
  routes: NONE,
  acceptance: NONE,
};

const anyPicks = fc.uniqueArray(fc.nat(9), { maxLength: 2 });

/**
 * A site with the first release installed, perhaps beside another installation and a component of its own; components renamed and
 * edited. The next release may have renamed components too, and some of it may be selected.
 */
const anyStory = fc
  .record({
    old: anyRelease,
    drawn: anyRelease,
    other: anyRelease,
    neighbour: fc.option(anyRelease, { nil: undefined }),
    edits: anyEdits,
    later: anyEdits,
    renamedHere: anyPicks,
    renamedThere: anyPicks,
    isSelective: fc.boolean(),
    selected: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 4 }),
  })
  .map(({ old, drawn, other, neighbour, edits, later, renamedHere, renamedThere, isSelective, selected }) => {
    const empty = { ...emptySite, components: { own: { kind: "stateless", image: "own:1" } } } as App;
    const start =
      neighbour === undefined
        ? emptySite
        : merge({ newRelease: neighbour, site: empty, installation: "i0" }).app;
    const installed = merge({ newRelease: old, site: start, installation: "i1" });
    const site = edited(renamed(installed.app, renamedHere), other, edits);
    const offered = renamed(drawn, renamedThere);
    const names = Object.keys(offered.components);
    const selection = selected.flatMap((pick) => names[pick] ?? []);
    const upgrade: MergeInput = {
      oldRelease: old,
      newRelease: offered,
      site,
      installation: "i1",
      names: installed.names,
      ...(isSelective && selection.length > 0 ? { selection } : {}),
    };
    return { site, upgrade, laterEdits: (app: App) => edited(app, other, later) };
  });

test("no upgrade changes an existing value, file or volume without a decision, or anything of another installation", () => {
  fc.assert(
    fc.property(anyStory, ({ site, upgrade }) => {
      const { app } = merge(upgrade);
      for (const [name, before] of Object.entries(site.components)) {
        for (const section of KEPT)
          for (const [key, value] of Object.entries(before[section] ?? {}))
            expect(Object.entries(app.components[name]?.[section] ?? {})).toContainEqual([key, value]);
        if (before.installation !== "i1") expect(app.components[name]).toBe(before);
      }
    }),
    { numRuns: 300 },
  );
});

test("an upgrade and a return that takes what was added away give the app of before, whatever was edited since", () => {
  fc.assert(
    fc.property(anyStory, ({ site, upgrade, laterEdits }) => {
      const { app } = merge(upgrade);
      const remove = Object.keys(app.components).filter((name) => !Object.hasOwn(site.components, name));
      const back = planReturn({ snapshot: site, after: app, site: app, installation: "i1", remove });
      expect(back.app).toEqual(site);
      const now = laterEdits(app);
      const mine = planReturn({ snapshot: site, after: app, site: now, installation: "i1", remove });
      for (const [name, one] of Object.entries(now.components))
        if (one.installation === "i1" && !remove.includes(name))
          expect(mine.app.components[name]).toEqual(site.components[name]);
    }),
    { numRuns: 300 },
  );
});

test("a return that is returned from gives the app of after the upgrade", () => {
  fc.assert(
    fc.property(anyStory, ({ site, upgrade }) => {
      const { app } = merge(upgrade);
      const remove = Object.keys(app.components).filter((name) => !Object.hasOwn(site.components, name));
      const back = planReturn({ snapshot: site, after: app, site: app, installation: "i1", remove });
      const again = planReturn({ snapshot: app, after: back.app, site: back.app, installation: "i1" });
      expect(again.app).toEqual(app);
    }),
    { numRuns: 300 },
  );
});

test("the same upgrade twice changes nothing the second time, and inputs are left as they are", () => {
  fc.assert(
    fc.property(anyStory, ({ upgrade: { selection: _, ...upgrade } }) => {
      const before = structuredClone(upgrade);
      const first = merge(upgrade);
      expect(upgrade).toEqual(before);
      expect(merge(upgrade)).toEqual(first);
      const again = merge({
        ...upgrade,
        oldRelease: upgrade.newRelease,
        site: first.app,
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
