import type { Client } from "@sampan/api";
import { bundleProblems } from "@sampan/bundle";
import { EXIT, Problem, type ProblemKind } from "@sampan/problem";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";
import { ProgressLine } from "./progress-line.ts";

export type Job = Awaited<ReturnType<Client["getJob"]>>;

const POLL_MS = 250;

/** Waits for a job and shows how far it is. Interrupting leaves the job running, and says so. Throws the job's own problem. */
export async function followJob(context: CommandContext, client: Client, jobId: string): Promise<Job> {
  const line = new ProgressLine(context);
  return await context.whenInterrupted(`The job goes on: sampan job follow ${jobId}`, async () => {
    for (;;) {
      const job = await client.getJob({ params: { id: jobId } }, { signal: context.signal });
      if (job.progress !== undefined) line.show(job.progress.stage, job.progress);
      if (job.state === "succeeded" || job.state === "failed" || job.state === "cancelled") {
        line.end();
        if (job.state === "succeeded") return job;
        throw jobProblem(job);
      }
      await context.clock.sleep(POLL_MS, context.signal);
    }
  });
}

function jobProblem(job: Job): Problem {
  const { error } = job;
  if (error === undefined)
    return cliProblem("CLI_JOB_FAILED", `${job.title} ${job.state}`, {
      why: `job ${job.id} ended without a problem of its own`,
      hint: `sampan job log ${job.id}`,
    });
  return new Problem(error.code, kindOf(error), error.title, {
    ...(error.why === undefined ? {} : { why: error.why }),
    ...(error.faults === undefined ? {} : { faults: error.faults as Problem["faults"] }),
    hint: error.hint ?? `sampan job log ${job.id}`,
  });
}

/** Codes of bundles are known here; of the others the job may say how a command ends. */
function kindOf(error: { readonly code: string; readonly exit?: number | undefined }): ProblemKind {
  const table: Readonly<Record<string, ProblemKind>> = bundleProblems;
  return table[error.code] ?? { status: 500, exit: error.exit ?? EXIT.failed, doc: "" };
}
