import type { AcceptanceCheck, App, AppBody, Component, Route } from "@sampan/template";
import type { Change } from "./change.ts";
import { type Decisions, settle } from "./merge-component.ts";
import { NAMED_SECTIONS, type NamedSection } from "./merge-input.ts";
import { judgeProperty, type PropertyCase } from "./merge-rules.ts";
import type { PropertyClass } from "./property.ts";
import { sameValue } from "./same-value.ts";

type Entries = ReadonlyMap<string, unknown>;

/** Judges one app-wide thing; `merge` and `planReturn` differ in this alone. */
export type JudgeEntry = (
  one: PropertyCase,
  entry: { readonly section: NamedSection | "preflight"; readonly name: string },
) => { readonly take: "offered" | "site" | "same"; readonly why: string; readonly laterEdit?: true };

const SECTION_CLASS: Readonly<Record<NamedSection | "preflight", PropertyClass>> = {
  parameters: "structure",
  modules: "structure",
  plugins: "structure",
  routes: "structure",
  acceptance: "setting",
  preflight: "setting",
};

const SECTION_WORD: Readonly<Record<NamedSection | "preflight", string>> = {
  parameters: "parameter",
  modules: "module",
  plugins: "plugin",
  routes: "route",
  acceptance: "acceptance check",
  preflight: "preflight",
};

/** App-wide things, entry by entry. Bodies are in the site's names. */
export function mergeSections(
  sides: { readonly old: AppBody | undefined; readonly offered: AppBody; readonly site: App },
  options: {
    readonly decisions: Decisions;
    readonly judge: JudgeEntry;
    /** Whether the release's entry is of any use here. */
    readonly isRelevant: (section: NamedSection, entry: unknown, name: string) => boolean;
  },
): { readonly sections: Partial<AppBody>; readonly changes: readonly Change[] } {
  const changes: Change[] = [];
  const sections: Record<string, unknown> = {};
  for (const section of [...NAMED_SECTIONS, "preflight"] as const) {
    const [old, offered, site] = [sides.old, sides.offered, sides.site].map((body) =>
      entriesOf(body, section),
    );
    const result = new Map(site);
    let moved = false;
    for (const name of new Set([...(site?.keys() ?? []), ...(offered?.keys() ?? [])])) {
      const values = { old: old?.get(name), offered: offered?.get(name), site: site?.get(name) };
      if (section !== "preflight") {
        const useful = [values.offered, values.old].find((one) => one !== undefined);
        if (useful === undefined || !options.isRelevant(section, useful, name)) continue;
      }
      const settled = settleEntry({ section, name, values }, options, changes);
      if (sameValue(settled, values.site)) continue;
      moved = true;
      if (settled === undefined) result.delete(name);
      else result.set(name, settled);
    }
    if (moved) sections[section] = sectionFrom(section, result);
  }
  return { sections: sections as Partial<AppBody>, changes };
}

interface EntryCase {
  readonly section: NamedSection | "preflight";
  readonly name: string;
  readonly values: { readonly old: unknown; readonly offered: unknown; readonly site: unknown };
}

function settleEntry(
  { section, name, values }: EntryCase,
  options: { readonly decisions: Decisions; readonly judge: JudgeEntry },
  changes: Change[],
): unknown {
  const settleOne = (at: string, sides: EntryCase["values"], kind: PropertyClass): unknown => {
    const path = `${section}.${name}${at}`;
    const judged = options.judge(
      {
        class: kind,
        ...sides,
        siteDroppedEntry: sides.site === undefined && sides.old !== undefined,
        releaseDroppedEntry: sides.offered === undefined && sides.old !== undefined,
      },
      { section, name },
    );
    const what = `${SECTION_WORD[section]} ${name}${at === "" ? "" : " default"}`;
    const verdict = settle({ path, what, ...sides }, judged, options.decisions.of(path));
    if (verdict.change !== undefined) changes.push(verdict.change);
    return verdict.value;
  };
  const [old, offered, site] = [values.old, values.offered, values.site].map(splitDefault);
  const comparable = section === "parameters" && offered?.type !== undefined && offered.type === site?.type;
  if (!comparable) return settleOne("", values, SECTION_CLASS[section]);
  // A default is a value that runs here: a release does not change it behind a person's back.
  const rest = settleOne(
    "",
    { old: old?.rest, offered: offered.rest, site: site?.rest },
    SECTION_CLASS[section],
  ) as object;
  const sides = { old: old?.default, offered: offered.default, site: site?.default };
  const value = settleOne(".default", sides, "value");
  return value === undefined ? rest : { ...rest, default: value };
}

function splitDefault(
  parameter: unknown,
): { readonly type: unknown; readonly default: unknown; readonly rest: object } | undefined {
  if (typeof parameter !== "object" || parameter === null || !("type" in parameter)) return undefined;
  const { default: value, ...rest } = parameter as { readonly type: unknown; readonly default?: unknown };
  return { type: rest.type, default: value, rest };
}

function entriesOf(body: AppBody | undefined, section: NamedSection | "preflight"): Entries {
  if (section === "acceptance") return new Map((body?.acceptance ?? []).map((check) => [check.name, check]));
  return new Map(Object.entries(body?.[section] ?? {}));
}

function sectionFrom(section: NamedSection | "preflight", entries: Entries): unknown {
  if (entries.size === 0) return undefined;
  return section === "acceptance" ? [...entries.values()] : Object.fromEntries(entries);
}

/** The app with its sections replaced; those that became empty are gone. */
export function withSections(app: App, sections: Partial<AppBody>): App {
  const entries = Object.entries({ ...app, ...sections }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as App;
}

/** The components that a route, a check or a module is about. */
export function componentsOf(section: NamedSection, entry: unknown): readonly string[] {
  switch (section) {
    case "routes":
      return (entry as Route).to.map((one) => one.component);
    case "acceptance": {
      const { http, tcp, exec } = entry as AcceptanceCheck;
      return [http, tcp, exec].flatMap((one) => one?.component ?? []);
    }
    case "modules":
      return (entry as { readonly components: readonly string[] }).components;
    case "parameters":
    case "plugins":
      return [];
  }
}

/** Parameters and plugins that components and routes name. */
export function usedNames(
  components: Iterable<Component>,
  routes: Iterable<Route>,
): { readonly parameters: ReadonlySet<string>; readonly plugins: ReadonlySet<string> } {
  const parameters = new Set<string>();
  const plugins = new Set<string>();
  const note = (value: unknown) => {
    if (typeof value === "object" && value !== null && "parameter" in value)
      parameters.add(String(value.parameter));
  };
  for (const component of components) {
    for (const value of Object.values(component.env ?? {})) note(value);
    for (const value of Object.values(component.connection ?? {})) note(value);
    for (const port of Object.values(component.ports ?? {})) note(port.hostPort);
    for (const binding of Object.values(component.plugins ?? {})) plugins.add(binding.plugin);
  }
  for (const route of routes) if (route.kind === "tcp") note(route.listen);
  return { parameters, plugins };
}

export const judgeByRules: JudgeEntry = (one) => judgeProperty(one);
