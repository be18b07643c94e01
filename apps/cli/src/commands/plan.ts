import type { Command } from "commander";
import { APP_TEXT, type AppTextOptions, changeByText, withAppTextOptions } from "../app-text.ts";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";

export function declarePlan(program: Command, context: CommandContext): void {
  const command = withAppTextOptions(program.command("plan").requiredOption(...APP_TEXT))
    .description("show what applying an app.yaml would do; nothing is done")
    .action((options: AppTextOptions) => changeByText(context, options, { dryRun: true }));
  withExamples(command, "sampan plan -f app.yaml");
}
