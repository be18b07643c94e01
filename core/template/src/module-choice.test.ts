import { expect, test } from "vitest";
import { type AppBody, type ModuleSet, selectModules } from "./index.ts";

function appWith(modules: Record<string, ModuleSet>, needs: Record<string, string[]> = {}): AppBody {
  const names = ["base", "a", "b", "c"];
  const components = names.map(
    (name) => [name, { kind: "stateless", image: "x", needs: needs[name] ?? [] }] as const,
  );
  return { components: Object.fromEntries(components), modules };
}

const THREE = {
  ma: { components: ["a"] },
  mb: { components: ["b"], default: false },
  mc: { components: ["c"] },
};

interface Row {
  readonly what: string;
  readonly app: AppBody;
  readonly on?: string[];
  readonly off?: string[];
  readonly modules: string[];
  readonly components: string[];
  readonly because?: string[];
  readonly faults?: string[];
}

const ROWS: readonly Row[] = [
  { what: "defaults", app: appWith(THREE), modules: ["ma", "mc"], components: ["base", "a", "c"] },
  {
    what: "a choice",
    app: appWith(THREE),
    on: ["mb"],
    off: ["ma"],
    modules: ["mb", "mc"],
    components: ["base", "b", "c"],
  },
  { what: "no modules at all", app: appWith({}), modules: [], components: ["base", "a", "b", "c"] },
  {
    what: "what a module requires, further on too",
    app: appWith({
      ma: { components: ["a"], requires: ["mb"] },
      mb: { components: ["b"], requires: ["mc"], default: false },
      mc: { components: ["c"], default: false },
    }),
    modules: ["ma", "mb", "mc"],
    components: ["base", "a", "b", "c"],
    because: ["mb: module `ma` requires it", "mc: module `mb` requires it"],
  },
  {
    what: "what a component needs",
    app: appWith(THREE, { base: ["b"] }),
    modules: ["ma", "mb", "mc"],
    components: ["base", "a", "b", "c"],
    because: ["mb: `base` needs `b`"],
  },
  {
    what: "a need in a module that is turned off",
    app: appWith(THREE, { a: ["c"] }),
    off: ["mc"],
    modules: ["ma"],
    components: ["base", "a"],
    faults: [
      "modules.mc: is turned off, but `a` needs its component `c`: turn it on, or turn off what holds `a`",
    ],
  },
  {
    what: "a requirement that is turned off",
    app: appWith({ ma: { components: ["a"], requires: ["mb"] }, mb: { components: ["b"] } }),
    off: ["mb"],
    modules: ["ma"],
    components: ["base", "a", "c"],
    faults: ["modules.ma: requires module `mb`, which is turned off: turn that on, or this off"],
  },
  {
    what: "a conflict",
    app: appWith({ ma: { components: ["a"], conflicts: ["mb"] }, mb: { components: ["b"], default: false } }),
    on: ["mb"],
    modules: ["ma", "mb"],
    components: ["base", "a", "b", "c"],
    faults: ["modules.ma: conflicts with module `mb`: turn one of them off"],
  },
  {
    what: "names that are not there, and contradictions",
    app: appWith(THREE),
    on: ["mx", "constructor", "ma"],
    off: ["ma"],
    modules: ["ma", "mc"],
    components: ["base", "a", "c"],
    faults: [
      "modules.mx: there is no module `mx`, did you mean `ma`?",
      "modules.constructor: there is no module `constructor`",
      "modules.ma: is chosen to be on and to be off",
    ],
  },
];

test.each(ROWS)(
  "modules are selected by $what",
  ({ app, on = [], off = [], modules, components, because = [], faults = [] }) => {
    const selection = selectModules(app, { on, off });
    expect(selection.on).toEqual(modules);
    expect(selection.components).toEqual(components);
    expect(selection.pulledIn.map((one) => `${one.name}: ${one.because}`)).toEqual(because);
    expect(selection.faults.map(({ path, message }) => `${path}: ${message}`)).toEqual(faults);
  },
);
