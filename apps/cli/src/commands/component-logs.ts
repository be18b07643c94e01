import { type Client, readEvents } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { wholeNumber, withExamples } from "../command-options.ts";
import { findApp } from "../find.ts";

interface LogsOptions {
  readonly follow?: true;
  readonly tail: number;
  readonly since?: string;
  readonly instance?: number;
}

interface LogLine {
  readonly at: string;
  readonly component: string;
  readonly index: number;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

const TAIL_MAX = 100_000;
const TAIL_DEFAULT = 200;

export function declareLogs(component: Command, context: CommandContext): void {
  const command = component
    .command("logs <app> <component>")
    .description("log lines of all instances, merged by time; with --json one object a line")
    .option("-f, --follow", "go on as lines come; Ctrl-C ends it")
    .option("--tail <lines>", "lines from the end", wholeNumber(0, TAIL_MAX), TAIL_DEFAULT)
    .option("--since <time>", "ISO 8601 time, such as 2026-03-01T08:00:00Z")
    .option("--instance <number>", "one instance only, from 1", wholeNumber(1, TAIL_MAX))
    .action((name: string, part: string, options: LogsOptions) => showLogs(context, { name, part }, options));
  withExamples(
    command,
    "sampan component logs shop orders --tail 50",
    "sampan component logs shop orders --follow",
  );
}

type LogQuery = NonNullable<Parameters<Client["getComponentLogs"]>[0]["query"]>;

async function showLogs(
  context: CommandContext,
  { name, part }: { readonly name: string; readonly part: string },
  options: LogsOptions,
): Promise<void> {
  const client = await context.client();
  const { id } = await findApp(context, client, name);
  const query: LogQuery = {
    tail: options.tail,
    ...(options.follow === true ? { follow: "true" } : {}),
    ...(options.since === undefined ? {} : { since: options.since }),
    ...(options.instance === undefined ? {} : { instance: options.instance }),
  };
  const call = { params: { id, component: part }, query };
  const response = await client.getComponentLogs(call, { signal: context.signal });
  for await (const event of readEvents(response)) {
    const line = event as LogLine;
    context.resultLine(line, () => `${line.at} ${line.component}/${line.index} ${line.text}`);
  }
}
