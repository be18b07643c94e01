import { Argument, type Command } from "commander";
import { humanBytes } from "../amounts.ts";
import { showChange } from "../change-output.ts";
import type { CommandContext } from "../command-context.ts";
import { NO_WAIT, NOTE, wholeNumber, withExamples } from "../command-options.ts";
import { findApp } from "../find.ts";
import { cliProblem } from "../problems.ts";
import { renderTable } from "../render-table.ts";
import { declareLogs } from "./component-logs.ts";

const REPLICAS_MAX = 1000;
const TIMEOUT_SECONDS_MAX = 600;
const TIMEOUT_SECONDS = 60;

export function declareComponent(program: Command, context: CommandContext): void {
  const component = program
    .command("component")
    .description("components of an app: scale, restart, logs, exec, stats");
  declareScale(component, context);
  declareRestart(component, context);
  declareLogs(component, context);
  declareExec(component, context);
  declareStats(component, context);
}

function declareScale(component: Command, context: CommandContext): void {
  const command = component
    .command("scale <app> <component>")
    .addArgument(new Argument("<replicas>", "how many").argParser(wholeNumber(0, REPLICAS_MAX)))
    .description("set the number of instances")
    .option("--plan", "only show what would be done")
    .option(...NOTE)
    .option(...NO_WAIT)
    .action(
      async (
        name: string,
        part: string,
        replicas: number,
        options: { plan?: true; note?: string; wait: boolean },
      ) => {
        const client = await context.client();
        const { id } = await findApp(context, client, name);
        const note = options.note === undefined ? {} : { note: options.note };
        const body = { replicas, dryRun: options.plan === true, ...note };
        const reply = await client.scaleComponent({ params: { id, component: part }, body });
        await showChange(context, client, reply, { wait: options.wait });
      },
    );
  withExamples(command, "sampan component scale shop catalog 3");
}

function declareRestart(component: Command, context: CommandContext): void {
  const command = component
    .command("restart <app> <component>")
    .description("restart all instances of a component")
    .action(async (name: string, part: string) => {
      const client = await context.client();
      const { id } = await findApp(context, client, name);
      await client.restartComponent({ params: { id, component: part } });
      context.result({ restarted: part }, () => `Restarted ${part}.`);
    });
  withExamples(command, "sampan component restart shop web");
}

function declareExec(component: Command, context: CommandContext): void {
  const command = component
    .command("exec <app> <component> <command...>")
    .description("run a command in an instance, to its end; put -- before it")
    .option("--instance <number>", "which instance, from 1", wholeNumber(1, REPLICAS_MAX))
    .option(
      "--timeout <seconds>",
      "how long it may take",
      wholeNumber(1, TIMEOUT_SECONDS_MAX),
      TIMEOUT_SECONDS,
    )
    .action(
      async (
        name: string,
        part: string,
        words: string[],
        options: { instance?: number; timeout: number },
      ) => {
        const client = await context.client();
        const { id } = await findApp(context, client, name);
        const index = options.instance === undefined ? {} : { index: options.instance };
        const body = { command: words, timeoutMs: options.timeout * 1000, ...index };
        const result = await client.execComponent({ params: { id, component: part }, body });
        if (!context.json && result.stderr !== "") context.terminal.err(result.stderr.trimEnd());
        if (context.json || result.stdout !== "") context.result(result, () => result.stdout.trimEnd());
        if (result.truncated) context.remark("Only the beginning of what it said is shown.");
        if (result.exitCode !== 0)
          throw cliProblem("CLI_COMMAND_FAILED", `${words[0]} in ${part} ended with ${result.exitCode}`);
      },
    );
  withExamples(
    command,
    "sampan component exec shop db -- mysql --version",
    "sampan component exec shop web --instance 2 --timeout 300 -- sh -c 'ls /var/log'",
  );
}

function declareStats(component: Command, context: CommandContext): void {
  const command = component
    .command("stats <app> <component>")
    .description("what each instance uses now")
    .action(async (name: string, part: string) => {
      const client = await context.client();
      const { id } = await findApp(context, client, name);
      const reply = await client.getComponentStats({ params: { id, component: part } });
      context.result(reply, () =>
        renderTable(
          reply.items.map((one) => ({
            instance: one.index,
            cpu: one.cpu.toFixed(2),
            memory: humanBytes(one.memoryBytes),
            limit: one.memoryLimitBytes === undefined ? "-" : humanBytes(one.memoryLimitBytes),
            processes: one.processes,
            received: humanBytes(one.networkReceivedBytes),
            sent: humanBytes(one.networkSentBytes),
          })),
          "No instance is running.",
        ),
      );
    });
  withExamples(command, "sampan component stats shop web");
}
