import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { all } from "../find.ts";
import { followJob } from "../follow-job.ts";
import { renderTable } from "../render-table.ts";

export function declareJob(program: Command, context: CommandContext): void {
  const job = program.command("job").description("jobs: publish, export, import, prune, check");
  declareList(job, context);
  declareFollow(job, context);
  declareLog(job, context);
  declareCancel(job, context);
  declareResume(job, context);
}

function declareList(job: Command, context: CommandContext): void {
  const command = job
    .command("list")
    .description("long work, newest first")
    .action(async () => {
      const client = await context.client();
      const items = await all((page) => client.listJobs({ query: page }));
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            id: one.id,
            job: one.title,
            state: one.state,
            by: one.by,
            begun: one.startedAt ?? one.createdAt,
            problem: one.error?.title ?? "",
          })),
          "No jobs.",
        ),
      );
    });
  withExamples(command, "sampan job list");
}

function declareFollow(job: Command, context: CommandContext): void {
  const command = job
    .command("follow <id>")
    .description("wait for a job and show how far it is; ends as the job ends")
    .action(async (id: string) => {
      const ended = await followJob(context, await context.client(), id);
      context.result(ended, () => `${ended.title}: ${ended.state}`);
    });
  withExamples(command, "sampan job follow 66f2a1b09e");
}

function declareLog(job: Command, context: CommandContext): void {
  const command = job
    .command("log <id>")
    .description("what a job said")
    .action(async (id: string) => {
      const { items } = await (await context.client()).getJobLog({ params: { id } });
      context.result({ items }, () => items.map((one) => `${one.at} ${one.text}`).join("\n"));
    });
  withExamples(command, "sampan job log 66f2a1b09e");
}

function declareCancel(job: Command, context: CommandContext): void {
  const command = job
    .command("cancel <id>")
    .description("ask a job to stop; what was done is kept")
    .action(async (id: string) => {
      const view = await (await context.client()).cancelJob({ params: { id } });
      context.result(view, () => `${view.title}: ${view.state}`);
    });
  withExamples(command, "sampan job cancel 66f2a1b09e");
}

function declareResume(job: Command, context: CommandContext): void {
  const command = job
    .command("resume <id>")
    .description("try a failed or cancelled job again; what was done is kept")
    .action(async (id: string) => {
      const view = await (await context.client()).resumeJob({ params: { id } });
      context.result(view, () => `${view.title}: ${view.state}; sampan job follow ${view.id}`);
    });
  withExamples(command, "sampan job resume 66f2a1b09e");
}
