import type { Client } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { findApp } from "../find.ts";
import { renderTable } from "../render-table.ts";

type AppView = Awaited<ReturnType<Client["getApp"]>>;

interface ObserveOptions {
  readonly watch?: true;
}

const LOOK_AGAIN_MS = 1000;
const WATCH = ["-w, --watch", "go on, and show it again when it changes; Ctrl-C ends it"] as const;

export function declareObserve(program: Command, context: CommandContext): void {
  const command = program
    .command("observe <app>")
    .description("what an app is, and what runs of it")
    .option(...WATCH)
    .action((name: string, options: ObserveOptions) => observe(context, name, options));
  withExamples(command, "sampan observe shop", "sampan observe sales/shop --watch");
}

/** The same under its noun. */
export function declareAppShow(app: Command, context: CommandContext): void {
  const command = app
    .command("show <app>")
    .description("what an app is, and what runs of it (sampan observe)")
    .option(...WATCH)
    .action((name: string, options: ObserveOptions) => observe(context, name, options));
  withExamples(command, "sampan app show shop");
}

async function observe(context: CommandContext, name: string, options: ObserveOptions): Promise<void> {
  const client = await context.client();
  const { id } = await findApp(context, client, name);
  const look = () => client.getApp({ params: { id } }, { signal: context.signal });
  const view = await look();
  if (options.watch !== true) return context.result(view, () => renderApp(view));
  await watch(context, view, look);
}

async function watch(context: CommandContext, first: AppView, look: () => Promise<AppView>): Promise<never> {
  let shown = "";
  for (let view = first; ; view = await look()) {
    const { observedAt: _, ...lasting } = view;
    const now = JSON.stringify(lasting);
    if (now !== shown) {
      if (context.json) context.resultLine(view, () => "");
      else context.terminal.redraw(renderApp(view));
    }
    shown = now;
    await context.clock.sleep(LOOK_AGAIN_MS, context.signal);
  }
}

function renderApp(view: AppView): string {
  const changing = view.pending ? "  (changing)" : "";
  return [
    `${view.teamName}/${view.name}  ${view.health}  generation ${view.generation}${changing}`,
    ...view.installations.map(
      (one) =>
        `installed: ${one.templateName} ${one.version}${one.available === undefined ? "" : `, available: ${one.available.version}`}`,
    ),
    ...view.remarks,
    "",
    renderTable(view.componentsView.map(rowOf), "It has no components."),
  ].join("\n");
}

function rowOf(component: AppView["componentsView"][number]) {
  const ports = component.instances.flatMap(({ hostPorts }) =>
    hostPorts.map((port) => `${port.hostPort}→${port.name}`),
  );
  return {
    component: component.name,
    kind: component.kind,
    health: component.off ? "off" : component.health,
    ready: `${component.ready}/${component.replicas}`,
    image: component.imageName,
    ports: [...new Set(ports)].join(" "),
    message: component.instances.find(({ message }) => message !== undefined)?.message ?? "",
  };
}
