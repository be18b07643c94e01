import type { Client } from "@sampan/api";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";

type Form = Awaited<ReturnType<Client["getInstallForm"]>>;

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

/** Asks for what is required and was neither given nor has a default, where a person is there to answer. */
export async function askParameters(
  context: CommandContext,
  form: Form,
  given: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const answers = { ...given };
  if (!context.mayAsk) return answers;
  for (const item of form.parameters.flatMap((group) => group.items)) {
    const name = String(item.name);
    if (answers[name] !== undefined || item.default !== undefined || item.required !== true) continue;
    const answer = await context.terminal.ask(`${String(item.title ?? name)}: `, {
      secret: item.type === "password",
    });
    if (answer !== "") answers[name] = answer;
  }
  return answers;
}
