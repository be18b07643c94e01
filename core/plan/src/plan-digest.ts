import type { Digest } from "@sampan/content";
import { canonicalText } from "@sampan/template";
import type { Change } from "./change.ts";
import type { Plan, Step } from "./plan-types.ts";

/** What a person looked at before agreeing to a change. */
export interface PlanShown {
  /** The generation that the change was planned on; 0 for an app that is not yet there. */
  readonly base: number;
  readonly plan: Plan;
  readonly changes: readonly Change[];
}

/**
 * Fingerprint of what would be done: planned again, the same deeds on the same generation give the same one. Ids, times, reasons and
 * what is only waited for have no part in it, so that an instance that restarts meanwhile spoils nothing; nor have secrets (new ones
 * are made each time that a change is planned), so that nobody can guess a password by it.
 */
export function planDigest(
  { base, plan, changes }: PlanShown,
  { sha256 }: { readonly sha256: (text: string) => Digest },
): Digest {
  const created = new Set(
    plan.steps.flatMap((step) => (step.kind === "instance.create" ? placeOf(step) : [])),
  );
  const isDeed = (step: Step) =>
    (step.kind !== "instance.ready" && step.kind !== "instance.complete") || created.has(placeOf(step));
  return sha256(
    canonicalText({
      base,
      app: plan.app.slug,
      generation: plan.generation,
      steps: plan.steps.filter(isDeed).map(deedOf),
      changes: changes.map(({ what: _, why: __, ...change }) => change),
    }),
  );
}

function placeOf({ component, index }: { readonly component: string; readonly index: number }): string {
  return `${component} ${index}`;
}

function deedOf(step: Step): object {
  const { id: _, needs: __, why: ___, timeoutMs: ____, ...deed } = step;
  switch (deed.kind) {
    case "instance.create":
    case "instance.ready":
    case "instance.complete":
    case "instance.serve":
      // The digest of a specification holds its secrets.
      return { ...deed, specDigest: undefined };
    case "instance.remove":
      return { ...deed, instanceId: undefined };
    case "data.capture":
      // It names a snapshot that is yet to be made; a restore, one that was chosen.
      return { ...deed, snapshotId: undefined };
    default:
      return deed;
  }
}
