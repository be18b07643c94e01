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
  for (const [name, value] of Object.entries(component)) {
    const section = name as keyof Component;
    if (value === undefined || sections?.has(section) === false) continue;
    const { shape } = COMPONENT_SECTIONS[section];
    if (shape === "whole") properties.set(section, { section, key: "", field: "", value });
    else if (shape === "names")
      for (const key of value as readonly string[])
        properties.set(`${section}.${key}`, { section, key, field: "", value: true });
    else
      for (const [key, entry] of Object.entries(value)) {
        if (shape === "entries")
          properties.set(`${section}.${key}`, { section, key, field: "", value: entry });
        else
          for (const [field, leaf] of Object.entries(entry as object))
            properties.set(`${section}.${key}.${field}`, { section, key, field, value: leaf });
      }
  }
  return properties;
}

/** Sections in which two components differ. Most are the same in most upgrades: only these are looked at one by one. */
export function differingSections(a: Component, b: Component): ReadonlySet<string> {
  const differing = new Set<string>();
  for (const name of Object.keys(COMPONENT_SECTIONS) as (keyof Component)[])
    if (!sameValue(a[name], b[name])) differing.add(name);
  return differing;
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
