import type { Command } from "commander";
import { parseAssignments } from "../answers.ts";
import { APP_TEXT, type AppTextOptions, changeByText, withAppTextOptions } from "../app-text.ts";
import type { CommandContext } from "../command-context.ts";
import { NO_WAIT, withExamples } from "../command-options.ts";
import { cliProblem } from "../problems.ts";
import { applySavedPlan } from "../saved-plan.ts";

type ApplyOptions = Omit<AppTextOptions, "file" | "wait"> & {
  readonly file?: string;
  readonly wait: boolean;
};

export function declareApply(program: Command, context: CommandContext): void {
  const command = withAppTextOptions(program.command("apply [plan]").option(...APP_TEXT))
    .description(
      "make an app what its app.yaml says; or do a plan that was kept with --save, if nothing has moved",
    )
    .option(...NO_WAIT)
    .action((plan: string | undefined, options: ApplyOptions) => apply(context, plan, options));
  withExamples(
    command,
    "sampan apply -f app.yaml",
    "sampan apply -f app.yaml --name shop-test -p http_port=8081 -m search=off",
    "sampan apply upgrade.json",
  );
}

async function apply(
  context: CommandContext,
  plan: string | undefined,
  options: ApplyOptions,
): Promise<void> {
  const { file, note, wait } = options;
  if ((plan === undefined) === (file === undefined))
    throw cliProblem("CLI_USAGE", "name one thing to apply", {
      hint: "an app.yaml: sampan apply -f app.yaml; a plan that was kept: sampan apply plan.json",
    });
  if (file !== undefined) return await changeByText(context, { ...options, file }, { dryRun: false });
  if (options.name !== undefined || options.module.length > 0)
    throw cliProblem("CLI_USAGE", "a plan that was kept takes no --name and no --module", {
      hint: "make another plan",
    });
  await applySavedPlan(context, plan ?? "", {
    wait,
    answers: parseAssignments(options.param),
    ...(note === undefined ? {} : { note }),
  });
}
