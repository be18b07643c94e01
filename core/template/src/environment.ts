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
  /** The variable of the same name whose place this one took. */
  readonly covers?: DeclaredVariable;
}

type Components = App["components"];

/**
 * All variables that `${NAME}` can mean in a component, later ones taking the place of earlier ones: its own connection info, connection
 * info of what it needs (sorted by name), its own env. A value is always read with the variables of the component that it is written in.
 */
export function environmentOf(components: Components, component: string): Map<string, DeclaredVariable> {
  const variables = new Map<string, DeclaredVariable>();
  const declare = (from: string, place: DeclaredVariable["place"]) => {
    for (const [name, value] of Object.entries(own(components, from)?.[place] ?? {}))
      variables.set(name, covering({ component: from, place, name, value }, variables.get(name)));
  };
  declare(component, "connection");
  const needs = new Set(own(components, component)?.needs);
  for (const needed of [...needs].sort()) declare(needed, "connection");
  declare(component, "env");
  return variables;
}

/**
 * The variable that `${name}` means inside the value of `from`. A variable that names itself means the one that it covers, so that
 * `PASSWORD: ${PASSWORD}` in env takes over what connection info has; where there is none, it is itself: a circle.
 */
export function referenceTarget(
  environment: ReadonlyMap<string, DeclaredVariable>,
  { from, name }: { from: Omit<DeclaredVariable, "value">; name: string },
): DeclaredVariable | undefined {
  const target = environment.get(name);
  const isItself = name === from.name && target?.component === from.component && target.place === from.place;
  return isItself ? (target.covers ?? target) : target;
}

function covering(variable: DeclaredVariable, covers: DeclaredVariable | undefined): DeclaredVariable {
  return covers === undefined ? variable : { ...variable, covers };
}

/** Names that a value refers to; only texts can. */
export function referencesOf(value: EnvValue): string[] {
  return typeof value === "string" ? variablesIn(value) : [];
}
