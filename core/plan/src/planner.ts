import { type DataWish, type DataWork, dataWorkOf, observedAfter } from "./data-work.ts";
import type { Desired, DesiredComponent } from "./desired.ts";
import { needOrder } from "./need-order.ts";
import type { Observed, ObservedInstance } from "./observed.ts";
import { putDataFirst, resumeData } from "./plan-data.ts";
import { ensureGround, startingComponents, volumeKey } from "./plan-ground.ts";
import { removeApp, removeGone, removeSurplus } from "./plan-removal.ts";
import type { Plan } from "./plan-types.ts";
import { claimHostPorts, removeForPorts } from "./port-claims.ts";
import { planProblem } from "./problems.ts";
import { type Slot, slotsOf } from "./slot.ts";
import { judgeSlot, type Treatment } from "./slot-rules.ts";
import { treatSlots } from "./slot-steps.ts";
import { StepList } from "./step-list.ts";

export interface PlanOptions {
  /** ISO time, written into the plan. */
  readonly now: string;
  readonly newId: () => string;
  /** How many instances of one component are replaced at a time; 1 when absent. */
  readonly inFlight?: number;
  /** What becomes of a job that failed for good: `run again` (when absent) suits a change, `leave` a repair that nobody asked for. */
  readonly failedJobs?: "run again" | "leave";
  /** What is done with data on the way, once: it is no part of what is desired. */
  readonly data?: DataWish;
}

/** What the parts of planning share while one plan is made. */
export interface Planning {
  readonly desired: Desired;
  /** Without the instances that go first, for the sake of data. */
  readonly observed: Observed;
  readonly data: DataWork | undefined;
  readonly inFlight: number;
  /** Each after all that it needs. */
  readonly components: readonly DesiredComponent[];
  readonly byName: ReadonlyMap<string, DesiredComponent>;
  /** By component: those that need it. */
  readonly usersOf: ReadonlyMap<string, readonly string[]>;
  /** By host port: the component that asks for it. */
  readonly portClaims: ReadonlyMap<number, string>;
  readonly instancesOf: ReadonlyMap<string, readonly ObservedInstance[]>;
  readonly judged: ReadonlyMap<string, readonly JudgedSlot[]>;
  readonly list: StepList;
  readonly notes: { readonly component?: string; readonly text: string }[];
  readonly imagesSeen: ReadonlySet<string>;
  readonly volumesSeen: ReadonlySet<string>;
  /** By `network`, volume key or image ID: the step that brings it. */
  readonly ground: Map<string, string>;
  /** By instance id: the step that removes it. */
  readonly removals: Map<string, string>;
  /** By component: the steps after which all its instances are ready (a job: complete). */
  readonly ends: Map<string, readonly string[]>;
  /** By host port: the steps after which it is free. */
  readonly portFreedBy: Map<number, readonly string[]>;
}

export interface JudgedSlot {
  readonly slot: Slot;
  readonly treatment: Treatment;
  readonly why: string;
}

/**
 * The steps from what was observed to what is desired, each with its reason. The same input gives the same plan, and what is as
 * desired gives no step. Throws PLAN_STALE, PLAN_NEED_CYCLE, PLAN_NEED_ABSENT, PLAN_PORT_CONFLICT; for data PLAN_DATA_ABSENT, PLAN_DATA_UNSEEN.
 */
export function plan(desired: Desired, observed: Observed, options: PlanOptions): Plan {
  refuseStale(desired, observed);
  const planning = beginPlanning(desired, observed, options);
  const isGoing = desired.remove === true;
  if (!isGoing) ensureGround(planning, startingComponents(planning));
  putDataFirst(planning);
  if (isGoing) removeApp(planning);
  else {
    removeForPorts(planning);
    for (const component of planning.components) {
      treatSlots(planning, component);
      resumeData(planning, component);
    }
    for (const component of planning.components.toReversed()) removeSurplus(planning, component);
    removeGone(planning);
  }
  return {
    id: options.newId(),
    app: desired.app,
    generation: desired.generation,
    createdAt: options.now,
    steps: planning.list.steps,
    notes: planning.notes,
  };
}

export function refuseStale(desired: Desired, observed: Observed): void {
  if (observed.generation <= desired.generation) return;
  throw planProblem("PLAN_STALE", `the plan for ${desired.app.slug} would go back in time`, {
    why: `the engine carries work of generation ${observed.generation}, and this is generation ${desired.generation}`,
    hint: "read the app again and make a new plan",
  });
}

/** Looks at everything once: order, claims, and what is done with each slot. */
export function beginPlanning(desired: Desired, seen: Observed, options: PlanOptions): Planning {
  const data = dataWorkOf(desired, seen, options.data);
  const observed = observedAfter(seen, data);
  const components = needOrder(desired.components);
  const portClaims = claimHostPorts(components);
  const instancesOf = Map.groupBy(observed.instances, (instance) => instance.component);
  const judged = new Map<string, readonly JudgedSlot[]>();
  const blocked = new Set<string>();
  const going = data?.going.map(({ instance }) => instance) ?? [];
  const emptied = Map.groupBy(going, (instance) => instance.component);
  const context = { observed, portClaims, failedJobs: options.failedJobs ?? "run again", blocked, emptied };
  for (const component of components) {
    const slots = slotsOf(component, instancesOf.get(component.name) ?? [], context).map((slot) => ({
      slot,
      ...judgeSlot(slot, changesOf(desired, component.name)),
    }));
    judged.set(component.name, slots);
    if (slots.some(({ slot, treatment }) => treatment === "hold" && slot.seenWhole))
      blocked.add(component.name);
  }
  return {
    desired,
    observed,
    data,
    inFlight: Math.max(1, Math.trunc(options.inFlight ?? 1)),
    components,
    byName: new Map(components.map((component) => [component.name, component])),
    usersOf: usersOf(components),
    portClaims,
    instancesOf,
    judged,
    list: new StepList(),
    notes: [],
    imagesSeen: new Set(observed.images),
    volumesSeen: new Set(observed.volumes.map((one) => volumeKey(one.owner, one.volume))),
    ground: new Map(),
    removals: new Map(),
    ends: new Map(),
    portFreedBy: new Map(),
  };
}

function changesOf({ changes }: Desired, name: string): readonly string[] | undefined {
  return changes !== undefined && Object.hasOwn(changes, name) ? changes[name] : undefined;
}

function usersOf(components: readonly DesiredComponent[]): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { name, needs } of components)
    for (const need of needs) {
      const known = users.get(need);
      if (known === undefined) users.set(need, [name]);
      else known.push(name);
    }
  return users;
}
