import type { Client } from "@sampan/api";
import type { Digest } from "@sampan/content";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";

type Form = Awaited<ReturnType<Client["getInstallForm"]>>;
type Choice = { readonly on: readonly string[]; readonly off: readonly string[] };
type Checked = Awaited<ReturnType<Client["checkAnswers"]>>;

/** A field of the install form, as far as a question needs it. */
interface Field {
  readonly name: string;
  readonly title?: string;
  readonly type?: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly options?: readonly string[];
}

/** `name=value` pairs; the server turns texts into the parameter's type. Throws CLI_USAGE. */
export function parseAssignments(pairs: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw cliProblem("CLI_USAGE", `${pair} is not name=value`);
    values[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return values;
}

/** `name=on` and `name=off`. Throws CLI_USAGE. */
export function parseModules(pairs: readonly string[]): { on: string[]; off: string[] } {
  const choice: { on: string[]; off: string[] } = { on: [], off: [] };
  for (const [name, value] of Object.entries(parseAssignments(pairs))) {
    if (value !== "on" && value !== "off")
      throw cliProblem("CLI_USAGE", `module ${name} can be on or off, not ${value}`);
    choice[value].push(name);
  }
  return choice;
}

/** Names of parameters that are passwords. */
export function secretFields(form: Form): string[] {
  return fieldsOf(form).flatMap(({ name, type }) => (type === "password" ? [name] : []));
}

/**
 * What the installer is asked: where a person is there, each module and each parameter that was not given, with its default, until
 * the server takes every answer. Elsewhere what was given goes to the server as it is, which names all that is wrong.
 */
export async function askAnswers(
  context: CommandContext,
  client: Client,
  wish: {
    readonly digest: Digest;
    readonly form: Form;
    readonly parameters: Readonly<Record<string, string>>;
    readonly modules: Choice;
  },
): Promise<{ readonly parameters: Record<string, string>; readonly modules: Choice }> {
  const parameters = { ...wish.parameters };
  if (!context.mayAsk) return { parameters, modules: wish.modules };
  const modules = await askModules(context, wish.form, wish.modules);
  const check = () =>
    client.checkAnswers({
      params: { digest: wish.digest },
      body: { parameters, modules: { on: [...modules.on], off: [...modules.off] } },
    });
  const fields = new Map(fieldsOf(wish.form).map((field) => [field.name, field]));
  let checked = await check();
  for (const name of checked.asked) {
    const field = fields.get(name);
    if (field === undefined || parameters[name] !== undefined) continue;
    const answer = await promptFor(context, field);
    if (answer !== "") parameters[name] = answer;
  }
  for (checked = await check(); ; checked = await check()) {
    const wrong = wrongFields(checked, fields);
    if (wrong.length === 0) return { parameters, modules };
    for (const { field, message } of wrong) {
      context.terminal.err(`${field.title ?? field.name}: ${message}`);
      const answer = await promptFor(context, field);
      if (answer === "") delete parameters[field.name];
      else parameters[field.name] = answer;
    }
  }
}

/** Faults that another answer mends. The others are the server's to tell. */
function wrongFields(
  { faults }: Checked,
  fields: ReadonlyMap<string, Field>,
): readonly { readonly field: Field; readonly message: string }[] {
  return faults.flatMap(({ path, message }) => {
    const field = fields.get(path.replace(/^parameters\./, ""));
    return field === undefined ? [] : [{ field, message }];
  });
}

async function askModules(context: CommandContext, form: Form, given: Choice): Promise<Choice> {
  const choice = { on: [...given.on], off: [...given.off] };
  for (const module of form.modules) {
    const name = String(module.name);
    if (choice.on.includes(name) || choice.off.includes(name)) continue;
    const isOn = module.default !== false;
    const words = module.description === undefined ? "" : ` (${String(module.description)})`;
    const answer = await context.terminal.ask(
      `Module ${String(module.title ?? name)}${words}: install it? ${isOn ? "[Y/n]" : "[y/N]"} `,
    );
    const wants = answer.trim() === "" ? isOn : /^(y|yes|是)$/i.test(answer.trim());
    (wants ? choice.on : choice.off).push(name);
  }
  return choice;
}

/** Asks for one value; an empty answer takes the default. */
export async function promptFor(context: CommandContext, field: Field): Promise<string> {
  const { name, title = name, type, description, options, required } = field;
  if (description !== undefined) context.terminal.err(description);
  const choices = options === undefined ? "" : ` (${options.join(", ")})`;
  const fallback = field.default === undefined ? "" : ` [${String(field.default)}]`;
  const hint = fallback === "" && required !== true && type !== "password" ? " [none]" : fallback;
  return await context.terminal.ask(`${title}${choices}${hint}: `, { secret: type === "password" });
}

function fieldsOf(form: Form): readonly Field[] {
  return form.parameters.flatMap(({ items }) => items as readonly unknown[] as readonly Field[]);
}
