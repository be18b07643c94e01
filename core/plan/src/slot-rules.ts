import { Bug } from "@sampan/problem";
import type { DesiredComponent } from "./desired.ts";
import type { ObservedInstance } from "./observed.ts";
import type { Slot } from "./slot.ts";

/** What is done with a slot. */
export type Treatment =
  /** Nothing. */
  | "keep"
  /** Nothing now, with a note that says why. */
  | "hold"
  /** Wait until the instance that is there is ready (a job: complete). */
  | "wait"
  /** Create; wait. */
  | "create"
  /** Create beside others that answer; wait; only then let it answer. */
  | "join"
  /** Finish a replacement: wait, let the new one answer, remove the old one. */
  | "take-over"
  /** Create beside the old one; wait; let it answer; remove the old one. */
  | "roll"
  /** Remove the old one, create; wait. */
  | "stop-start";

export interface SlotRule {
  readonly when: (slot: Slot) => boolean;
  readonly treat: Treatment;
  readonly why: (slot: Slot, changes: readonly string[] | undefined) => string;
}

/** First match wins. */
export const SLOT_RULES: readonly SlotRule[] = [
  {
    when: (slot) => !slot.seenWhole && (slot.outdated !== undefined || slot.spares.length > 0),
    treat: "hold",
    why: () => "not all of the app could be seen, so nothing is removed",
  },
  {
    when: (slot) => slot.leftFailure !== undefined,
    treat: "hold",
    why: (slot) => `${slot.leftFailure}; it is run again when somebody asks`,
  },
  {
    when: (slot) => slot.blockedBy !== undefined && slot.current === undefined,
    treat: "hold",
    why: (slot) => `it needs ${slot.blockedBy}, which failed`,
  },
  {
    when: (slot) => isJob(slot) && slot.current?.state === "completed",
    treat: "keep",
    why: () => "it has completed, and its specification is the same",
  },
  {
    when: (slot) => isJob(slot) && slot.current !== undefined,
    treat: "wait",
    why: () => "it has not completed yet",
  },
  {
    when: (slot) => isJob(slot) && slot.outdated !== undefined,
    treat: "stop-start",
    why: whatChanged,
  },
  {
    when: (slot) => slot.current !== undefined && !slot.current.serving,
    treat: "take-over",
    why: () => "its replacement was begun and not finished",
  },
  {
    when: (slot) => slot.current?.state === "ready",
    treat: "keep",
    why: () => "it is as desired, and ready",
  },
  {
    when: (slot) => slot.current !== undefined,
    treat: "wait",
    why: (slot) => `it is ${slot.current?.state}${inBrackets(slot.current?.message)}`,
  },
  {
    when: (slot) => slot.portWantedBy !== undefined,
    treat: "stop-start",
    why: (slot, changes) =>
      `${whatChanged(slot, changes)}; stopped first, because ${slot.portWantedBy} gets its host port`,
  },
  {
    when: (slot) => slot.outdated !== undefined && slot.component.kind === "stateful",
    treat: "stop-start",
    why: (slot, changes) => `${whatChanged(slot, changes)}; stopped first, because it is stateful`,
  },
  {
    when: (slot) => slot.outdated !== undefined && sharesHostPort(slot.component, slot.outdated),
    treat: "stop-start",
    why: (slot, changes) =>
      `${whatChanged(slot, changes)}; stopped first, because a host port can be held by one instance at a time`,
  },
  {
    when: (slot) => slot.outdated?.state === "stopped" || slot.outdated?.state === "completed",
    treat: "stop-start",
    why: (slot, changes) => `${whatChanged(slot, changes)}; the old one no longer runs`,
  },
  { when: (slot) => slot.outdated !== undefined, treat: "roll", why: whatChanged },
  {
    when: (slot) => slot.component.kind === "stateless" && slot.othersAnswer,
    treat: "join",
    why: absentWhy,
  },
  { when: () => true, treat: "create", why: absentWhy },
];

/** What is done with a slot, and why. */
export function judgeSlot(
  slot: Slot,
  changes: readonly string[] | undefined,
): { readonly treatment: Treatment; readonly why: string } {
  const rule = SLOT_RULES.find((one) => one.when(slot));
  if (rule === undefined) throw new Bug("the last slot rule matches everything");
  return { treatment: rule.treat, why: rule.why(slot, changes) };
}

const NAMED_CHANGES_MAX = 3;

function whatChanged(slot: Slot, changes: readonly string[] | undefined): string {
  if (changes !== undefined && changes.length > 0) {
    const named = changes.slice(0, NAMED_CHANGES_MAX);
    const more = changes.length - named.length;
    if (more > 0) return `${named.join(", ")} and ${more} more changed`;
    const last = named.pop();
    return `${named.length === 0 ? "" : `${named.join(", ")} and `}${last} changed`;
  }
  const old = slot.outdated ?? slot.emptied;
  return old !== undefined && old.imageId !== slot.component.spec.image.id
    ? "image changed"
    : "specification changed";
}

function absentWhy(slot: Slot, changes: readonly string[] | undefined): string {
  const [spare] = slot.spares;
  if (spare !== undefined) return spare.why;
  if (slot.emptied === undefined) return "it does not run yet";
  return slot.emptied.specDigest === slot.component.specDigest
    ? "it was stopped for the sake of data"
    : whatChanged(slot, changes);
}

function isJob(slot: Slot): boolean {
  return slot.component.kind === "job";
}

function sharesHostPort(component: DesiredComponent, instance: ObservedInstance): boolean {
  const held = new Set(instance.hostPorts.map((one) => one.hostPort));
  return component.spec.ports.some(
    (port) => port.hostPort !== undefined && port.hostPort > 0 && held.has(port.hostPort),
  );
}

function inBrackets(text: string | undefined): string {
  return text === undefined ? "" : ` (${text})`;
}
