import type { StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext } from "@sampan/runtime";
import { containersForStep, findInstance, instanceTitle } from "./app-containers.ts";
import { startContainerAgain } from "./create.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineContainer } from "./engine-types.ts";
import { parseInstanceLabels } from "./labels.ts";
import { readLogTail } from "./log-tail.ts";
import { observeInstance, type SeenInstance } from "./observe-instance.ts";

type AwaitStep = StepOf<"instance.ready"> | StepOf<"instance.complete">;

/** So many restarts in a row are a crash loop: waiting longer helps nobody. */
const RESTARTS_MAX = 3;
/** Changes wake the wait at once; this is for those that no event tells, such as time that passed. */
const LOOK_MS = 500;

/** Waits until the instance is ready, or is known to fail. */
export async function awaitReady(
  context: DriverContext,
  step: StepOf<"instance.ready">,
  stepContext: StepContext,
): Promise<void> {
  await awaitInstance(context, step, stepContext, (seen) => {
    if (seen.state === "ready") return "done";
    if (seen.state === "completed" || seen.state === "stopped") return "failed";
    return hasGivenUp(seen) ? "failed" : "wait";
  });
}

/** Waits until the job has ended with exit code 0, or is known to fail. */
export async function awaitCompletion(
  context: DriverContext,
  step: StepOf<"instance.complete">,
  stepContext: StepContext,
): Promise<void> {
  await awaitInstance(context, step, stepContext, (seen) => {
    if (seen.state === "completed") return "done";
    if (seen.state === "stopped") return "failed";
    return hasGivenUp(seen) ? "failed" : "wait";
  });
}

/** One that runs right now may yet become ready, however often it has failed. */
function hasGivenUp({ container, restarts, state }: SeenInstance): boolean {
  if (state !== "failing") return false;
  return restarts >= RESTARTS_MAX || container.State.Status !== "restarting";
}

async function awaitInstance(
  context: DriverContext,
  step: AwaitStep,
  { desired, signal }: StepContext,
  decide: (seen: SeenInstance) => "done" | "failed" | "wait",
): Promise<void> {
  const limit = AbortSignal.timeout(step.timeoutMs);
  const either = AbortSignal.any([signal, limit]);
  let last: SeenInstance | undefined;
  let id = "";
  try {
    id = await findStarted(context, step, { desired, signal: either });
    for (;;) {
      last = await look(context, { app: desired.app.id, id, component: step.component }, either);
      const decision = decide(last);
      if (decision === "done") return;
      if (decision === "failed") throw await failed(context, step, last);
      await context.changes.next(id, { timeoutMs: LOOK_MS, signal: either });
    }
  } catch (error) {
    if (!either.aborted) throw error;
    if (signal.aborted && !isTimeLimit(signal.reason)) throw signal.reason;
    throw await notInTime(context, step, last);
  } finally {
    context.prober.release(id);
  }
}

/** The instance's container; one that a crash left unstarted is started. */
async function findStarted(
  context: DriverContext,
  step: AwaitStep,
  stepContext: Pick<StepContext, "desired" | "signal">,
): Promise<string> {
  const containers = await containersForStep(context.scope, stepContext.desired, stepContext.signal);
  const found = findInstance(containers, step);
  if (found === undefined)
    throw runtimeProblem("RUNTIME_ABSENT", `${instanceTitle(step)} does not exist any more`, {
      hint: "Make a new plan.",
    });
  if (found.State === "created") await startContainerAgain(context, step, found.Id, stepContext);
  return found.Id;
}

async function look(
  context: DriverContext,
  ref: { readonly app: string; readonly component: string; readonly id: string },
  signal: AbortSignal,
): Promise<SeenInstance> {
  const container = await context.scope.instance(ref, signal);
  const labels = parseInstanceLabels(container.Config.Labels, container.Config.Env ?? []);
  if (labels === undefined)
    throw runtimeProblem("RUNTIME_ABSENT", `the instance of ${ref.component} cannot be made out`, {
      why: "its labels are not whole",
    });
  context.prober.track(container);
  return { ...(await observeInstance(context.prober, container, labels, signal)), container };
}

async function failed(context: DriverContext, step: AwaitStep, seen: SeenInstance): Promise<Error> {
  const { restarts, container } = seen;
  const again = restarts > 0 ? `, after ${restarts} restart${restarts === 1 ? "" : "s"}` : "";
  return runtimeProblem(
    "RUNTIME_INSTANCE_FAILED",
    `${instanceTitle(step)} ${seen.state === "stopped" ? "was stopped" : describeEnd(container)}${again}`,
    {
      why: await explain(context, seen),
      hint: "Read its log, correct what it complains about, and plan again.",
    },
  );
}

async function notInTime(
  context: DriverContext,
  step: AwaitStep,
  seen: SeenInstance | undefined,
): Promise<Error> {
  const goal = step.kind === "instance.ready" ? "ready" : "complete";
  const within = `within ${Math.round(step.timeoutMs / 100) / 10} s`;
  return runtimeProblem("RUNTIME_NOT_READY", `${instanceTitle(step)} did not become ${goal} ${within}`, {
    why: seen === undefined ? "the engine did not tell of it in time" : await explain(context, seen),
    hint: "Read its log, look at its probes, or give it more time to start.",
  });
}

async function explain(context: DriverContext, seen: SeenInstance): Promise<string> {
  const log = await readLogTail(context.scope, seen.container).catch(() => "");
  return [
    seen.message ?? `it is ${seen.state}`,
    log === "" ? "it wrote no log" : `its log ends with:\n${log}`,
  ].join("; ");
}

function describeEnd({ State }: EngineContainer): string {
  if (State.Running) return "keeps failing";
  return State.OOMKilled === true ? "ended for want of memory" : `ended with exit code ${State.ExitCode}`;
}

function isTimeLimit(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "TimeoutError";
}
