import type { App, AppBody, Component } from "@sampan/template";
import type { MergeInput } from "./merge-input.ts";
import { planProblem } from "./problems.ts";

/** A component of the new release or of the site, with its counterparts. */
export interface ComponentPair {
  /** Its name here: now, or from now on. */
  readonly name: string;
  readonly old: Component | undefined;
  readonly offered: Component | undefined;
  readonly site: Component | undefined;
}

export interface Pairing {
  readonly pairs: readonly ComponentPair[];
  /** Names in the old release to names here, and in the new release likewise. */
  readonly oldNames: ReadonlyMap<string, string>;
  readonly newNames: ReadonlyMap<string, string>;
}

export const NAME_LENGTH_MAX = 42;

/**
 * Who is whose counterpart: by the id that a component was given once, within one installation; never by name. Components that
 * are new here get the release's name, with `-2` and so on where another has it.
 */
export function pairComponents(input: MergeInput): Pairing {
  const { oldRelease, newRelease, site, installation } = input;
  const mapping = new Map(Object.entries(input.mapping ?? {}));
  for (const name of mapping.values())
    if (!Object.hasOwn(site.components, name))
      throw planProblem("PLAN_UNKNOWN_COMPONENT", `there is no component ${name} here to map to`, {
        why: `components here: ${Object.keys(site.components).join(", ")}`,
      });
  const hereById = new Map<string, string>();
  for (const [name, component] of Object.entries(site.components))
    if (component.installation === installation && component.id !== undefined)
      hereById.set(component.id, name);
  const hereOf = ({ id }: Component) =>
    id === undefined ? undefined : (mapping.get(id) ?? hereById.get(id));

  const taken = new Set(Object.keys(site.components));
  const newNames = nameComponents(newRelease, { hereOf, taken });
  const idToName = new Map<string, string>();
  for (const [name, { id }] of Object.entries(newRelease.components))
    if (id !== undefined) idToName.set(id, newNames.get(name) ?? name);
  const oldNames = new Map<string, string>();
  const oldByName = new Map<string, Component>();
  for (const [name, component] of Object.entries(oldRelease?.components ?? {})) {
    const here = hereOf(component) ?? idToName.get(component.id ?? "") ?? name;
    oldNames.set(name, here);
    // A component that went, here and in the release, must not pass for another that has its name now.
    if (hereOf(component) !== undefined || idToName.has(component.id ?? "")) oldByName.set(here, component);
  }
  const offeredByName = new Map(
    Object.entries(newRelease.components).map(([name, one]) => [newNames.get(name) ?? name, one]),
  );
  const mine = [...new Set([...hereById.values(), ...mapping.values(), ...offeredByName.keys()])];
  const order = new Map(Object.keys(site.components).map((name, at) => [name, at]));
  mine.sort((a, b) => (order.get(a) ?? order.size) - (order.get(b) ?? order.size));
  return {
    oldNames,
    newNames,
    pairs: mine.map((name) => ({
      name,
      old: oldByName.get(name),
      offered: offeredByName.get(name),
      site: componentAt(site, name),
    })),
  };
}

function nameComponents(
  release: AppBody,
  options: { readonly hereOf: (component: Component) => string | undefined; readonly taken: Set<string> },
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, component] of Object.entries(release.components)) {
    const here = options.hereOf(component) ?? freeName(name, options.taken, NAME_LENGTH_MAX, "-");
    options.taken.add(here);
    names.set(name, here);
  }
  return names;
}

/** The name, or the name with the first of `-2`, `-3` … that is free. */
export function freeName(
  name: string,
  taken: ReadonlySet<string>,
  lengthMax: number,
  separator: "-" | "_" | " ",
): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number++) {
    const suffix = `${separator}${number}`;
    const candidate = name.slice(0, lengthMax - suffix.length) + suffix;
    if (!taken.has(candidate)) return candidate;
  }
}

export function componentAt(app: App, name: string): Component | undefined {
  return Object.hasOwn(app.components, name) ? app.components[name] : undefined;
}
