import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { parseAssignments, parseModules } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { MODULE, PARAM, withChangeFlags, withExamples } from "../command-options.ts";
import { findApp } from "../find.ts";
import { type ChangeFlags, planAndDo } from "../planned-change.ts";
import { renderTable } from "../render-table.ts";

interface ModulesOptions extends ChangeFlags {
  readonly module: string[];
  readonly param: string[];
}

export function declareAppModules(app: Command, context: CommandContext): void {
  const command = withChangeFlags(
    app
      .command("modules <app>")
      .description("the modules of an app; with -m, turn some on or off: data stays")
      .option(...MODULE)
      .option(...PARAM),
  ).action((name: string, options: ModulesOptions) => modules(context, name, options));
  withExamples(
    command,
    "sampan app modules shop",
    "sampan app modules shop -m search=off --note 'not licensed'",
  );
}

async function modules(context: CommandContext, name: string, options: ModulesOptions): Promise<void> {
  const client = await context.client();
  const app = await findApp(context, client, name);
  const view = await client.getApp({ params: { id: app.id } });
  if (options.module.length === 0) {
    const items = modulesOf(view);
    return context.result({ items }, () =>
      renderTable(
        items.map(({ name, title, on, components }) => ({
          module: name,
          title,
          state: on ? "on" : "off",
          components: components.join(", "),
        })),
        `${app.name} has no modules.`,
      ),
    );
  }
  const choice = parseModules(options.module);
  const words = Object.entries(choice).flatMap(([state, names]) => names.map((one) => `${one} ${state}`));
  await planAndDo(
    context,
    client,
    {
      verb: "switchModules",
      params: { id: app.id },
      body: { ...choice, parameters: parseAssignments(options.param) },
    },
    { ...options, question: `Turn ${words.join(", ")} in ${app.name}?`, secrets: secretParameters(view) },
  );
}

type AppView = Awaited<ReturnType<Client["getApp"]>>;

interface Spec {
  readonly modules?: Readonly<
    Record<string, { readonly title?: string; readonly components: readonly string[] }>
  >;
  readonly parameters?: Readonly<Record<string, { readonly type?: string }>>;
}

/** A module is off when all of its components are. */
function modulesOf({ spec, componentsView }: AppView) {
  const off = new Set(componentsView.filter((component) => component.off).map(({ name }) => name));
  return Object.entries((spec as Spec).modules ?? {}).map(([name, { title = "", components }]) => ({
    name,
    title,
    on: components.some((component) => !off.has(component)),
    components,
  }));
}

function secretParameters({ spec }: AppView): string[] {
  return Object.entries((spec as Spec).parameters ?? {}).flatMap(([name, { type }]) =>
    type === "password" ? [name] : [],
  );
}
