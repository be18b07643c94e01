import { Command, type Option } from "commander";
import type { CommandContext, GlobalOptions } from "./command-context.ts";
import { declareApp } from "./commands/app.ts";
import { declareApply } from "./commands/apply.ts";
import { declareBackup } from "./commands/backup.ts";
import { declareBundle } from "./commands/bundle.ts";
import { declareCompletion } from "./commands/completion.ts";
import { declareComponent } from "./commands/component.ts";
import { declareExport } from "./commands/export.ts";
import { declareHold } from "./commands/hold.ts";
import { declareImport } from "./commands/import.ts";
import { declareInstall } from "./commands/install.ts";
import { declareInstallation } from "./commands/installation.ts";
import { declareJob } from "./commands/job.ts";
import { declareKey } from "./commands/key.ts";
import { declareLedger } from "./commands/ledger.ts";
import { declareLogin, declareLogout } from "./commands/login.ts";
import { declareObserve } from "./commands/observe.ts";
import { declarePassword } from "./commands/password.ts";
import { declarePlan } from "./commands/plan.ts";
import { declarePublish } from "./commands/publish.ts";
import { declareRecord } from "./commands/record.ts";
import { declareRelease } from "./commands/release.ts";
import { declareReport } from "./commands/report.ts";
import { declareRollback } from "./commands/rollback.ts";
import { declareRollout } from "./commands/rollout.ts";
import { declareSetup } from "./commands/setup.ts";
import { declareSite } from "./commands/site.ts";
import { declareSnapshot } from "./commands/snapshot.ts";
import { declareTeam } from "./commands/team.ts";
import { declareTemplate } from "./commands/template.ts";
import { declareToken } from "./commands/token.ts";
import { declareUpgrade } from "./commands/upgrade.ts";
import { declareUser } from "./commands/user.ts";
import { declareWhoami } from "./commands/whoami.ts";
import { CLI_VERSION } from "./version.ts";

export const STORY = `Begin at a vendor:            sampan setup
  run an app                  sampan apply -f app.yaml
  publish what runs           sampan publish shop --as 2.9
  carry it                    sampan export shop@2.9 -o shop-2.9.sampan
At a site, with no network:   sampan setup
  take it in                  sampan import shop-2.9.sampan
  run it                      sampan install shop
  see and do an upgrade       sampan upgrade shop --plan; sampan upgrade shop
  go back                     sampan rollback shop`;

const AFTER_HELP = `
${STORY}

Environment: SAMPAN_SERVER, SAMPAN_TOKEN, SAMPAN_TEAM, SAMPAN_PASSWORD, SAMPAN_CONFIG
Exit codes:  0 done, 1 failed, 2 usage, 3 refused, 4 not there, 5 conflict, 6 damaged, 7 something outside, 130 interrupted`;

type Declare = (program: Command, context: CommandContext) => void;

/** Every command, under the heading that help gives it. */
const DECLARATIONS: readonly (readonly [string, readonly Declare[]])[] = [
  ["Begin", [declareSetup, declareLogin, declareLogout, declareWhoami, declarePassword]],
  ["Run an app", [declarePlan, declareApply, declareObserve, declareApp, declareComponent]],
  [
    "Publish and carry",
    [declarePublish, declareExport, declareImport, declareBundle, declareLedger, declareKey],
  ],
  ["Install, upgrade, go back", [declareInstall, declareUpgrade, declareRollback, declareInstallation]],
  ["Data", [declareSnapshot, declareBackup]],
  ["Look back", [declareRecord, declareReport, declareRollout, declareJob]],
  ["Library", [declareTemplate, declareRelease]],
  ["Site and people", [declareSite, declareHold, declareTeam, declareUser, declareToken]],
  ["Shell", [declareCompletion]],
];

/** The whole command line. Results go to stdout, everything else to stderr; usage faults are thrown. */
export function makeProgram(context: CommandContext): Command {
  const program = new Command("sampan")
    .description("Carries running multi-component applications across an air gap.")
    .version(CLI_VERSION)
    .option("--server <url>", "address of the server; else SAMPAN_SERVER, the login, http://127.0.0.1:7070")
    .option("--token <token>", "API token; else SAMPAN_TOKEN, the login")
    .option("--team <name>", "team to work in; else SAMPAN_TEAM, your only team, or `default`")
    .option("--json", "results, and problems, as JSON")
    .option("-y, --yes", "agree to what would be asked")
    .option("-q, --quiet", "no progress and remarks")
    .addHelpText("after", AFTER_HELP)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, optionDescription: describeOption })
    .configureOutput({
      writeOut: (text) => context.terminal.out(text.trimEnd()),
      writeErr: (text) => (context.json ? undefined : context.terminal.err(text.trimEnd())),
      outputError: () => undefined,
      getOutHelpWidth: () => context.terminal.columns,
      getErrHelpWidth: () => context.terminal.columns,
    })
    .hook("preAction", (_root, command) => context.setOptions(command.optsWithGlobals<GlobalOptions>()));
  for (const [heading, declarations] of DECLARATIONS) {
    program.commandsGroup(`${heading}:`);
    for (const declare of declarations) declare(program, context);
  }
  program.addHelpCommand(
    new Command("help")
      .argument("[command]")
      .description("what a command does, and examples")
      .helpGroup("Shell:"),
  );
  return program;
}

/** The choices and the default with it, but not that a list is empty at first. */
function describeOption({ description, argChoices, defaultValue }: Option): string {
  const choices = argChoices === undefined ? [] : [`one of ${argChoices.join(", ")}`];
  const isValue = typeof defaultValue === "string" || typeof defaultValue === "number";
  const facts = [...choices, ...(isValue ? [`default ${defaultValue}`] : [])].join("; ");
  return facts === "" ? description : `${description} (${facts})`;
}
