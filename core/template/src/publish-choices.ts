import type { Fault } from "@sampan/problem";
import type { AppBody } from "./app.ts";
import { referencesOf } from "./environment.ts";
import { own } from "./faults.ts";
import { looksSecret } from "./find-secrets.ts";
import type { EnvValue, Parameter } from "./values.ts";
import { expandText } from "./variables.ts";

/** What a publisher decides for one value: it stays (or becomes the text given), the installer is asked, or it is random at each site. */
export type PublishChoice =
  | { readonly kind: "fixed"; readonly value?: string }
  /** `parameter` names it, `definition` says what is asked; both are worked out when absent. */
  | { readonly kind: "ask"; readonly parameter?: string; readonly definition?: Parameter }
  | {
      readonly kind: "random";
      readonly length?: number;
      readonly alphabet?: "alphanumeric" | "hex" | "lowercase";
    };

/** By component, then place, then name of the value. */
export type PublishChoices = Readonly<
  Record<string, Partial<Record<"env" | "connection", Readonly<Record<string, PublishChoice>>>>>
>;

/**
 * Rewrites an app by a publisher's choices. Faults name choices for what is not there, and parameters that would be taken twice with
 * different meanings. The default of a parameter that is asked is the value as it is now, unless that is a secret.
 */
export function applyPublishChoices<T extends AppBody>(
  app: T,
  choices: PublishChoices,
): { readonly app: T; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const components = { ...app.components };
  const parameters: Record<string, Parameter> = { ...app.parameters };
  for (const [name, places] of Object.entries(choices)) {
    const component = own(components, name);
    if (component === undefined) {
      faults.push({ path: `components.${name}`, message: `there is no component \`${name}\`` });
      continue;
    }
    const changed = { ...component };
    for (const place of ["env", "connection"] as const) {
      const values: Record<string, EnvValue> = { ...component[place] };
      for (const [key, choice] of Object.entries(places[place] ?? {})) {
        const path = `components.${name}.${place}.${key}`;
        const value = own(values, key);
        if (value === undefined) faults.push({ path, message: "there is no such value" });
        else
          values[key] = rewrite(
            { name, key, value, parameters, fault: (message) => faults.push({ path, message }) },
            choice,
          );
      }
      if (component[place] !== undefined) changed[place] = values;
    }
    components[name] = changed;
  }
  const result = { ...app, components };
  return { app: Object.keys(parameters).length === 0 ? result : { ...result, parameters }, faults };
}

interface Place {
  readonly name: string;
  readonly key: string;
  readonly value: EnvValue;
  /** Grows by what is asked. */
  readonly parameters: Record<string, Parameter>;
  readonly fault: (message: string) => void;
}

function rewrite(place: Place, choice: PublishChoice): EnvValue {
  switch (choice.kind) {
    case "fixed":
      return choice.value ?? place.value;
    case "random": {
      const { length, alphabet } = choice;
      return {
        generate: {
          ...(length === undefined ? {} : { length }),
          ...(alphabet === undefined ? {} : { alphabet }),
        },
      };
    }
    case "ask":
      return ask(place, choice);
  }
}

function ask(
  { name, key, value, parameters, fault }: Place,
  choice: PublishChoice & { kind: "ask" },
): EnvValue {
  if (typeof value === "object" && "parameter" in value && choice.definition === undefined) return value;
  if (choice.definition === undefined && referencesOf(value).length > 0) {
    fault("it is made of other variables: ask for those, or say what is to be asked");
    return value;
  }
  const wanted = choice.parameter ?? parameterNameOf(name, key);
  const definition = choice.definition ?? definitionOf(key, value);
  const taken = own(parameters, wanted);
  if (taken !== undefined && JSON.stringify(taken) !== JSON.stringify(definition)) {
    if (choice.definition !== undefined || choice.parameter === undefined) {
      fault(`the parameter \`${wanted}\` exists already, with another meaning: name another`);
      return value;
    }
  } else parameters[wanted] = definition;
  return { parameter: wanted };
}

function definitionOf(key: string, value: EnvValue): Parameter {
  if (typeof value !== "string" || looksSecret(key, value))
    return { type: "password", title: key, required: true };
  return { type: "string", title: key, default: expandText(value, () => undefined) ?? "" };
}

function parameterNameOf(component: string, key: string): string {
  return `${component}_${key}`
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, "_")
    .slice(0, 63);
}
