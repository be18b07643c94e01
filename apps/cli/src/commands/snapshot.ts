import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, NO_WAIT, NOTE, PLAN, withChangeFlags, withExamples } from "../command-options.ts";
import { all, findApp } from "../find.ts";
import { type ChangeFlags, planAndDo } from "../planned-change.ts";
import { cliProblem } from "../problems.ts";
import { renderTable } from "../render-table.ts";

type SnapshotView = Awaited<ReturnType<Client["getSnapshot"]>>;

export function declareSnapshot(program: Command, context: CommandContext): void {
  const snapshot = program
    .command("snapshot")
    .description("data snapshots: volumes captured before an upgrade or by hand, to be put back");
  declareTake(snapshot, context);
  declareList(snapshot, context);
  declareShow(snapshot, context);
  declareRestore(snapshot, context);
  declareRemove(snapshot, context);
}

interface TakeOptions extends ChangeFlags {
  readonly component: string[];
}

function declareTake(snapshot: Command, context: CommandContext): void {
  const command = snapshot
    .command("take <app>")
    .description("capture the data of an app; a component that cannot hold still meanwhile is stopped for it")
    .option("-c, --component <name>", "only of this component; again for each", collect, [])
    .option(...PLAN)
    .option(...NOTE)
    .option(...NO_WAIT)
    .action(async (name: string, options: TakeOptions) => {
      const client = await context.client();
      const app = await findApp(context, client, name);
      const body = options.component.length === 0 ? {} : { components: options.component };
      await planAndDo(
        context,
        client,
        { verb: "takeSnapshot", params: { id: app.id }, body },
        { ...options, isPlain: true, question: `Capture the data of ${app.name}?` },
      );
    });
  withExamples(
    command,
    "sampan snapshot take shop --note 'before the audit'",
    "sampan snapshot take shop -c mariadb --plan",
  );
}

function declareList(snapshot: Command, context: CommandContext): void {
  const command = snapshot
    .command("list [app]")
    .description("data snapshots, newest first; of one app or of all")
    .action(async (name: string | undefined) => {
      const client = await context.client();
      const app = name === undefined ? undefined : await appIdOf(context, client, name);
      const items = await all((page) =>
        client.listSnapshots({ query: { ...page, ...(app === undefined ? {} : { app }) } }),
      );
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            id: one.id,
            app: one.appName,
            for: one.reason,
            state: one.state,
            size: humanBytes(one.sizeBytes),
            who: one.who,
            when: one.startedAt,
            note: one.note ?? "",
          })),
          "No data was captured yet: sampan snapshot take APP, or sampan upgrade APP --capture",
        ),
      );
    });
  withExamples(command, "sampan snapshot list shop");
}

/** A snapshot outlives its app: what is no name of an app may be the id of one that is gone. */
async function appIdOf(context: CommandContext, client: Client, name: string): Promise<string> {
  return name.startsWith("app_") ? name : (await findApp(context, client, name)).id;
}

function declareShow(snapshot: Command, context: CommandContext): void {
  const command = snapshot
    .command("show <id>")
    .description("one data snapshot: of what, for what, how large")
    .action(async (id: string) => {
      const view = await (await context.client()).getSnapshot({ params: { id } });
      context.result(view, () => renderSnapshot(view));
    });
  withExamples(command, "sampan snapshot show snp_4f1c");
}

function renderSnapshot(view: SnapshotView): string {
  const { id, appName, state, message, reason, who, startedAt, endedAt, note, volumes } = view;
  return [
    `${id}  ${appName}  ${state}  ${humanBytes(view.sizeBytes)}`,
    `${reason}, by ${who}, ${startedAt}${endedAt === undefined ? "" : ` to ${endedAt}`}`,
    ...(note === undefined ? [] : [note]),
    ...(message === undefined ? [] : [message]),
    ...volumes.map(
      ({ component, volume, sizeBytes }) => `  ${component} ${volume}  ${humanBytes(sizeBytes)}`,
    ),
    ...(state === "complete" ? [`To put it back: sampan snapshot restore ${id} --plan`] : []),
  ].join("\n");
}

interface RestoreOptions extends ChangeFlags {
  readonly component: string[];
  readonly volume: string[];
  readonly captureFirst: boolean;
}

function declareRestore(snapshot: Command, context: CommandContext): void {
  const command = withChangeFlags(
    snapshot
      .command("restore <id>")
      .description("put data back into the app that it came from; what is there is captured first")
      .option("-c, --component <name>", "only of this component; again for each", collect, [])
      .option("--volume <component/volume>", "only this volume; again for each", collect, [])
      .option("--no-capture-first", "do not capture the data that is there before it is replaced"),
  ).action(async (id: string, options: RestoreOptions) => {
    const client = await context.client();
    const { appName, startedAt } = await client.getSnapshot({ params: { id } });
    const body = {
      captureFirst: options.captureFirst,
      ...(options.component.length === 0 ? {} : { components: options.component }),
      ...(options.volume.length === 0 ? {} : { volumes: options.volume.map(parseVolume) }),
    };
    await planAndDo(
      context,
      client,
      { verb: "restoreSnapshot", params: { id }, body },
      { ...options, question: `Replace data of ${appName} by that of ${startedAt}?` },
    );
  });
  withExamples(
    command,
    "sampan snapshot restore snp_4f1c --plan",
    "sampan snapshot restore snp_4f1c --volume mariadb/data --note 'orders of Monday were lost'",
  );
}

function parseVolume(text: string): { readonly component: string; readonly volume: string } {
  const [component = "", volume = "", more] = text.split("/");
  if (component === "" || volume === "" || more !== undefined)
    throw cliProblem("CLI_USAGE", `${text} is not COMPONENT/VOLUME`, { hint: "sampan snapshot show ID" });
  return { component, volume };
}

function declareRemove(snapshot: Command, context: CommandContext): void {
  const command = snapshot
    .command("remove <id>")
    .description("remove a data snapshot; pruning the hold frees its room")
    .action(async (id: string) => {
      const client = await context.client();
      const { appName, startedAt, sizeBytes } = await client.getSnapshot({ params: { id } });
      await context.confirm(
        `Remove the data of ${appName} as of ${startedAt} (${humanBytes(sizeBytes)})? It cannot be put back then.`,
      );
      await client.removeSnapshot({ params: { id } });
      context.result({ removed: id }, () => `Removed ${id}. To free its room: sampan hold prune`);
    });
  withExamples(command, "sampan snapshot remove snp_4f1c --yes");
}
