import type { Client } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { all, findApp } from "../find.ts";
import { type Rollout, stepLines } from "../follow-rollout.ts";
import { renderTable } from "../render-table.ts";

type RecordView = Awaited<ReturnType<Client["getRecord"]>>;

export function declareRecord(program: Command, context: CommandContext): void {
  const record = program.command("record").description("records: what was done to apps, by whom, and why");
  declareList(record, context);
  declareShow(record, context);
}

function declareList(record: Command, context: CommandContext): void {
  const command = record
    .command("list [app]")
    .description("what was done, newest first; of one app or of all")
    .action(async (name: string | undefined) => {
      const client = await context.client();
      const app = name === undefined ? undefined : (await findApp(context, client, name)).id;
      const items = await all((page) =>
        client.listRecords({ query: { ...page, ...(app === undefined ? {} : { app }) } }),
      );
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            id: one.id,
            app: one.appName,
            what: one.kind,
            from: one.from?.version ?? "",
            to: one.to?.version ?? "",
            state: one.state,
            who: one.who,
            when: one.startedAt,
            note: one.note ?? "",
          })),
          "Nothing was done yet.",
        ),
      );
    });
  withExamples(command, "sampan record list shop");
}

function declareShow(record: Command, context: CommandContext): void {
  const command = record
    .command("show <id>")
    .description("one record: its plan, how each step went, whether it can be undone")
    .action(async (id: string) => {
      const client = await context.client();
      const view = await client.getRecord({ params: { id } });
      const rollout =
        view.rolloutId === undefined
          ? undefined
          : await client.getRollout({ params: { id: view.rolloutId } });
      context.result({ ...view, rollout }, () => renderRecord(view, rollout));
    });
  withExamples(command, "sampan record show 66f2a1b09c");
}

function renderRecord(view: RecordView, rollout: Rollout | undefined): string {
  const versions = view.to === undefined ? "" : `  ${view.from?.version ?? ""} → ${view.to.version}`;
  const until = view.endedAt === undefined ? "" : ` to ${view.endedAt}`;
  return [
    `${view.kind} ${view.appName}${versions}  ${view.state}`,
    `${view.who}, ${view.startedAt}${until}`,
    ...(view.note === undefined ? [] : [view.note]),
    ...(view.result === undefined ? [] : [view.result]),
    ...(rollout === undefined
      ? []
      : ["", rollout.plan.text.trimEnd(), "", ...stepLines(rollout).map(([, line]) => line)]),
    view.canRollBack
      ? `It can be undone: sampan rollback ${view.appName} --record ${view.id}`
      : `It cannot be undone: ${view.cannotRollBackBecause ?? ""}`,
  ].join("\n");
}
