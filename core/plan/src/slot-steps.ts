import { Bug } from "@sampan/problem";
import type { DesiredComponent } from "./desired.ts";
import { groundOf } from "./plan-ground.ts";
import { removeInstance } from "./plan-removal.ts";
import type { JudgedSlot, Planning } from "./planner.ts";
import type { Slot } from "./slot.ts";
import type { Treatment } from "./slot-rules.ts";
import { STEP_TIMEOUT_MS } from "./step-list.ts";

/** The steps of one slot: after `ready` it is as desired, after `last` nothing of it is left to do. Undefined: no step. */
interface Treated {
  readonly ready: string;
  readonly last: string;
}

interface Work {
  readonly planning: Planning;
  readonly slot: Slot;
  readonly why: string;
  /** What must be done before the slot is touched. */
  readonly needs: readonly string[];
}

const TREAT: Readonly<Record<Treatment, (work: Work) => Treated | undefined>> = {
  keep: () => undefined,
  hold: ({ planning, slot, why }) => {
    planning.notes.push({
      component: slot.component.name,
      text: `instance ${slot.index} is left as it is: ${why}`,
    });
    return undefined;
  },
  wait: (work) => {
    const ready = awaitReady(work, { needs: [], why: work.why });
    return { ready, last: ready };
  },
  create: (work) => {
    const created = create(work, { serve: "now", needs: [...work.needs, ...removeSpares(work)] });
    const ready = awaitReady(work, { needs: [created], why: HEALTHY });
    return { ready, last: ready };
  },
  join: (work) => {
    const created = create(work, { serve: "later", needs: [...work.needs, ...removeSpares(work)] });
    const serving = serve(work, {
      needs: [awaitReady(work, { needs: [created], why: HEALTHY })],
    });
    return { ready: serving, last: serving };
  },
  "take-over": (work) => {
    removeSpares(work);
    const serving = serve(work, { needs: [awaitReady(work, { needs: [], why: work.why })] });
    return {
      ready: serving,
      last: removeOutdated(work, { needs: [serving], why: "the new one serves" }) ?? serving,
    };
  },
  roll: (work) => {
    const created = create(work, { serve: "later", needs: [...work.needs, ...removeSpares(work)] });
    const serving = serve(work, {
      needs: [awaitReady(work, { needs: [created], why: HEALTHY })],
    });
    return {
      ready: serving,
      last: removeOutdated(work, { needs: [serving], why: "the new one serves" }) ?? serving,
    };
  },
  "stop-start": (work) => {
    const removed = removeOutdated(work, { needs: work.needs, why: work.why });
    if (removed === undefined) throw new Bug("a stop-start has an instance to stop");
    const created = create(work, { serve: "now", needs: [...work.needs, ...removeSpares(work), removed] });
    const ready = awaitReady(work, { needs: [created], why: HEALTHY });
    return { ready, last: ready };
  },
};

const HEALTHY = "done only when it is healthy";

/** Adds the steps of a component's slots, and notes after which steps those that need it may start. */
export function treatSlots(planning: Planning, component: DesiredComponent): void {
  const judged = planning.judged.get(component.name) ?? [];
  const needs = judged.some((one) => one.treatment !== "keep") ? needsOf(planning, component) : [];
  const chain: string[] = [];
  const ends: string[] = [];
  for (const { slot, treatment, why } of judged) {
    const before = isChained(component, treatment) ? chain.at(-inFlightOf(planning, component)) : undefined;
    const work = { planning, slot, why, needs: before === undefined ? needs : [...needs, before] };
    if (slot.seenWhole && (treatment === "keep" || treatment === "wait")) removeSpares(work);
    const treated = TREAT[treatment](work);
    if (treated === undefined) continue;
    ends.push(treated.ready);
    chain.push(treated.last);
  }
  planning.ends.set(component.name, ends);
}

/** Replacements follow each other, and so do instances of a stateful component; fresh stateless ones start side by side. */
function isChained(component: DesiredComponent, treatment: JudgedSlot["treatment"]): boolean {
  return component.kind === "stateful" || (treatment !== "create" && treatment !== "wait");
}

function inFlightOf(planning: Planning, component: DesiredComponent): number {
  return component.kind === "stateful" ? 1 : planning.inFlight;
}

function needsOf(planning: Planning, component: DesiredComponent): readonly string[] {
  const freed = component.spec.ports.flatMap((port) => planning.portFreedBy.get(port.hostPort ?? 0) ?? []);
  const ends = component.needs.flatMap((need) => planning.ends.get(need) ?? []);
  for (const need of component.needs) noteIdleNeed(planning, component, need);
  return [...groundOf(planning, component), ...freed, ...ends];
}

function noteIdleNeed(planning: Planning, component: DesiredComponent, need: string): void {
  const target = planning.byName.get(need);
  if (target === undefined || (target.kind !== "cron" && target.replicas > 0)) return;
  const because = target.kind === "cron" ? "runs by its schedule" : "is stopped";
  planning.notes.push({
    component: component.name,
    text: `it needs ${need}, which ${because}: it starts without waiting for it`,
  });
}

function create(
  work: Work,
  options: { readonly serve: "now" | "later"; readonly needs: readonly string[] },
): string {
  return work.planning.list.add(
    { kind: "instance.create", ...identityOf(work.slot), serve: options.serve },
    { needs: options.needs, why: work.why, timeoutMs: STEP_TIMEOUT_MS.create },
  );
}

function awaitReady(
  work: Work,
  options: { readonly needs: readonly string[]; readonly why: string },
): string {
  const { component } = work.slot;
  const kind = component.kind === "job" ? "instance.complete" : "instance.ready";
  return work.planning.list.add(
    { kind, ...identityOf(work.slot) },
    { ...options, timeoutMs: component.startWithinMs },
  );
}

function serve(work: Work, options: { readonly needs: readonly string[] }): string {
  return work.planning.list.add(
    { kind: "instance.serve", ...identityOf(work.slot) },
    { needs: options.needs, why: "it is ready to take over", timeoutMs: STEP_TIMEOUT_MS.serve },
  );
}

function identityOf({ component, index }: Slot) {
  return { component: component.name, index, specDigest: component.specDigest };
}

function removeSpares({ planning, slot }: Work): readonly string[] {
  return slot.spares.map(({ instance, why }) => removeInstance(planning, instance, { needs: [], why }));
}

function removeOutdated(
  { planning, slot }: Work,
  options: { readonly needs: readonly string[]; readonly why: string },
): string | undefined {
  return slot.outdated === undefined ? undefined : removeInstance(planning, slot.outdated, options);
}
