import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { logIn, readPassword } from "../log-in.ts";

interface LoginOptions {
  readonly user?: string;
  readonly passwordStdin?: true;
}

export function declareLogin(program: Command, context: CommandContext): void {
  const command = program
    .command("login")
    .description("log in and remember it in your configuration folder")
    .option("--user <name>", "user name")
    .option("--password-stdin", "read the password from standard input; SAMPAN_PASSWORD works too")
    .action(async (options: LoginOptions) => {
      const userName = options.user ?? (await context.terminal.ask("User: "));
      const password = await readPassword(context, options);
      const session = await logIn(context, { userName, password });
      context.result(
        { userName, session },
        () => `Logged in as ${userName}. The token is kept in ${session}.`,
      );
    });
  withExamples(
    command,
    "sampan login --user admin",
    "sampan login --server http://10.0.0.5:7070 --user admin",
  );
}

export function declareLogout(program: Command, context: CommandContext): void {
  const command = program
    .command("logout")
    .description("revoke the token of this computer's login, and forget it")
    .action(async () => {
      const { token, ...rest } = await context.session();
      // A token that is worthless already, or a server that is gone, is no reason to stay logged in.
      if (token !== undefined) await (await context.client()).logout().catch(() => undefined);
      await context.saveSession(rest);
      context.result({ loggedOut: true }, () => "Logged out.");
    });
  withExamples(command, "sampan logout");
}
