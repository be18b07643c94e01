import type { Client } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { all } from "../find.ts";
import { readPassword } from "../log-in.ts";
import { cliProblem } from "../problems.ts";
import { renderTable } from "../render-table.ts";

const PASSWORD_STDIN = [
  "--password-stdin",
  "read the password from standard input; else it is asked",
] as const;

export function declareUser(program: Command, context: CommandContext): void {
  const user = program.command("user").description("users of the enterprise");
  declareList(user, context);
  declareCreate(user, context);
  declarePassword(user, context);
  declareAccess(user, context, { verb: "disable", says: "shut a user out at once", disabled: true });
  declareAccess(user, context, { verb: "enable", says: "let a user in again", disabled: false });
}

function declareList(user: Command, context: CommandContext): void {
  const command = user
    .command("list")
    .description("all users")
    .action(async () => {
      const client = await context.client();
      const items = await all((page) => client.listUsers({ query: page }));
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            user: one.name,
            shown: one.displayName ?? "",
            enterprise: one.enterpriseAdministrator ? "administrator" : "",
            state: one.disabled ? "disabled" : "",
          })),
          "No users.",
        ),
      );
    });
  withExamples(command, "sampan user list");
}

interface CreateOptions {
  readonly displayName?: string;
  readonly administrator?: true;
  readonly passwordStdin?: true;
}

function declareCreate(user: Command, context: CommandContext): void {
  const command = user
    .command("create <name>")
    .description("make a user")
    .option("--display-name <text>", "name shown")
    .option("--administrator", "administrator of the enterprise")
    .option(...PASSWORD_STDIN)
    .action(async (userName: string, options: CreateOptions) => {
      const password = await readNewPassword(context, options);
      const body = {
        userName,
        password,
        enterpriseAdministrator: options.administrator === true,
        ...(options.displayName === undefined ? {} : { displayName: options.displayName }),
      };
      const made = await (await context.client()).createUser({ body });
      context.result(
        made,
        () => `Made user ${made.name}. Give a role: sampan team member ${made.name} developer`,
      );
    });
  withExamples(command, "sampan user create ada --display-name 'Ada Wang' --password-stdin < password.txt");
}

function declarePassword(user: Command, context: CommandContext): void {
  const command = user
    .command("password <name>")
    .description("give a user another password")
    .option(...PASSWORD_STDIN)
    .action(async (name: string, options: { passwordStdin?: true }) => {
      const client = await context.client();
      const { id } = await findUser(client, name);
      const password = await readNewPassword(context, options);
      const view = await client.updateUser({ params: { id }, body: { password } });
      context.result(view, () => `${name} has another password.`);
    });
  withExamples(command, "sampan user password ada --password-stdin < password.txt");
}

/** SAMPAN_PASSWORD is one's own, so it is not looked at. */
async function readNewPassword(
  context: CommandContext,
  options: { readonly passwordStdin?: true },
): Promise<string> {
  if (options.passwordStdin === true) return await readPassword(context, options);
  return await context.terminal.ask("New password: ", { secret: true });
}

function declareAccess(
  user: Command,
  context: CommandContext,
  { verb, says, disabled }: { readonly verb: string; readonly says: string; readonly disabled: boolean },
): void {
  const command = user
    .command(`${verb} <name>`)
    .description(says)
    .action(async (name: string) => {
      const client = await context.client();
      const { id } = await findUser(client, name);
      const view = await client.updateUser({ params: { id }, body: { disabled } });
      context.result(view, () => `${name} is ${verb}d.`);
    });
  withExamples(command, `sampan user ${verb} ada`);
}

async function findUser(client: Client, name: string) {
  const users = await all((page) => client.listUsers({ query: page }));
  const found = users.find((one) => one.name === name || one.id === name);
  if (found === undefined)
    throw cliProblem("CLI_ABSENT", `there is no user ${name}`, { hint: "sampan user list" });
  return found;
}
