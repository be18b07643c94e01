import type { Command } from "commander";
import { askParameters, parseAssignments, parseModules } from "../answers.ts";
import { showChange } from "../change-output.ts";
import type { CommandContext } from "../command-context.ts";
import { MODULE, NO_WAIT, NOTE, PARAM, withExamples } from "../command-options.ts";
import { findApp, findRelease, findTeam } from "../find.ts";

interface InstallOptions {
  readonly app?: string;
  readonly into?: string;
  readonly param: string[];
  readonly module: string[];
  readonly plan?: true;
  readonly note?: string;
  readonly wait: boolean;
}

export function declareInstall(program: Command, context: CommandContext): void {
  const command = program
    .command("install <release>")
    .description("install a release: TEMPLATE@VERSION, TEMPLATE (its newest) or a digest")
    .option("--app <name>", "name of the new app; else the template's")
    .option("--into <app>", "install into an app that exists")
    .option(...PARAM)
    .option(...MODULE)
    .option("--plan", "only show what would be done")
    .option(...NOTE)
    .option(...NO_WAIT)
    .action((text: string, options: InstallOptions) => install(context, text, options));
  withExamples(
    command,
    "sampan install shop",
    "sampan install shop@2.9 --app shop-test -p http_port=8081 -m search=off --plan",
  );
}

async function install(context: CommandContext, text: string, options: InstallOptions): Promise<void> {
  const client = await context.client();
  const team = await findTeam(context, client);
  const release = await findRelease(client, text);
  const form = await client.getInstallForm({ params: { digest: release.digest } });
  const parameters = await askParameters(context, form, parseAssignments(options.param));
  const into = options.into === undefined ? undefined : await findApp(context, client, options.into);
  const reply = await client.install({
    body: {
      release: release.digest,
      teamId: team.id,
      parameters,
      modules: parseModules(options.module),
      dryRun: options.plan === true,
      ...(options.app === undefined ? {} : { appName: options.app }),
      ...(into === undefined ? {} : { appId: into.id }),
      ...(options.note === undefined ? {} : { note: options.note }),
    },
  });
  await showChange(context, client, reply, { wait: options.wait });
}
