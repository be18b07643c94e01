import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { confirmChange } from "../change-output.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, NO_WAIT, NOTE, withExamples } from "../command-options.ts";
import { type AppBrief, all, findApp } from "../find.ts";
import { cliProblem } from "../problems.ts";

interface RollbackOptions {
  readonly record?: string;
  readonly removeAdded?: true;
  readonly keepEdit: string[];
  readonly plan?: true;
  readonly note?: string;
  readonly wait: boolean;
}

type RecordView = Awaited<ReturnType<Client["getRecord"]>>;

export function declareRollback(program: Command, context: CommandContext): void {
  const command = program
    .command("rollback <app>")
    .description("go back to what was before the last upgrade, or before a record; data stays")
    .option("--record <id>", "the record to undo; else the last upgrade or rollback")
    .option("--remove-added", "remove components that the upgrade added")
    .option("--keep-edit <path>", "keep an edit that was made since; again for each", collect, [])
    .option("--plan", "only show what would return and what would not")
    .option(...NOTE)
    .option(...NO_WAIT)
    .action((name: string, options: RollbackOptions) => rollBack(context, name, options));
  withExamples(
    command,
    "sampan rollback shop --plan",
    "sampan rollback shop --record rec_1b2c --keep-edit components.web.replicas",
  );
}

async function rollBack(context: CommandContext, name: string, options: RollbackOptions): Promise<void> {
  const client = await context.client();
  const app = await findApp(context, client, name);
  const record =
    options.record === undefined
      ? await lastRecord(client, app)
      : await client.getRecord({ params: { id: options.record } });
  const body = {
    removeAdded: options.removeAdded === true,
    keepEdits: options.keepEdit,
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  await confirmChange(context, client, {
    question: `Undo the ${describe(record)} of ${app.name}?`,
    planOnly: options.plan === true,
    wait: options.wait,
    flags: { keepEdit: "--keep-edit" },
    ask: (how) => client.rollback({ params: { id: record.id }, body: { ...body, ...how } }),
  });
}

async function lastRecord(client: Client, app: AppBrief): Promise<RecordView> {
  const records = await all((page) => client.listRecords({ query: { ...page, app: app.id } }));
  const last = records.find(
    ({ canRollBack, kind }) => canRollBack && (kind === "upgrade" || kind === "rollback"),
  );
  if (last !== undefined) return last;
  throw cliProblem("CLI_ABSENT", `${app.name} has no upgrade to go back from`, {
    hint: `sampan record list ${app.name} shows what was done; --record undoes another`,
  });
}

function describe({ kind, from, to }: RecordView): string {
  return from === undefined || to === undefined ? kind : `${kind} from ${from.version} to ${to.version}`;
}
