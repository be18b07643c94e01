import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { all, findApp } from "../find.ts";
import { followRollout } from "../follow-rollout.ts";
import { renderTable } from "../render-table.ts";

export function declareRollout(program: Command, context: CommandContext): void {
  const rollout = program.command("rollout").description("rollouts: attempts at plans");
  declareList(rollout, context);
  declareFollow(rollout, context);
  declareCancel(rollout, context);
}

function declareList(rollout: Command, context: CommandContext): void {
  const command = rollout
    .command("list <app>")
    .description("attempts at plans of an app, newest first")
    .action(async (name: string) => {
      const client = await context.client();
      const { id } = await findApp(context, client, name);
      const items = await all((page) => client.listRollouts({ params: { id }, query: page }));
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            id: one.id,
            generation: one.plan.generation,
            steps: one.plan.steps.length,
            state: one.state,
            when: one.startedAt,
            message: one.message ?? "",
          })),
          "Nothing was done yet.",
        ),
      );
    });
  withExamples(command, "sampan rollout list shop");
}

function declareFollow(rollout: Command, context: CommandContext): void {
  const command = rollout
    .command("follow <id>")
    .description("wait for a rollout and tell its steps")
    .action(async (id: string) => {
      const ended = await followRollout(context, await context.client(), id);
      context.result(ended, () => `The rollout ${ended.state}.`);
    });
  withExamples(command, "sampan rollout follow 66f2a1b09d");
}

function declareCancel(rollout: Command, context: CommandContext): void {
  const command = rollout
    .command("cancel <id>")
    .description("stop before the next step; what was done stays")
    .action(async (id: string) => {
      const view = await (await context.client()).cancelRollout({ params: { id } });
      context.result(view, () => `The rollout is ${view.state}.`);
    });
  withExamples(command, "sampan rollout cancel 66f2a1b09d");
}
