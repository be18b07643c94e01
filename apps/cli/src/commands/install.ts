import type { Command } from "commander";
import { askAnswers, parseAssignments, parseModules, secretFields } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { MODULE, PARAM, withChangeFlags, withExamples } from "../command-options.ts";
import { findApp, findRelease, findTeam } from "../find.ts";
import { type ChangeFlags, planAndDo } from "../planned-change.ts";

interface InstallOptions extends ChangeFlags {
  readonly app?: string;
  readonly into?: string;
  readonly param: string[];
  readonly module: string[];
}

export function declareInstall(program: Command, context: CommandContext): void {
  const command = withChangeFlags(
    program
      .command("install <release>")
      .description("install a release: TEMPLATE@VERSION, TEMPLATE (its newest) or a digest")
      .option("--app <name>", "name of the new app; else the template's")
      .option("--into <app>", "install into an app that exists")
      .option(...PARAM)
      .option(...MODULE),
  ).action((text: string, options: InstallOptions) => install(context, text, options));
  withExamples(
    command,
    "sampan install shop --note 'first delivery'",
    "sampan install shop@2.9 --app shop-test -p http_port=8081 -m search=off --plan",
  );
}

async function install(context: CommandContext, text: string, options: InstallOptions): Promise<void> {
  const client = await context.client();
  const team = await findTeam(context, client);
  const { digest } = await findRelease(client, text);
  const form = await client.getInstallForm({ params: { digest } });
  const into = options.into === undefined ? undefined : await findApp(context, client, options.into);
  const given = { parameters: parseAssignments(options.param), modules: parseModules(options.module) };
  const answers = await askAnswers(context, client, { digest, form, ...given });
  const body = {
    release: digest,
    teamId: team.id,
    ...answers,
    ...(options.app === undefined ? {} : { appName: options.app }),
    ...(into === undefined ? {} : { appId: into.id }),
  };
  await planAndDo(context, client, { verb: "install", body }, { ...options, secrets: secretFields(form) });
}
