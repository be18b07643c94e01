import type { App, AppBody, Component } from "@sampan/template";
import { type Change, COMPONENT, makeChange } from "./change.ts";
import { NAMED_SECTIONS } from "./merge-input.ts";
import { differingProperties, pathOf, propertyWords, valueAt } from "./property.ts";
import { isSameImage, sameValue } from "./same-value.ts";

/** What differs from `a` to `b`, property by property; components are matched by installation and id, and by name where they have none. */
export function diffApps(a: App | AppBody, b: App | AppBody): readonly Change[] {
  const changes: Change[] = [];
  const nameInA = new Map<string, string>();
  for (const [name, component] of Object.entries(a.components))
    nameInA.set(identityOf(component, name), name);
  const matched = new Set<string>();
  for (const [name, after] of Object.entries(b.components)) {
    const before = nameInA.get(identityOf(after, name)) ?? name;
    const counterpart = Object.hasOwn(a.components, before) ? a.components[before] : undefined;
    if (counterpart === undefined) {
      changes.push(wholeComponent(name, "add"));
      continue;
    }
    matched.add(before);
    changes.push(...diffComponents(name, counterpart, after));
  }
  for (const name of Object.keys(a.components))
    if (!matched.has(name)) changes.push(wholeComponent(name, "remove"));
  for (const section of [...NAMED_SECTIONS, "preflight"] as const)
    changes.push(...diffEntries(section, entriesOf(a, section), entriesOf(b, section)));
  for (const section of ["title", "summary", "version"] as const)
    changes.push(...compare(section, section, { before: fieldOf(a, section), after: fieldOf(b, section) }));
  return changes;
}

function identityOf({ id, installation = "" }: Component, name: string): string {
  return id === undefined ? `name ${name}` : `id ${installation}/${id}`;
}

function diffComponents(name: string, before: Component, after: Component): readonly Change[] {
  return differingProperties(before, after).flatMap((property) =>
    compare(
      `components.${name}.${pathOf(property)}`,
      propertyWords(property),
      { before: valueAt(before, property), after: valueAt(after, property) },
      name,
    ),
  );
}

function diffEntries(
  section: string,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) =>
    compare(`${section}.${name}`, `${section} ${name}`, { before: before.get(name), after: after.get(name) }),
  );
}

function compare(
  path: string,
  what: string,
  sides: { readonly before: unknown; readonly after: unknown },
  component?: string,
): readonly Change[] {
  if (sameValue(sides.before, sides.after) || isSameImage(sides.before, sides.after)) return [];
  const action = sides.before === undefined ? "add" : sides.after === undefined ? "remove" : "change";
  const where = component === undefined ? { path } : { path, component };
  return [makeChange({ ...where, what, action, why: "", decided: false }, sides)];
}

function wholeComponent(name: string, action: "add" | "remove"): Change {
  const path = `components.${name}`;
  return makeChange({ path, component: name, what: COMPONENT, action, why: "", decided: false }, {});
}

function entriesOf(body: App | AppBody, section: (typeof NAMED_SECTIONS)[number] | "preflight") {
  if (section === "acceptance")
    return new Map<string, unknown>((body.acceptance ?? []).map((check) => [check.name, check]));
  return new Map<string, unknown>(Object.entries(body[section] ?? {}));
}

function fieldOf(body: App | AppBody, field: "title" | "summary" | "version"): unknown {
  return (body as Partial<App>)[field];
}
