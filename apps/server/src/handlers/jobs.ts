import type { Permission } from "@sampan/api";
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
  backup: "Back up",
  restore: "Restore a backup",
  prune: "Prune the hold",
  check: "Check the hold",
};
const QUEUE_MAX = 1000;

/** What it takes to stop or repeat a job of somebody else: as much as to start it. */
const TAKES: Readonly<Record<string, Permission>> = {
  publish: "app.publish",
  export: "bundle.export",
  import: "bundle.import",
  backup: "app.snapshot",
  restore: "bundle.import",
};

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
  const require = (context: RequestContext, job: Job) =>
    context.require(TAKES[job.kind] ?? "enterprise.manage", job.teamId);
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
      if (job.startedBy !== context.actor.name) require(context, job);
      return jobView(await jobs.requestCancel(job.id));
    },
    resumeJob: async ({ params }, context) => {
      const job = await allowed(context, params.id);
      // Whoever started it may have lost the right since.
      require(context, job);
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
            ...(problem.exit === undefined ? {} : { exit: problem.exit }),
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

/** The library is everybody's business, whoever it belongs to: what is named is looked at through its own route. */
const SEEN_BY_ALL = new Set(["template", "release"]);

/**
 * What was committed, as far as the person may see it. A reader that is too slow is cut off, and so is one whose rights changed: it
 * comes back, and is looked at anew.
 */
async function* changes(
  parts: ServerParts,
  context: RequestContext,
  appId: string | undefined,
): AsyncGenerator<unknown> {
  const { actor, facts } = context;
  const queue: Change[] = [];
  let wake = (): void => undefined;
  let isOver = false;
  const stop = parts.store.watch((change) => {
    const isOfMyRights =
      (change.noun === "user" && change.id === actor.userId) ||
      (change.noun === "team" && (actor.enterpriseAdministrator || actor.teams[change.id] !== undefined));
    if (isOfMyRights || queue.length >= QUEUE_MAX) isOver = true;
    else if ((appId === undefined || change.appId === appId) && isVisible(context, change))
      queue.push(change);
    wake();
  });
  const end = (): void => wake();
  facts.signal.addEventListener("abort", end, { once: true });
  try {
    while (!facts.signal.aborted) {
      const change = queue.shift();
      if (change !== undefined) yield nameOf(change);
      else if (isOver) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stop();
  }
}

function nameOf({ noun, id, teamId, appId }: Change) {
  const owner = teamId === undefined ? {} : { teamId };
  return { noun, id, ...owner, ...(appId === undefined ? {} : { appId }) };
}

function isVisible({ actor }: RequestContext, change: Change): boolean {
  if (actor.enterpriseAdministrator || SEEN_BY_ALL.has(change.noun)) return true;
  return change.teamId !== undefined && actor.teams[change.teamId] !== undefined;
}
