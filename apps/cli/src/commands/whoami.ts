import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";

export function declareWhoami(program: Command, context: CommandContext): void {
  const command = program
    .command("whoami")
    .description("who you are, and your teams")
    .action(async () => {
      const me = await (await context.client()).getMe();
      const administrator = me.user.enterpriseAdministrator ? ", administrator of the enterprise" : "";
      context.result(me, () =>
        [
          `${me.user.name}${administrator} (${me.enterprise.name})`,
          ...me.teams.map(({ team, role }) => `  ${team.name}: ${role}`),
        ].join("\n"),
      );
    });
  withExamples(command, "sampan whoami");
}
