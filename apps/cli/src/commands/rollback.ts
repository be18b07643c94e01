import type { Client } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { collect, IGNORE_PREFLIGHT, NO_WAIT, NOTE, SAVE, withExamples } from "../command-options.ts";
import { type AppBrief, all, findApp } from "../find.ts";
import { type ChangeFlags, planAndDo } from "../planned-change.ts";
import { cliProblem } from "../problems.ts";

interface RollbackOptions extends ChangeFlags {
  readonly record?: string;
  readonly removeAdded?: true;
  readonly keepEdit: string[];
  readonly restoreData?: true;
  readonly snapshot?: string;
  readonly captureFirst: boolean;
}

type RecordBrief = Awaited<ReturnType<Client["listRecords"]>>["items"][number];

export function declareRollback(program: Command, context: CommandContext): void {
  const command = program
    .command("rollback <app>")
    .description("go back to what was before the last upgrade, or before a record; data stays unless chosen")
    .option("--record <id>", "the record to undo; else the last upgrade or rollback")
    .option("--remove-added", "remove components that the upgrade added")
    .option("--keep-edit <path>", "keep an edit that was made since; again for each", collect, [])
    .option("--restore-data", "put the data back too, as it was captured before the upgrade")
    .option("--snapshot <id>", "put the data back as another snapshot has it")
    .option("--no-capture-first", "do not capture the data that is there before it is replaced")
    .option("--plan", "only show what would return and what would not")
    .option(...SAVE)
    .option(...IGNORE_PREFLIGHT)
    .option(...NOTE)
    .option(...NO_WAIT)
    .action((name: string, options: RollbackOptions) => rollBack(context, name, options));
  withExamples(
    command,
    "sampan rollback shop --plan",
    "sampan rollback shop --restore-data --note 'prices were wrong'",
    "sampan rollback shop --record rec_1b2c --keep-edit components.web.replicas",
  );
}

async function rollBack(context: CommandContext, name: string, options: RollbackOptions): Promise<void> {
  const client = await context.client();
  const app = await findApp(context, client, name);
  const record: RecordBrief =
    options.record === undefined
      ? await lastRecord(client, app)
      : await client.getRecord({ params: { id: options.record } });
  const body = {
    removeAdded: options.removeAdded === true,
    keepEdits: options.keepEdit,
    restoreData: options.restoreData === true || options.snapshot !== undefined,
    captureFirst: options.captureFirst,
    ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
  };
  await planAndDo(
    context,
    client,
    { verb: "rollback", params: { id: record.id }, body },
    {
      ...options,
      question: `Undo the ${describe(record)} of ${app.name}?`,
      decisions: { keepEdit: "--keep-edit" },
    },
  );
}

async function lastRecord(client: Client, app: AppBrief): Promise<RecordBrief> {
  const records = await all((page) => client.listRecords({ query: { ...page, app: app.id } }));
  const last = records.find(
    ({ canRollBack, kind }) => canRollBack && (kind === "upgrade" || kind === "rollback"),
  );
  if (last !== undefined) return last;
  throw cliProblem("CLI_ABSENT", `${app.name} has no upgrade to go back from`, {
    hint: `sampan record list ${app.name} shows what was done; --record undoes another`,
  });
}

function describe({ kind, from, to }: RecordBrief): string {
  return from === undefined || to === undefined ? kind : `${kind} from ${from.version} to ${to.version}`;
}
