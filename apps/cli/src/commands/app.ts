import { isProblem } from "@sampan/problem";
import type { Command } from "commander";
import { showChange } from "../change-output.ts";
import type { CommandContext } from "../command-context.ts";
import { NO_WAIT, NOTE, withExamples } from "../command-options.ts";
import { type AppBrief, all, findApp } from "../find.ts";
import { followRollout } from "../follow-rollout.ts";
import { renderTable } from "../render-table.ts";
import { declareAppModules } from "./app-modules.ts";
import { declareAppShow } from "./observe.ts";
import { declareRecover } from "./recover.ts";

export function declareApp(program: Command, context: CommandContext): void {
  const app = program
    .command("app")
    .description("apps: list, show, text, start, stop, modules, remove, recover");
  declareList(app, context);
  declareAppShow(app, context);
  declareText(app, context);
  declareRunning(app, context, { verb: "start", says: "start all components of an app", running: true });
  declareRunning(app, context, { verb: "stop", says: "stop all components; data stays", running: false });
  declareAppModules(app, context);
  declareRemove(app, context);
  declareRecover(app, context);
}

function declareList(app: Command, context: CommandContext): void {
  const command = app
    .command("list")
    .description("the apps of your teams, or of --team")
    .action(async () => {
      const client = await context.client();
      const team = context.teamName();
      const items = await all((page) =>
        client.listApps({ query: { ...page, ...(team === undefined ? {} : { team }) } }),
      );
      context.result({ items }, () =>
        renderTable(
          items.map(rowOf),
          "No apps yet. Begin with `sampan apply -f app.yaml`, or `sampan import FILE` and `sampan install TEMPLATE`.",
        ),
      );
    });
  withExamples(command, "sampan app list", "sampan app list --team sales --json");
}

function rowOf(app: AppBrief) {
  const installed = app.installations.map(({ templateName, version, available }) => {
    const newer = available === undefined ? "" : ` → ${available.version}`;
    return `${templateName} ${version}${newer}`;
  });
  return {
    app: app.name,
    team: app.teamName,
    health: app.health,
    components: app.components,
    installed: installed.join(", "),
  };
}

function declareText(app: Command, context: CommandContext): void {
  const command = app
    .command("text <app>")
    .description("the app as app.yaml, secrets masked")
    .action(async (name: string) => {
      const client = await context.client();
      const { id } = await findApp(context, client, name);
      const reply = await client.getAppText({ params: { id } });
      context.result(reply, () => reply.text.trimEnd());
    });
  withExamples(command, "sampan app text shop > app.yaml");
}

function declareRunning(
  app: Command,
  context: CommandContext,
  { verb, says, running }: { readonly verb: string; readonly says: string; readonly running: boolean },
): void {
  const command = app
    .command(`${verb} <app>`)
    .description(says)
    .option(...NOTE)
    .option(...NO_WAIT)
    .action(async (name: string, options: { note?: string; wait: boolean }) => {
      const client = await context.client();
      const { id } = await findApp(context, client, name);
      const note = options.note === undefined ? {} : { note: options.note };
      const reply = await client.setRunning({ params: { id }, body: { running, ...note } });
      await showChange(context, client, reply, { wait: options.wait });
    });
  withExamples(command, `sampan app ${verb} shop --note 'maintenance on Sunday'`);
}

function declareRemove(app: Command, context: CommandContext): void {
  const command = app
    .command("remove <app>")
    .description("stop and forget an app; its volumes stay in the engine")
    .action(async (name: string) => {
      const client = await context.client();
      const found = await findApp(context, client, name);
      await context.confirm(`Remove ${found.teamName}/${found.name}? Its volumes stay.`);
      const reply = await client.removeApp({ params: { id: found.id } });
      if (reply.rolloutId !== undefined)
        await followRollout(context, client, reply.rolloutId).catch(ignoreGone);
      context.result(reply, () => `Removed ${found.name}.`);
    });
  withExamples(command, "sampan app remove shop-test --yes");
}

/** The rollout of a removal goes away with its app. */
function ignoreGone(error: unknown): void {
  if (!isProblem(error) || error.kind.status !== 404) throw error;
}
