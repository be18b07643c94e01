import type { AppBody } from "./app.ts";
import { askedParameters, defaultOf } from "./parameter-answers.ts";
import type { Parameter, ParameterValue } from "./values.ts";

/** The install form, as plain JSON: for the questions of the CLI and the fields of the console. */
export interface ParameterForm {
  /** In the order of the app; parameters without a group come first, under a group without a title. */
  readonly groups: readonly {
    readonly title: string | undefined;
    readonly fields: readonly ParameterField[];
  }[];
}

export interface ParameterField {
  readonly name: string;
  readonly type: Parameter["type"];
  readonly title: string;
  readonly description?: string;
  readonly required: boolean;
  readonly default?: ParameterValue;
  /** Characters. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** A number, or a size such as 128MiB. */
  readonly min?: number | string;
  readonly max?: number | string;
  readonly options?: readonly string[];
}

/** Asks for the parameters that these components use, and for no other: `selectModules` says which are on. */
export function parameterForm(app: AppBody, components: readonly string[]): ParameterForm {
  const groups = new Map<string | undefined, ParameterField[]>([[undefined, []]]);
  for (const name of askedParameters(app, components)) {
    const parameter = app.parameters?.[name];
    if (parameter === undefined) continue;
    const fields = groups.get(parameter.group) ?? [];
    fields.push(fieldOf(name, parameter));
    groups.set(parameter.group, fields);
  }
  const filled = [...groups].filter(([, fields]) => fields.length > 0);
  return { groups: filled.map(([title, fields]) => ({ title, fields })) };
}

function fieldOf(name: string, parameter: Parameter): ParameterField {
  const { group: _group, title, required, default: _default, ...rest } = { default: undefined, ...parameter };
  const given = defaultOf(parameter);
  const plain = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...(plain as Pick<ParameterField, "type">),
    name,
    title: title ?? name,
    required: required ?? false,
    ...(given === undefined ? {} : { default: given }),
  };
}
