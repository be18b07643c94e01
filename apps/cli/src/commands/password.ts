import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";

export function declarePassword(program: Command, context: CommandContext): void {
  const command = program
    .command("password")
    .description("change your own password; both are asked")
    .action(async () => {
      const client = await context.client();
      const current = await context.terminal.ask("Current password: ", { secret: true });
      const next = await context.terminal.ask("New password: ", { secret: true });
      await client.changePassword({ body: { current, next } });
      context.result({ changed: true }, () => "Your password is changed.");
    });
  withExamples(command, "sampan password");
}
