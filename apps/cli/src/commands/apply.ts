import type { Command } from "commander";
import { type AppTextOptions, changeByText, withAppTextOptions } from "../app-text.ts";
import type { CommandContext } from "../command-context.ts";
import { NO_WAIT, withExamples } from "../command-options.ts";

export function declareApply(program: Command, context: CommandContext): void {
  const command = withAppTextOptions(program.command("apply"))
    .description("make an app what its app.yaml says: create it, or change it")
    .option(...NO_WAIT)
    .action((options: AppTextOptions) => changeByText(context, options, { dryRun: false }));
  withExamples(
    command,
    "sampan apply -f app.yaml",
    "sampan apply -f app.yaml --name shop-test -p http_port=8081 -m search=off",
  );
}
