import type { Component } from "@sampan/template";
import { sameValue } from "./same-value.ts";

/** How a property behaves when a release changes it. */
export type PropertyClass =
  /** What the release is about: always the release's. */
  | "image"
  /** Set once, then a person's: environment, connection info, config files. */
  | "value"
  /** Where data is: as a value, and with its own reasons. */
  | "volume"
  /** The release's, until the site changes it. */
  | "setting"
  /** A setting that stays when the release drops it: ports, needs. */
  | "structure"
  /** Never compared. */
  | "identity";

/** `whole`: one property; `entries`: one by key; `fields`: one by key and field; `names`: one by name in a list. */
type Shape = "whole" | "entries" | "fields" | "names";

interface Section {
  readonly shape: Shape;
  readonly class: PropertyClass;
  /** For reasons: "env" in "env PORT". */
  readonly word: string;
}

/** Every part of a component: a part that the model gains is missed here by the compiler. */
export const COMPONENT_SECTIONS: { readonly [K in keyof Required<Component>]: Section } = {
  id: { shape: "whole", class: "identity", word: "id" },
  installation: { shape: "whole", class: "identity", word: "installation" },
  title: { shape: "whole", class: "setting", word: "title" },
  kind: { shape: "whole", class: "setting", word: "kind" },
  schedule: { shape: "whole", class: "setting", word: "schedule" },
  image: { shape: "whole", class: "image", word: "image" },
  build: { shape: "whole", class: "image", word: "build" },
  command: { shape: "whole", class: "setting", word: "command" },
  args: { shape: "whole", class: "setting", word: "args" },
  env: { shape: "entries", class: "value", word: "env" },
  files: { shape: "entries", class: "value", word: "file" },
  volumes: { shape: "entries", class: "volume", word: "volume" },
  ports: { shape: "fields", class: "structure", word: "port" },
  needs: { shape: "names", class: "structure", word: "need of" },
  connection: { shape: "entries", class: "value", word: "connection" },
  probes: { shape: "entries", class: "setting", word: "probe" },
  startWithin: { shape: "whole", class: "setting", word: "start time" },
  replicas: { shape: "whole", class: "setting", word: "replicas" },
  scaling: { shape: "whole", class: "setting", word: "scaling" },
  resources: { shape: "fields", class: "setting", word: "resources" },
  plugins: { shape: "entries", class: "setting", word: "plugin" },
  metrics: { shape: "entries", class: "setting", word: "metrics" },
  restart: { shape: "whole", class: "setting", word: "restart" },
  labels: { shape: "entries", class: "setting", word: "label" },
  stopGrace: { shape: "whole", class: "setting", word: "stop grace" },
  // Whole: half of the release's commands with half of the site's would bring no data to rest.
  snapshot: { shape: "whole", class: "setting", word: "snapshot" },
  security: { shape: "entries", class: "setting", word: "security" },
  description: { shape: "whole", class: "setting", word: "description" },
};

export interface Property {
  readonly section: keyof Component;
  readonly key: string;
  readonly field: string;
  readonly value: unknown;
}

/** A component as properties by path, such as `env.PORT` or `ports.http.port`. */
export type Properties = ReadonlyMap<string, Property>;

/** All properties, or those of some sections. */
export function propertiesOf(component: Component, sections?: ReadonlySet<string>): Properties {
  const properties = new Map<string, Property>();
  for (const section of sectionsOf(component))
    if (sections?.has(section) !== false)
      for (const property of propertiesIn(component, section)) properties.set(pathOf(property), property);
  return properties;
}

function sectionsOf(component: Component): readonly (keyof Component)[] {
  return Object.keys(component) as (keyof Component)[];
}

function propertiesIn(component: Component, section: keyof Component): readonly Property[] {
  const value = component[section];
  if (value === undefined) return [];
  switch (COMPONENT_SECTIONS[section].shape) {
    case "whole":
      return [{ section, key: "", field: "", value }];
    case "names":
      return (value as readonly string[]).map((key) => ({ section, key, field: "", value: true }));
    case "entries":
      return Object.entries(value).map(([key, entry]) => ({ section, key, field: "", value: entry }));
    case "fields":
      return Object.entries(value).flatMap(([key, entry]) =>
        Object.entries(entry as object).map(([field, leaf]) => ({ section, key, field, value: leaf })),
      );
  }
}

