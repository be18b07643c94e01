import type { Fault } from "@sampan/problem";
import type { AppBody } from "./app.ts";
import { own } from "./faults.ts";
import { nearest } from "./nearest.ts";
import { checkAnswer } from "./parameter-rules.ts";
import { parameterUses } from "./parameter-uses.ts";
import type { Parameter, ParameterValue } from "./values.ts";

export interface ParameterAnswers {
  /** By name; defaults are filled in. A parameter that nobody answered and that has no default is absent. */
  readonly values: Readonly<Record<string, ParameterValue>>;
  /** With paths `parameters.NAME`. They never hold a password. */
  readonly faults: readonly Fault[];
}

/**
 * Checks answers, as they come from flags (all texts) or JSON, against the parameters of an app. `asked` names those that must be
 * answered when they are required; all when absent. An empty text is no answer, except to a parameter of type string that is not required.
 */
export function checkParameters(
  parameters: Readonly<Record<string, Parameter>>,
  answers: Readonly<Record<string, unknown>>,
  { asked }: { readonly asked?: readonly string[] } = {},
): ParameterAnswers {
  const values: Record<string, ParameterValue> = {};
  const faults: Fault[] = [];
  for (const name of Object.keys(answers)) {
    if (own(parameters, name) !== undefined) continue;
    const word = nearest(name, Object.keys(parameters));
    const hint = word === undefined ? "" : `, did you mean \`${word}\`?`;
    faults.push({ path: `parameters.${name}`, message: `there is no parameter \`${name}\`${hint}` });
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
    const isOpen = answer === undefined || answer === null || (answer === "" && !takesEmpty(parameter));
    const given = isOpen ? defaultOf(parameter) : answer;
    if (given === undefined) {
      if (parameter.required === true && (asked === undefined || asked.includes(name)))
        faults.push({ path: `parameters.${name}`, message: `${titleOf(name, parameter)} must be given` });
      continue;
    }
    // Left empty on purpose: rules are about what is there.
    const result = given === "" ? ({ kind: "value", value: "" } as const) : checkAnswer(parameter, given);
    if (result.kind === "value") values[name] = result.value;
    else
      faults.push({ path: `parameters.${name}`, message: `${titleOf(name, parameter)} ${result.message}` });
  }
  return { values, faults };
}

/** Names of the parameters that these components use, in the order of the app: what the installer is asked. */
export function askedParameters(app: AppBody, components: readonly string[]): string[] {
  const on = new Set(components);
  const used = new Set(
    parameterUses(app)
      .filter((use) => use.components.some((name) => on.has(name)))
      .map(({ name }) => name),
  );
  return Object.keys(app.parameters ?? {}).filter((name) => used.has(name));
}

export function defaultOf(parameter: Parameter): ParameterValue | undefined {
  return "default" in parameter ? parameter.default : undefined;
}

function takesEmpty(parameter: Parameter): boolean {
  return parameter.type === "string" && parameter.required !== true;
}

function titleOf(name: string, { title }: Parameter): string {
  return title ?? name;
}
