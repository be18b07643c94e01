import type { Client } from "@sampan/api";
import { type Command, Option } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { wholeNumber, withExamples } from "../command-options.ts";
import { renderTable } from "../render-table.ts";
import { declareSiteDocuments } from "./site-documents.ts";

type SiteView = Awaited<ReturnType<Client["getSite"]>>;

const AUDIT_LINES = 50;
const AUDIT_LINES_MAX = 200;

export function declareSite(program: Command, context: CommandContext): void {
  const site = program
    .command("site")
    .description("this site: show (also without a word), state, receipt, policy, audit");
  declareShow(site, context);
  declareSiteDocuments(site, context);
  declarePolicy(site, context);
  declareAudit(site, context);
}

function declareShow(site: Command, context: CommandContext): void {
  const command = site
    .command("show", { isDefault: true })
    .description("engine, hold, registry, key and version of this site")
    .action(async () => {
      const view = await (await context.client()).getSite();
      context.result(view, () => renderSite(view));
    });
  withExamples(command, "sampan site");
}

function renderSite({ enterprise, id, version, engine, hold, registry, keyId }: SiteView): string {
  const { reachable, driver, message = "" } = engine;
  return [
    `${enterprise}  site ${id}  Sampan ${version}`,
    reachable
      ? `engine: ${engine.engine ?? driver} ${engine.engineVersion ?? ""} (API ${engine.apiVersion ?? "-"}), ${engine.os}/${engine.architecture}, ${engine.cpus} cores, ${humanBytes(engine.memoryBytes ?? 0)}`
      : `engine: does not answer: ${message}`,
    `hold: ${hold.images} images, ${humanBytes(hold.rawBytes)} kept in ${humanBytes(hold.storedBytes)}; ${humanBytes(hold.freeBytes)} free`,
    `registry: ${registry}`,
    `key: ${keyId}`,
  ].join("\n");
}

interface PolicyOptions {
  readonly noteRequired?: "on" | "off";
  readonly captureBeforeUpgrade?: "on" | "off";
  readonly snapshotsKept?: number;
}

function declarePolicy(site: Command, context: CommandContext): void {
  const command = site
    .command("policy")
    .description("what this site asks of changes; with options, change it")
    .addOption(onOff("--note-required <on|off>", "installs, upgrades and rollbacks must say why"))
    .addOption(onOff("--capture-before-upgrade <on|off>", "data is captured before every upgrade"))
    .option(
      "--snapshots-kept <number>",
      "how many automatic data snapshots of an app are kept",
      wholeNumber(1, SNAPSHOTS_KEPT_MAX),
    )
    .action(async ({ noteRequired, captureBeforeUpgrade, snapshotsKept }: PolicyOptions) => {
      const body = {
        ...(noteRequired === undefined ? {} : { noteRequired: noteRequired === "on" }),
        ...(captureBeforeUpgrade === undefined
          ? {}
          : { captureBeforeUpgrade: captureBeforeUpgrade === "on" }),
        ...(snapshotsKept === undefined ? {} : { snapshotsKept }),
      };
      const client = await context.client();
      const policy =
        Object.keys(body).length === 0 ? await client.getPolicy() : await client.setPolicy({ body });
      context.result(policy, () => renderPolicy(policy));
    });
  withExamples(command, "sampan site policy", "sampan site policy --note-required off --snapshots-kept 5");
}

const SNAPSHOTS_KEPT_MAX = 1000;

function onOff(flags: string, description: string): Option {
  return new Option(flags, description).choices(["on", "off"]);
}

function renderPolicy(policy: Awaited<ReturnType<Client["getPolicy"]>>): string {
  return [
    `a note is ${policy.noteRequired ? "required" : "not required"} for installs, upgrades, rollbacks, modules and restores`,
    `data is ${policy.captureBeforeUpgrade ? "" : "not "}captured before every upgrade`,
    `${policy.snapshotsKept} automatic data snapshots of an app are kept; those taken by hand stay`,
  ].join("\n");
}

function declareAudit(site: Command, context: CommandContext): void {
  const command = site
    .command("audit")
    .description("who did what, newest first")
    .option("--lines <number>", "how many", wholeNumber(1, AUDIT_LINES_MAX), AUDIT_LINES)
    .action(async (options: { lines: number }) => {
      const { items } = await (await context.client()).listAudit({ query: { limit: options.lines } });
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            at: one.at,
            who: one.who,
            what: one.what,
            target: one.target ?? "",
            outcome: one.outcome,
          })),
          "Nothing was done yet.",
        ),
      );
    });
  withExamples(command, "sampan site audit --lines 100");
}
