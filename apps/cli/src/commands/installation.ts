import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { all } from "../find.ts";
import { renderTable } from "../render-table.ts";

export function declareInstallation(program: Command, context: CommandContext): void {
  const installation = program
    .command("installation")
    .description("installations: releases that run in apps");
  declareList(installation, context);
  declareShow(installation, context);
}

function declareList(installation: Command, context: CommandContext): void {
  const command = installation
    .command("list")
    .description("what is installed, and what newer is in the library")
    .action(async () => {
      const client = await context.client();
      const items = await all((page) => client.listInstallations({ query: page }));
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            app: one.appName,
            template: one.templateName,
            version: one.version,
            available: one.available.map(({ version }) => version).join(", "),
            modules: one.modulesOn.join(", "),
            id: one.id,
          })),
          "Nothing is installed.",
        ),
      );
    });
  withExamples(command, "sampan installation list");
}

function declareShow(installation: Command, context: CommandContext): void {
  const command = installation
    .command("show <id>")
    .description("one installation")
    .action(async (id: string) => {
      const view = await (await context.client()).getInstallation({ params: { id } });
      context.result(view, () =>
        [
          `${view.templateName} ${view.version} in ${view.appName}, since ${view.installedAt}`,
          `release: ${view.releaseDigest}`,
          `components: ${view.components.join(", ")}`,
          `available: ${view.available.map(({ version }) => version).join(", ") || "nothing newer"}`,
        ].join("\n"),
      );
    });
  withExamples(command, "sampan installation show ins_7d41");
}