/** Where a property is in its component: `env.PORT`, `ports.http.port`. */
export function pathOf({ section, key, field }: Property): string {
  const { shape } = COMPONENT_SECTIONS[section];
  if (shape === "whole") return section;
  return shape === "fields" ? `${section}.${key}.${field}` : `${section}.${key}`;
}

/** What a component has for a property of another one; undefined when it has nothing. */
export function valueAt(component: Component | undefined, { section, key, field }: Property): unknown {
  const value = component?.[section];
  if (value === undefined) return undefined;
  switch (COMPONENT_SECTIONS[section].shape) {
    case "whole":
      return value;
    case "names":
      return (value as readonly string[]).includes(key) || undefined;
    case "entries":
      return ownValue(value, key);
    case "fields":
      return ownValue(ownValue(value, key), field);
  }
}

function ownValue(record: unknown, key: string): unknown {
  return typeof record === "object" && record !== null && Object.hasOwn(record, key)
    ? (record as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

/** Properties of `a` in its order, then those that only `b` has. */
export function allProperties(a: Component, b: Component): readonly Property[] {
  const here = propertiesOf(a);
  return [...here.values(), ...[...propertiesOf(b)].flatMap(([path, one]) => (here.has(path) ? [] : [one]))];
}

/** Those of all properties in which the two differ. Found section by section, because in most upgrades most are the same. */
export function differingProperties(a: Component, b: Component): readonly Property[] {
  const differing = sectionsOf({ ...a, ...b }).filter((section) => !sameValue(a[section], b[section]));
  const here = differing
    .flatMap((section) => propertiesIn(a, section))
    .filter((property) => !sameValue(property.value, valueAt(b, property)));
  const only = differing
    .flatMap((section) => propertiesIn(b, section))
    .filter((property) => valueAt(a, property) === undefined);
  return [...here, ...only];
}

/** The component with some properties changed; those without a value are gone. */
export function withProperties(component: Component, changed: readonly Property[]): Component {
  const sections = new Set<string>(changed.map((property) => property.section));
  const properties = new Map(propertiesOf(component, sections));
  for (const property of changed) properties.set(pathOf(property), property);
  const replaced = componentFrom(properties.values());
  return Object.fromEntries(
    Object.entries({ ...component, ...replaced }).filter(
      ([section]) => Object.hasOwn(replaced, section) || !sections.has(section),
    ),
  ) as Component;
}

/** The component that has these properties, in their order. Sections that become empty are left out. */
export function componentFrom(properties: Iterable<Property>): Component {
  const sections = new Map<keyof Component, Property[]>();
  for (const property of properties) {
    if (property.value === undefined) continue;
    const known = sections.get(property.section);
    if (known === undefined) sections.set(property.section, [property]);
    else known.push(property);
  }
  // `fromEntries` defines keys as they are; assignment would trip over a variable named __proto__.
  return Object.fromEntries(
    [...sections].map(([name, members]) => [name, sectionFrom(members)]),
  ) as Component;
}

function sectionFrom(members: readonly Property[]): unknown {
  const [first] = members;
  if (first === undefined) return undefined;
  switch (COMPONENT_SECTIONS[first.section].shape) {
    case "whole":
      return first.value;
    case "names":
      return members.map((member) => member.key);
    case "entries":
      return Object.fromEntries(members.map((member) => [member.key, member.value]));
    case "fields":
      return Object.fromEntries(
        [...Map.groupBy(members, (member) => member.key)].map(([key, fields]) => [
          key,
          Object.fromEntries(fields.map((one) => [one.field, one.value])),
        ]),
      );
  }
}

/** "env PORT", "image", "port http": for reasons and lists. */
export function propertyWords({ section, key, field }: Property): string {
  const { word } = COMPONENT_SECTIONS[section];
  return [word, key, field === word ? "" : field].filter((part) => part !== "").join(" ");
}
