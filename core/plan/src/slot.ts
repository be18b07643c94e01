import type { DesiredComponent } from "./desired.ts";
import type { InstanceState, Observed, ObservedInstance } from "./observed.ts";

/** One place for an instance, component and index: what should be there, and what was seen there. */
export interface Slot {
  readonly component: DesiredComponent;
  readonly index: number;
  /** The instance with the desired specification that is worth keeping. */
  readonly current: ObservedInstance | undefined;
  /** The instance with another specification that does the work until it is replaced. */
  readonly outdated: ObservedInstance | undefined;
  /** What else was seen there and must go before anything is made, with the reason. */
  readonly spares: readonly Spare[];
  /** Whether another instance of the component answers, so that a new one must not before it is ready. */
  readonly othersAnswer: boolean;
  /** The component that asks for a host port that `outdated` holds. */
  readonly portWantedBy: string | undefined;
  /** False when the observation is not complete: then nothing is removed. */
  readonly seenWhole: boolean;
  /** How the last run of a job failed for good, where such jobs are to be left. */
  readonly leftFailure: string | undefined;
  /** What was there and goes first, for the sake of data. */
  readonly emptied: ObservedInstance | undefined;
  /** A component that it needs and that is left as it failed. */
  readonly blockedBy: string | undefined;
}

export interface Spare {
  readonly instance: ObservedInstance;
  readonly why: string;
}

const STATE_ORDER: Readonly<Record<InstanceState, number>> = {
  ready: 0,
  completed: 1,
  starting: 2,
  unready: 3,
  failing: 4,
  stopped: 5,
};

export interface SlotContext {
  readonly observed: Observed;
  readonly portClaims: ReadonlyMap<number, string>;
  readonly failedJobs: "run again" | "leave";
  /** Components that are left as they failed, and those that need them. */
  readonly blocked: ReadonlySet<string>;
  /** By component: instances that go first, for the sake of data; `observed` is without them. */
  readonly emptied: ReadonlyMap<string, readonly ObservedInstance[]>;
}

/** The slots of a component, by index from 1. Cron components have none: their instances are runs. */
export function slotsOf(
  component: DesiredComponent,
  instances: readonly ObservedInstance[],
  context: SlotContext,
): readonly Slot[] {
  if (component.kind === "cron") return [];
  const slots: Slot[] = [];
  const emptied = context.emptied.get(component.name) ?? [];
  for (let index = 1; index <= component.replicas; index++) {
    const here = instances.filter((instance) => instance.index === index).sort(byWorth);
    const right = here.filter((instance) => instance.specDigest === component.specDigest);
    const wrong = here.filter((instance) => instance.specDigest !== component.specDigest);
    const current = right.find((instance) => deadBecause(component, instance) === undefined);
    // Beside the right instance of a job, or one that already answers, an older one has nothing left to do.
    const isSettled = current !== undefined && (current.serving || component.kind === "job");
    const outdated = isSettled ? undefined : wrong[0];
    slots.push({
      component,
      index,
      current,
      outdated,
      spares: [
        ...right.filter((one) => one !== current).map((one) => spareOf(component, one)),
        ...wrong.filter((one) => one !== outdated).map((instance) => ({ instance, why: LEFT_OVER })),
      ],
      othersAnswer: instances.some((one) => one.index !== index && one.serving && one.state === "ready"),
      portWantedBy: outdated === undefined ? undefined : claimant(component, outdated, context.portClaims),
      seenWhole: context.observed.complete,
      leftFailure: context.failedJobs === "leave" ? failureOf(component, right, current) : undefined,
      emptied: emptied.filter((one) => one.index === index).sort(byWorth)[0],
      blockedBy: component.needs.find((need) => context.blocked.has(need)),
    });
  }
  return slots;
}

const LEFT_OVER = "left over from a replacement that was not finished";

function spareOf(component: DesiredComponent, instance: ObservedInstance): Spare {
  return { instance, why: deadBecause(component, instance) ?? "another instance is in its place" };
}

/** Why an instance will never become ready (a job: complete) by itself; undefined when it may. */
function deadBecause(component: DesiredComponent, instance: ObservedInstance): string | undefined {
  if (instance.state === "stopped") return "it was stopped";
  const withCode = instance.exitCode === undefined ? "" : ` with exit code ${instance.exitCode}`;
  if (instance.state === "completed" && component.kind !== "job") return `it ended by itself${withCode}`;
  if (instance.state === "failing" && component.spec.restart === "never")
    return `it failed${withCode} and is not restarted`;
  return undefined;
}

function failureOf(
  component: DesiredComponent,
  right: readonly ObservedInstance[],
  current: ObservedInstance | undefined,
): string | undefined {
  if (component.kind !== "job" || current !== undefined) return undefined;
  const failed = right.find((instance) => instance.state === "failing");
  return failed && deadBecause(component, failed);
}

function claimant(
  component: DesiredComponent,
  instance: ObservedInstance,
  claims: ReadonlyMap<number, string>,
): string | undefined {
  for (const { hostPort } of instance.hostPorts) {
    const claim = claims.get(hostPort);
    if (claim !== undefined && claim !== component.name) return claim;
  }
  return undefined;
}

/** Those that answer first, then by state, then by id, so that the choice is the same each time. */
function byWorth(a: ObservedInstance, b: ObservedInstance): number {
  return (
    Number(b.serving) - Number(a.serving) ||
    STATE_ORDER[a.state] - STATE_ORDER[b.state] ||
    b.generation - a.generation ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}
