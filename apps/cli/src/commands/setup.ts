import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { logIn, readPassword } from "../log-in.ts";
import { cliProblem } from "../problems.ts";

interface SetupOptions {
  readonly enterprise?: string;
  readonly user?: string;
  readonly passwordStdin?: true;
  readonly firstTeam: string;
}

export function declareSetup(program: Command, context: CommandContext): void {
  const command = program
    .command("setup")
    .description("make the first administrator, the enterprise and a first team, then log in")
    .option("--enterprise <name>", "name of the enterprise")
    .option("--user <name>", "name of the administrator")
    .option("--password-stdin", "read the password from standard input")
    .option("--first-team <name>", "name of the first team", "default")
    .action((options: SetupOptions) => setUp(context, options));
  withExamples(
    command,
    "sampan setup",
    "sampan setup --enterprise 'Acme Ltd' --user admin --password-stdin < password.txt",
  );
}

async function setUp(context: CommandContext, options: SetupOptions): Promise<void> {
  const client = await context.client();
  if (!(await client.getSetup()).needed)
    throw cliProblem("CLI_USAGE", "this server was set up before", { hint: "sampan login" });
  const enterprise = options.enterprise ?? (await context.terminal.ask("Enterprise: "));
  const userName =
    options.user ?? (await context.terminal.ask("Administrator [admin]: ", { default: "admin" }));
  const password = await readPassword(context, options);
  const body = { enterprise, userName, password, teamName: options.firstTeam };
  const made = await client.setup({ body });
  await logIn(context, { userName, password });
  const text = `${made.user.name} is the administrator of ${enterprise}; team ${made.team.name} is ready. You are logged in.`;
  context.result(made, () => text);
}
