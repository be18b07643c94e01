import type { Desired, DesiredComponent } from "./desired.ts";
import type { Observed } from "./observed.ts";
import { ensureGround, groundOf } from "./plan-ground.ts";
import { removeInstance } from "./plan-removal.ts";
import type { Plan } from "./plan-types.ts";
import { beginPlanning, type Planning, type PlanOptions, refuseStale } from "./planner.ts";
import { planProblem } from "./problems.ts";
import { STEP_TIMEOUT_MS } from "./step-list.ts";

/** The index of the one instance of a run. */
const RUN = 1;

/**
 * One run of a cron or job component, because it is due or was asked for. The last run goes first; while one is still under way, the
 * plan is empty and says so. Throws PLAN_STALE, PLAN_UNKNOWN_COMPONENT, PLAN_NOT_RUNNABLE, PLAN_NEED_NOT_RUNNING.
 */
export function planRun(
  desired: Desired,
  observed: Observed,
  options: Omit<PlanOptions, "data"> & {
    readonly component: string;
    /** Why: "it is due", "asked for by ann". */
    readonly why: string;
  },
): Plan {
  refuseStale(desired, observed);
  const component = runnable(desired, options.component);
  const planning = beginPlanning(desired, observed, options);
  addRun(planning, component, options.why);
  return {
    id: options.newId(),
    app: desired.app,
    generation: desired.generation,
    createdAt: options.now,
    steps: planning.list.steps,
    notes: planning.notes,
  };
}

function addRun(planning: Planning, component: DesiredComponent, why: string): void {
  const { name, specDigest } = component;
  const earlier = planning.instancesOf.get(name) ?? [];
  if (
    earlier.some((one) => one.state !== "completed" && one.state !== "stopped" && one.state !== "failing")
  ) {
    planning.notes.push({ component: name, text: "it is not started: its last run is still under way" });
    return;
  }
  if (!planning.observed.complete) {
    planning.notes.push({ component: name, text: "it is not started: not all of the app could be seen" });
    return;
  }
  const needs = component.needs.flatMap((need) => awaitNeed(planning, component, need));
  ensureGround(planning, [component]);
  const removed = earlier.map((instance) =>
    removeInstance(planning, instance, { needs: [], why: "its last run makes room for the next" }),
  );
  const identity = { component: name, index: RUN, specDigest };
  const created = planning.list.add(
    { kind: "instance.create", ...identity, serve: "now" },
    {
      needs: [...groundOf(planning, component), ...needs, ...removed],
      why,
      timeoutMs: STEP_TIMEOUT_MS.create,
    },
  );
  planning.list.add(
    { kind: "instance.complete", ...identity },
    { needs: [created], why: "done only when it has ended well", timeoutMs: component.startWithinMs },
  );
}

/** Steps that wait until what a run needs is ready; a run does not start what it needs. */
function awaitNeed(planning: Planning, component: DesiredComponent, need: string): readonly string[] {
  const target = planning.byName.get(need);
  if (target === undefined || target.kind === "job" || target.kind === "cron") return [];
  const serving = (planning.instancesOf.get(need) ?? []).filter((one) => one.serving);
  if (serving.some((one) => one.state === "ready")) return [];
  const [first] = serving.filter((one) => one.state === "starting" || one.state === "unready");
  if (first === undefined)
    throw planProblem("PLAN_NEED_NOT_RUNNING", `${component.name} needs ${need}, which does not run`, {
      hint: `start ${need} first`,
    });
  return [
    planning.list.add(
      { kind: "instance.ready", component: need, index: first.index, specDigest: first.specDigest },
      { needs: [], why: `${component.name} needs it`, timeoutMs: target.startWithinMs },
    ),
  ];
}

function runnable(desired: Desired, name: string): DesiredComponent {
  const component = desired.components.find((one) => one.name === name);
  if (component === undefined)
    throw planProblem("PLAN_UNKNOWN_COMPONENT", `the app has no component ${name}`, {
      why: `it has ${desired.components.map((one) => one.name).join(", ")}`,
    });
  if (component.kind !== "job" && component.kind !== "cron")
    throw planProblem("PLAN_NOT_RUNNABLE", `${name} is ${component.kind}: it always runs`, {
      hint: "only jobs and cron components are run on request",
    });
  return component;
}
