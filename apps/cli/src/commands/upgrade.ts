import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { parseAssignments, parseModules } from "../answers.ts";
import { confirmChange } from "../change-output.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, MODULE, NO_WAIT, NOTE, PARAM, withExamples } from "../command-options.ts";
import { findInstallation, findRelease } from "../find.ts";

interface UpgradeOptions {
  readonly to?: string;
  readonly template?: string;
  readonly component: string[];
  readonly take: string[];
  readonly keep: string[];
  readonly edit: string[];
  readonly param: string[];
  readonly module: string[];
  readonly plan?: true;
  readonly hold?: true;
  readonly note?: string;
  readonly wait: boolean;
}

type Body = Parameters<Client["upgrade"]>[0]["body"];

export function declareUpgrade(program: Command, context: CommandContext): void {
  const command = program
    .command("upgrade <app>")
    .description("upgrade what is installed in an app; shows every property first, then asks")
    .option("--to <version>", "version to go to; else the newest in the library")
    .option("--template <name>", "which installation, where an app has several")
    .option("-c, --component <name>", "only this component and what it needs; again for each", collect, [])
    .option("--take <path>", "take the new value of what would be kept; again for each", collect, [])
    .option("--keep <path>", "keep the site's value of what would change; again for each", collect, [])
    .option("--edit <path=value>", "give another value, as JSON or text; again for each", collect, [])
    .option(...PARAM)
    .option(...MODULE)
    .option("--plan", "only show what would be done")
    .option("--hold", "when it fails, leave it as it is instead of going back")
    .option(...NOTE)
    .option(...NO_WAIT)
    .action((name: string, options: UpgradeOptions) => upgrade(context, name, options));
  withExamples(
    command,
    "sampan upgrade shop --plan",
    "sampan upgrade shop --to 3.0 --take components.orders.env.MAX_COPIES --note 'ticket 4711'",
  );
}

async function upgrade(context: CommandContext, name: string, options: UpgradeOptions): Promise<void> {
  const client = await context.client();
  const wish = { app: name, template: options.template };
  const { app, installation } = await findInstallation(context, client, wish);
  const { templateId, templateName } = installation;
  const target = options.to === undefined ? templateId : `${templateId}@${options.to}`;
  const release = await findRelease(client, target);
  const body = bodyOf(release.digest, options);
  await confirmChange(context, client, {
    question: `Upgrade ${templateName} in ${app.name} from ${installation.version} to ${release.version}?`,
    planOnly: options.plan === true,
    wait: options.wait,
    flags: { take: "--take" },
    ask: (how) => client.upgrade({ params: { id: installation.id }, body: { ...body, ...how } }),
  });
}

function bodyOf(release: Body["release"], options: UpgradeOptions): Body {
  const edits = Object.entries(parseAssignments(options.edit));
  return {
    release,
    decisions: {
      ...Object.fromEntries(options.take.map((path) => [path, "take"] as const)),
      ...Object.fromEntries(options.keep.map((path) => [path, "keep"] as const)),
      ...Object.fromEntries(edits.map(([path, value]) => [path, { edit: parseValue(value) }])),
    },
    parameters: parseAssignments(options.param),
    onFailure: options.hold === true ? "hold" : "return",
    ...(options.module.length === 0 ? {} : { modules: parseModules(options.module) }),
    ...(options.component.length === 0 ? {} : { components: options.component }),
    ...(options.note === undefined ? {} : { note: options.note }),
  };
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
