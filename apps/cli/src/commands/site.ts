import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { wholeNumber, withExamples } from "../command-options.ts";
import { renderTable } from "../render-table.ts";

type SiteView = Awaited<ReturnType<Client["getSite"]>>;

const AUDIT_LINES = 50;
const AUDIT_LINES_MAX = 200;

export function declareSite(program: Command, context: CommandContext): void {
  const site = program.command("site").description("this site: show (also without a word), audit");
  declareShow(site, context);
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
