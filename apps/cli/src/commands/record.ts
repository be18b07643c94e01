import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { renderPropertyChanges } from "../change-output.ts";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { all, findApp } from "../find.ts";
import { MARK, tookOf } from "../follow-rollout.ts";
import { renderTable } from "../render-table.ts";
import { oneLine } from "../text-width.ts";
import { declareRecordReport } from "./report.ts";

type RecordView = Awaited<ReturnType<Client["getRecord"]>>;

export function declareRecord(program: Command, context: CommandContext): void {
  const record = program.command("record").description("records: what was done to apps, by whom, and why");
  declareList(record, context);
  declareShow(record, context);
  declareDiff(record, context);
  declareRecordReport(record, context);
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
    .description(
      "one record: its plan, what was decided and checked, how each step went, whether it can be undone",
    )
    .action(async (id: string) => {
      const client = await context.client();
      const view = await client.getRecord({ params: { id } });
      context.result(view, () => renderRecord(view));
    });
  withExamples(command, "sampan record show 66f2a1b09c");
}

function renderRecord(view: RecordView): string {
  const versions = view.to === undefined ? "" : `  ${view.from?.version ?? ""} → ${view.to.version}`;
  const until = view.endedAt === undefined ? "" : ` to ${view.endedAt}`;
  const failed = view.preflight.filter(({ state }) => state !== "pass");
  return [
    `${view.kind} ${view.appName}${versions}  ${view.state}`,
    `${view.who}, ${view.startedAt}${until}`,
    ...(view.note === undefined ? [] : [view.note]),
    ...(view.result === undefined ? [] : [view.result]),
    ...Object.entries(view.decisions).map(([path, choice]) => `decided: ${choice} ${path}`),
    ...failed.map(({ state, title, found }) => `preflight ${state}: ${title}: ${found}`),
    ...(view.steps.length === 0 ? [] : ["", ...view.steps.map(stepLine)]),
    ...view.checks.map(
      ({ state, name, message }) =>
        `${state === "passed" ? "✓" : state === "failed" ? "✗" : " "} acceptance: ${name}${message === undefined ? "" : `  ${message}`}`,
    ),
    "",
    view.canRollBack
      ? `It can be undone: sampan rollback ${view.appName} --record ${view.id}`
      : `It cannot be undone: ${view.cannotRollBackBecause ?? ""}`,
    ...(view.dataSnapshotId === undefined
      ? []
      : [
          `Data was captured: sampan snapshot show ${view.dataSnapshotId}; rollback --restore-data puts it back`,
        ]),
    ...(view.reportAvailable
      ? [`Acceptance report: sampan record report ${view.id} --html report.html`]
      : []),
  ].join("\n");
}

function stepLine(step: RecordView["steps"][number]): string {
  const at = step.startedAt === undefined ? "" : `${step.startedAt}  `;
  const error = step.error === undefined ? "" : `  ${oneLine(step.error)}`;
  return `${at}${MARK[step.state]} ${step.text}: ${step.why}${tookOf(step)}${error}`;
}

function declareDiff(record: Command, context: CommandContext): void {
  const command = record
    .command("diff <record> <other>")
    .description("what differs between an app after one record and after another")
    .action(async (id: string, other: string) => {
      const reply = await (await context.client()).diffRecords({ params: { id, other } });
      context.result(reply, () =>
        reply.changes.length === 0 ? "They are the same." : renderPropertyChanges(reply.changes),
      );
    });
  withExamples(command, "sampan record diff rec_1b2c rec_9f3e");
}
