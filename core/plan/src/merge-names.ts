import type { AppBody } from "@sampan/template";
import { freeName } from "./component-pairs.ts";
import type { NameMaps } from "./localise.ts";
import { type InstallationNames, type MergeInput, NAMED_SECTIONS, type NamedSection } from "./merge-input.ts";

const FORM: Readonly<
  Record<NamedSection, { readonly lengthMax: number; readonly separator: "-" | "_" | " " }>
> = {
  parameters: { lengthMax: 63, separator: "_" },
  modules: { lengthMax: 42, separator: "-" },
  plugins: { lengthMax: 42, separator: "-" },
  routes: { lengthMax: 42, separator: "-" },
  acceptance: { lengthMax: 120, separator: " " },
};

type SectionNames = { readonly [K in NamedSection]: ReadonlyMap<string, string> };

/**
 * What app-wide things of the release are called here. What the release had before keeps its name; what is new gets another where
 * the app has something of that name already, because that belongs to somebody else.
 */
export function nameSections(input: MergeInput): SectionNames {
  return Object.fromEntries(
    NAMED_SECTIONS.map((section) => [section, nameSection(input, section)]),
  ) as unknown as SectionNames;
}

function nameSection(input: MergeInput, section: NamedSection): ReadonlyMap<string, string> {
  const known = new Map(Object.entries(input.names?.[section] ?? {}));
  const before = new Set(entryNames(input.oldRelease, section));
  const taken = new Set(entryNames(input.site, section));
  const names = new Map<string, string>();
  for (const name of [...before, ...entryNames(input.newRelease, section)]) {
    if (names.has(name)) continue;
    const { lengthMax, separator } = FORM[section];
    const here = known.get(name) ?? (before.has(name) ? name : freeName(name, taken, lengthMax, separator));
    taken.add(here);
    names.set(name, here);
  }
  return names;
}

/** The names that differ: what has to be remembered. */
export function namesToKeep(names: SectionNames): InstallationNames {
  return Object.fromEntries(
    NAMED_SECTIONS.map((section) => [
      section,
      Object.fromEntries([...names[section]].filter(([from, to]) => from !== to)),
    ]),
  ) as unknown as InstallationNames;
}

export function withComponents(names: SectionNames, components: ReadonlyMap<string, string>): NameMaps {
  return { ...names, components };
}

function entryNames(body: AppBody | undefined, section: NamedSection): readonly string[] {
  if (section === "acceptance") return (body?.acceptance ?? []).map((check) => check.name);
  return Object.keys(body?.[section] ?? {});
}
