import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { followJob } from "../follow-job.ts";

export function declareHold(program: Command, context: CommandContext): void {
  const hold = program.command("hold").description("the content store: prune, check");
  declarePrune(hold, context);
  declareCheck(hold, context);
}

function declarePrune(hold: Command, context: CommandContext): void {
  const command = hold
    .command("prune")
    .description("free what nothing needs any more; shows the plan and asks first")
    .option("--plan", "only show the plan")
    .action(async (options: { plan?: true }) => {
      const client = await context.client();
      const plan = await client.planPrune();
      if (options.plan === true || plan.freesBytes === 0) return context.result(plan, () => plan.text);
      context.remark(plan.text);
      await context.confirm(`Free ${humanBytes(plan.freesBytes)}?`);
      const { result } = await followJob(context, client, (await client.prune()).jobId);
      context.result(result, () => `Freed ${humanBytes(Number(result?.freedBytes ?? 0))}.`);
    });
  withExamples(command, "sampan hold prune --plan", "sampan hold prune --yes");
}

function declareCheck(hold: Command, context: CommandContext): void {
  const command = hold
    .command("check")
    .description("re-read everything and name what is damaged")
    .action(async () => {
      const client = await context.client();
      const { result } = await followJob(context, client, (await client.checkHold()).jobId);
      context.result(result, () => String(result?.text ?? ""));
    });
  withExamples(command, "sampan hold check");
}
