import type { Command } from "commander";
import { Option } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, SCOPES, type Scope, withExamples } from "../command-options.ts";
import { all, findTemplate } from "../find.ts";
import { renderTable } from "../render-table.ts";
import { oneLine } from "../text-width.ts";

const DIGEST_SHOWN = 19;

export function declareTemplate(program: Command, context: CommandContext): void {
  const template = program.command("template").description("templates: the products in the library");
  declareList(template, context);
  declareShow(template, context);
  declareEdit(template, context);
  declareRemove(template, context);
}

function declareList(template: Command, context: CommandContext): void {
  const command = template
    .command("list")
    .description("templates that you can install")
    .action(async () => {
      const client = await context.client();
      const items = await all((page) => client.listTemplates({ query: page }));
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            template: one.name,
            id: one.id,
            newest: one.latest?.version ?? "-",
            releases: one.releases,
            scope: one.scope,
            origin: one.origin,
            tags: one.tags.join(", "),
          })),
          "The library is empty. Publish an app, or import a bundle.",
        ),
      );
    });
  withExamples(command, "sampan template list");
}

function declareShow(template: Command, context: CommandContext): void {
  const command = template
    .command("show <template>")
    .description("a template and its releases")
    .action(async (name: string) => {
      const client = await context.client();
      const { id } = await findTemplate(client, name);
      const view = await client.getTemplate({ params: { id } });
      context.result(view, () =>
        [
          `${oneLine(view.name)} (${view.id})  ${view.scope}`,
          ...(view.summary === undefined ? [] : [oneLine(view.summary)]),
          "",
          renderTable(
            view.releaseList.map((one) => ({
              version: one.version,
              alias: one.alias ?? "",
              size: humanBytes(one.sizeBytes),
              components: one.components.length,
              published: one.publishedAt,
              state: one.replaced ? "replaced" : "",
              digest: one.digest.slice(0, DIGEST_SHOWN),
            })),
            "It has no release.",
          ),
        ].join("\n"),
      );
    });
  withExamples(command, "sampan template show shop");
}

interface EditOptions {
  readonly name?: string;
  readonly summary?: string;
  readonly tag: string[];
  readonly scope?: Scope;
}

function declareEdit(template: Command, context: CommandContext): void {
  const command = template
    .command("edit <template>")
    .description("change the name, summary, tags or scope of a template; its releases stay")
    .option("--name <text>", "name shown in the library")
    .option("--summary <text>", "what it is")
    .option("--tag <text>", "category, in place of those it has; again for each", collect, [])
    .addOption(new Option("--scope <scope>", "who sees it").choices(SCOPES))
    .action(async (name: string, options: EditOptions) => {
      const client = await context.client();
      const { id } = await findTemplate(client, name);
      const { tag, ...rest } = options;
      const body = { ...rest, ...(tag.length === 0 ? {} : { tags: tag }) };
      const view = await client.updateTemplate({ params: { id }, body });
      context.result(view, () => `${view.name} is changed.`);
    });
  withExamples(command, "sampan template edit shop --scope enterprise --tag retail --tag web");
}

function declareRemove(template: Command, context: CommandContext): void {
  const command = template
    .command("remove <template>")
    .description("remove a template and its releases; refused while one is installed")
    .action(async (name: string) => {
      const client = await context.client();
      const found = await findTemplate(client, name);
      await context.confirm(`Remove ${found.name} and its ${found.releases} releases from the library?`);
      await client.removeTemplate({ params: { id: found.id } });
      context.result(
        { removed: found.id },
        () => `Removed ${found.name}. \`sampan hold prune\` frees its content.`,
      );
    });
  withExamples(command, "sampan template remove shop-old --yes");
}
