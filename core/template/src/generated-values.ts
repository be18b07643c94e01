import type { AppBody } from "./app.ts";
import type { EnvValue } from "./values.ts";

/** A value that is made once, at install, and kept by upgrades. */
export interface GeneratedRule {
  /** `COMPONENT/env/NAME` or `COMPONENT/connection/NAME`. */
  readonly key: string;
  /** Characters. */
  readonly length: number;
  readonly alphabet: Alphabet;
}

type Alphabet = keyof typeof ALPHABETS;

const LOWERCASE = "abcdefghijklmnopqrstuvwxyz";
const ALPHABETS = {
  alphanumeric: `${LOWERCASE}${LOWERCASE.toUpperCase()}0123456789`,
  hex: "0123456789abcdef",
  lowercase: LOWERCASE,
} as const;
const LENGTH_DEFAULT = 24;

export function generatedKey(place: {
  component: string;
  place: "env" | "connection";
  name: string;
}): string {
  return `${place.component}/${place.place}/${place.name}`;
}

/** All values of an app that are to be generated, whatever modules are on, sorted by key. */
export function listGenerated(app: AppBody): GeneratedRule[] {
  return Object.entries(app.components)
    .flatMap(([component, { env, connection }]) => [
      ...rulesOf(env, (name) => generatedKey({ component, place: "env", name })),
      ...rulesOf(connection, (name) => generatedKey({ component, place: "connection", name })),
    ])
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Makes the values that do not exist yet, and only those. `random` gives so many bytes fit for secrets; every character of an alphabet is
 * equally likely.
 */
export function makeGenerated(
  rules: readonly GeneratedRule[],
  existing: Readonly<Record<string, string>>,
  random: (bytes: number) => Uint8Array,
): Record<string, string> {
  const missing = rules.filter(({ key }) => !Object.hasOwn(existing, key));
  return Object.fromEntries(missing.map((rule) => [rule.key, makeValue(rule, random)]));
}

function makeValue({ length, alphabet }: GeneratedRule, random: (bytes: number) => Uint8Array): string {
  const letters = ALPHABETS[alphabet];
  // Bytes beyond the last whole multiple would make the first letters likelier.
  const fair = 256 - (256 % letters.length);
  let value = "";
  while (value.length < length) {
    for (const byte of random(length)) {
      if (byte < fair && value.length < length) value += letters[byte % letters.length];
    }
  }
  return value;
}

function rulesOf(
  values: Readonly<Record<string, EnvValue>> | undefined,
  keyOf: (name: string) => string,
): GeneratedRule[] {
  return Object.entries(values ?? {}).flatMap(([name, value]) => {
    if (typeof value === "string" || !("generate" in value)) return [];
    const { length, alphabet } = value.generate;
    return [{ key: keyOf(name), length: length ?? LENGTH_DEFAULT, alphabet: alphabet ?? "alphanumeric" }];
  });
}
