import type { Client } from "@sampan/api";
import { appProblem, parseApp } from "@sampan/template";
import type { Command } from "commander";
import { parseAssignments, parseModules } from "./answers.ts";
import { type ChangeReply, showChange } from "./change-output.ts";
import type { CommandContext } from "./command-context.ts";
import { MODULE, NOTE, PARAM } from "./command-options.ts";
import { all, findTeam } from "./find.ts";
import { readLocalText } from "./local-file.ts";

/** What `apply` and `plan` have in common: an app from its text. */

const TEXT_BYTES_MAX = 4 * 1024 * 1024;

export interface AppTextOptions {
  readonly file: string;
  readonly name?: string;
  readonly param: string[];
  readonly module: string[];
  readonly note?: string;
  readonly wait?: boolean;
}

export const APP_TEXT = ["-f, --file <path>", "app.yaml; - for standard input"] as const;

export function withAppTextOptions(command: Command): Command {
  return command
    .option("--name <name>", "the app's name; else the one in the text")
    .option(...PARAM)
    .option(...MODULE)
    .option(...NOTE);
}

/** Creates the app, or changes the one of that name in the team. All faults of the text are found before the server is asked. */
export async function changeByText(
  context: CommandContext,
  options: AppTextOptions,
  { dryRun }: { readonly dryRun: boolean },
): Promise<void> {
  const text = await readText(context, options.file);
  const { value: app, faults } = parseApp(text);
  if (app === undefined) throw appProblem(options.file === "-" ? "standard input" : options.file, faults);
  const client = await context.client();
  const reply = await send(context, client, { text, name: options.name ?? app.name, options, dryRun });
  await showChange(context, client, reply, { wait: options.wait ?? true });
}

async function send(
  context: CommandContext,
  client: Client,
  wish: {
    readonly text: string;
    readonly name: string;
    readonly options: AppTextOptions;
    readonly dryRun: boolean;
  },
): Promise<ChangeReply> {
  const { text, name, options, dryRun } = wish;
  const team = await findTeam(context, client);
  const body = {
    text,
    parameters: parseAssignments(options.param),
    dryRun,
    ...(options.module.length === 0 ? {} : { modules: parseModules(options.module) }),
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  const apps = await all((page) => client.listApps({ query: { ...page, team: team.name, name } }));
  const existing = apps.find((one) => one.name === name);
  return existing === undefined
    ? await client.createApp({ body: { ...body, teamId: team.id, name } })
    : await client.updateApp({ params: { id: existing.id }, body });
}

async function readText(context: CommandContext, path: string): Promise<string> {
  const limits = { sizeBytesMax: TEXT_BYTES_MAX };
  return path === "-" ? await context.terminal.readStdin(limits) : await readLocalText(path, limits);
}
