import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { parseAssignments, parseModules, secretFields } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, MODULE, PARAM, withChangeFlags, withExamples } from "../command-options.ts";
import { findInstallation, findRelease } from "../find.ts";
import { type ChangeFlags, planAndDo } from "../planned-change.ts";

interface UpgradeOptions extends ChangeFlags {
  readonly to?: string;
  readonly template?: string;
  readonly component: string[];
  readonly take: string[];
  readonly keep: string[];
  readonly edit: string[];
  readonly map: string[];
  readonly param: string[];
  readonly module: string[];
  /** True: all; false: none; a list of names. Absent: as the site's policy says. */
  readonly capture?: boolean | string;
  readonly restoreOnReturn?: true;
  readonly hold?: true;
}

type Body = Parameters<Client["upgrade"]>[0]["body"];

export function declareUpgrade(program: Command, context: CommandContext): void {
  const command = withChangeFlags(
    program
      .command("upgrade <app>")
      .description("upgrade what is installed in an app; shows every property first, then asks")
      .option("--to <version>", "version to go to; else the newest in the library")
      .option("--template <name>", "which installation, where an app has several")
      .option("-c, --component <name>", "only this component and what it needs; again for each", collect, [])
      .option("--take <path>", "take the new value of what would be kept; again for each", collect, [])
      .option("--keep <path>", "keep the site's value of what would change; again for each", collect, [])
      .option("--edit <path=value>", "give another value, as JSON or text; again for each", collect, [])
      .option(
        "--map <new=here>",
        "a component of the release takes up one here that it was rebuilt from; again for each",
        collect,
        [],
      )
      .option(...PARAM)
      .option(...MODULE)
      .option(
        "--capture [components]",
        "capture data first: of all, or of these (a,b); else as the policy says",
      )
      .option("--no-capture", "do not capture data first, whatever the policy says")
      .option("--restore-on-return", "when it fails and goes back, put the captured data back too")
      .option("--hold", "when it fails, leave it as it is instead of going back"),
  ).action((name: string, options: UpgradeOptions) => upgrade(context, name, options));
  withExamples(
    command,
    "sampan upgrade shop --plan",
    "sampan upgrade shop --to 3.0 --take components.orders.env.MAX_COPIES --note 'ticket 4711'",
    "sampan upgrade shop --to 3.1 --capture --restore-on-return --save upgrade.json",
  );
}

async function upgrade(context: CommandContext, name: string, options: UpgradeOptions): Promise<void> {
  const client = await context.client();
  const wish = { app: name, template: options.template };
  const { app, installation } = await findInstallation(context, client, wish);
  const { templateId, templateName } = installation;
  const target = options.to === undefined ? templateId : `${templateId}@${options.to}`;
  const release = await findRelease(client, target);
  const secrets =
    options.param.length === 0
      ? []
      : secretFields(await client.getInstallForm({ params: { digest: release.digest } }));
  await planAndDo(
    context,
    client,
    { verb: "upgrade", params: { id: installation.id }, body: bodyOf(release.digest, options) },
    {
      ...options,
      question: `Upgrade ${templateName} in ${app.name} from ${installation.version} to ${release.version}?`,
      decisions: { take: "--take" },
      secrets,
    },
  );
}

function bodyOf(release: Body["release"], options: UpgradeOptions): Body {
  const edits = Object.entries(parseAssignments(options.edit));
  const { capture } = options;
  return {
    release,
    decisions: {
      ...Object.fromEntries(options.take.map((path) => [path, "take"] as const)),
      ...Object.fromEntries(options.keep.map((path) => [path, "keep"] as const)),
      ...Object.fromEntries(edits.map(([path, value]) => [path, { edit: parseValue(value) }])),
    },
    parameters: parseAssignments(options.param),
    onFailure: options.hold === true ? "hold" : "return",
    restoreOnReturn: options.restoreOnReturn === true,
    ...(capture === undefined ? {} : { capture: captureOf(capture) }),
    ...(options.map.length === 0 ? {} : { mapping: parseAssignments(options.map) }),
    ...(options.module.length === 0 ? {} : { modules: parseModules(options.module) }),
    ...(options.component.length === 0 ? {} : { components: options.component }),
  };
}

function captureOf(capture: boolean | string): NonNullable<Body["capture"]> {
  if (typeof capture === "string") return capture.split(",").map((name) => name.trim());
  return capture ? "all" : "none";
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
