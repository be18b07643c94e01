import type { App } from "./app.ts";
import { own } from "./faults.ts";
import type { EnvValue } from "./values.ts";
import { variablesIn } from "./variables.ts";

/** A variable as it is written at one place. */
export interface DeclaredVariable {
  readonly component: string;
  readonly place: "env" | "connection";
  readonly name: string;
  readonly value: EnvValue;
}

type Components = App["components"];

/**
 * All variables that a component's values can refer to, later ones taking the place of earlier ones: connection info of what it needs (sorted by name),
 * its own connection info, its own env. `${NAME}` in a value means the variables that *its* component sees.
 */
export function environmentOf(components: Components, component: string): Map<string, DeclaredVariable> {
  const variables = new Map<string, DeclaredVariable>();
  const declare = (from: string, place: DeclaredVariable["place"]) => {
    for (const [name, value] of Object.entries(own(components, from)?.[place] ?? {}))
      variables.set(name, { component: from, place, name, value });
  };
  const needs = new Set(own(components, component)?.needs);
  for (const needed of [...needs].sort()) declare(needed, "connection");
  declare(component, "connection");
  declare(component, "env");
  return variables;
}

/** Names that a value refers to; only texts can. */
export function referencesOf(value: EnvValue): string[] {
  return typeof value === "string" ? variablesIn(value) : [];
}
