import { deliveryProblem } from "@sampan/delivery";
import type { Change, Job } from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

const TITLES: Readonly<Record<string, string>> = {
  publish: "Publish",
  export: "Export",
  import: "Import",
  prune: "Prune the hold",
  check: "Check the hold",
};
const QUEUE_MAX = 1000;

export function jobHandlers(
  parts: ServerParts,
): Pick<Handlers, "listJobs" | "getJob" | "getJobLog" | "cancelJob" | "resumeJob" | "streamEvents"> {
  const { jobs } = parts.store;
  const allowed = async (context: RequestContext, id: string): Promise<Job> => {
    const job = await jobs.get(id);
    const { actor } = context;
    const mine =
      job.startedBy === actor.name ||
      actor.enterpriseAdministrator ||
      (job.teamId !== undefined && actor.teams[job.teamId] !== undefined);
    if (!mine) throw deliveryProblem("NOT_FOUND", `there is no job ${id}`);
    return job;
  };
  return {
    listJobs: async ({ query }, context) => {
      const sight = sightOf(context.actor);
      const state = (["queued", "running", "succeeded", "failed", "cancelled"] as const).find(
        (one) => one === query.state,
      );
      return await viewPage(
        await jobs.list(sight, state === undefined ? {} : { state }, pageOf(query)),
        jobView,
      );
    },
    getJob: async ({ params }, context) => jobView(await allowed(context, params.id)),
    getJobLog: async ({ params }, context) => {
      const job = await allowed(context, params.id);
      return { items: [...(await jobs.logs(job.id, { limit: 2000 }))] };
    },
    cancelJob: async ({ params }, context) => {
      const job = await allowed(context, params.id);
      return jobView(await jobs.requestCancel(job.id));
    },
    resumeJob: async ({ params }, context) => {
      const job = await allowed(context, params.id);
      return jobView(await jobs.again(job.id));
    },
    streamEvents: async ({ query }, context) => changes(parts, context, query.app),
  };
}

export function jobView(job: Job) {
  const { problem } = job;
  return {
    id: job.id,
    kind: job.kind,
    title: TITLES[job.kind] ?? job.kind,
    state: job.state === "running" && job.cancelRequested ? ("cancelling" as const) : job.state,
    ...(job.teamId === undefined ? {} : { teamId: job.teamId }),
    by: job.startedBy,
    ...(job.progress === undefined ? {} : { progress: job.progress }),
    ...(job.result === undefined || job.result === null
      ? {}
      : { result: job.result as Record<string, unknown> }),
    ...(problem === undefined
      ? {}
      : {
          error: {
            code: problem.code,
            title: problem.title,
            ...(problem.why === undefined ? {} : { why: problem.why }),
            ...(problem.hint === undefined ? {} : { hint: problem.hint }),
            ...(problem.faults === undefined ? {} : { faults: [...problem.faults] }),
          },
        }),
    attempts: job.attempts,
    createdAt: job.createdAt,
    ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt }),
    ...(job.endedAt === undefined ? {} : { endedAt: job.endedAt }),
  };
}

/** What was committed, as far as the person may see it. A reader that is too slow is cut off, and looks again when it comes back. */
async function* changes(
  parts: ServerParts,
  context: RequestContext,
  appId: string | undefined,
): AsyncGenerator<unknown> {
  const { actor, facts } = context;
  const queue: Change[] = [];
  let wake = (): void => undefined;
  let isOverrun = false;
  const stop = parts.store.watch((change) => {
    if (appId !== undefined && change.appId !== appId) return;
    if (!isVisible(change)) return;
    if (queue.length >= QUEUE_MAX) isOverrun = true;
    else queue.push(change);
    wake();
  });
  const isVisible = (change: Change): boolean =>
    actor.enterpriseAdministrator ||
    (change.teamId !== undefined && actor.teams[change.teamId] !== undefined) ||
    visibleApps.has(change.appId ?? "");
  const visibleApps = await appsOf(parts, context);
  facts.signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!facts.signal.aborted && !isOverrun) {
      const change = queue.shift();
      if (change !== undefined) {
        yield {
          noun: change.noun,
          id: change.id,
          ...(change.teamId === undefined ? {} : { teamId: change.teamId }),
          ...(change.appId === undefined ? {} : { appId: change.appId }),
        };
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stop();
  }
}

async function appsOf(parts: ServerParts, context: RequestContext): Promise<ReadonlySet<string>> {
  if (context.actor.enterpriseAdministrator) return new Set();
  const ids = new Set<string>();
  let after: string | undefined;
  do {
    const page = await parts.store.apps.list(
      sightOf(context.actor),
      {},
      after === undefined ? { limit: 200 } : { limit: 200, after },
    );
    for (const app of page.items) ids.add(app.id);
    after = page.next;
  } while (after !== undefined);
  return ids;
}
