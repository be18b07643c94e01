import { type Changed, dataPreview, type MergedChange } from "@sampan/delivery";
import { type Plan, renderPlan, type Step } from "@sampan/plan";
import type { ServerParts } from "./server-parts.ts";

/** What every change answers. */
export async function changeReply(parts: ServerParts, changed: Changed) {
  const { plan, base, digest, appId, recordId, rolloutId } = changed;
  const data = await dataPreview(parts, plan);
  return {
    plan: { ...planView(plan, base), digest },
    changes: changed.changes.map((change) => ({ ...change })),
    preflight: changed.preflight.map((check) => ({ ...check })),
    ...(data === undefined
      ? {}
      : {
          data: {
            capture: data.capture.map((one) => ({ ...one, volumes: [...one.volumes] })),
            restore: data.restore.map((one) => ({ ...one })),
          },
        }),
    ...(appId === undefined ? {} : { appId }),
    ...(recordId === undefined ? {} : { recordId }),
    ...(rolloutId === undefined ? {} : { rolloutId }),
  };
}

export async function mergeReply(parts: ServerParts, done: MergedChange) {
  return {
    ...(await changeReply(parts, done)),
    pulledIn: done.pulledIn.map((one) => ({ ...one })),
    remarks: [...done.remarks],
  };
}

export function planView(plan: Plan, base: number) {
  return {
    id: plan.id,
    generation: plan.generation,
    base,
    steps: plan.steps.map(stepView),
    notes: plan.notes.map((note) => ({ ...note })),
    text: renderPlan(plan),
  };
}

function stepView(step: Step) {
  return {
    id: step.id,
    kind: step.kind,
    needs: [...step.needs],
    why: step.why,
    ...("component" in step ? { component: step.component } : {}),
    ...("index" in step ? { index: step.index } : {}),
  };
}
