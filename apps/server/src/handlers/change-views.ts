import type { Changed, MergedChange } from "@sampan/delivery";
import { type Plan, renderPlan, type Step } from "@sampan/plan";
import type { ServerParts } from "./server-parts.ts";

/** What every change answers. */
export async function changeReply(parts: ServerParts, changed: Changed) {
  const { plan, base, appId, recordId, rolloutId } = changed;
  const data = await dataView(parts, plan);
  return {
    plan: planView(parts, plan, base),
    preflight: [],
    ...(data === undefined ? {} : { data }),
    ...(appId === undefined ? {} : { appId }),
    ...(recordId === undefined ? {} : { recordId }),
    ...(rolloutId === undefined ? {} : { rolloutId }),
  };
}

export async function mergeReply(parts: ServerParts, done: MergedChange) {
  return {
    ...(await changeReply(parts, done)),
    changes: done.changes.map((change) => ({ ...change })),
    pulledIn: done.pulledIn.map((one) => ({ ...one })),
    remarks: [...done.remarks],
  };
}

export function planView(parts: Pick<ServerParts, "sha256">, plan: Plan, base: number) {
  return {
    id: plan.id,
    generation: plan.generation,
    base,
    digest: parts.sha256(JSON.stringify({ base, steps: plan.steps, notes: plan.notes })),
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

/** What becomes of data on the way; undefined when nothing does. */
async function dataView(parts: ServerParts, { steps }: Plan) {
  const capture = steps.flatMap((step) =>
    step.kind === "data.capture"
      ? [{ component: step.component, volumes: [...step.volumes], live: step.live }]
      : [],
  );
  const restoring = steps.filter((step) => step.kind === "data.restore");
  const restore = await Promise.all(restoring.map((step) => restoredVolumes(parts, step)));
  return capture.length + restore.length === 0 ? undefined : { capture, restore: restore.flat() };
}

type Restoring = Extract<Step, { readonly kind: "data.restore" }>;

async function restoredVolumes({ store }: ServerParts, { component, volumes, snapshotId }: Restoring) {
  const snapshot = await store.dataSnapshots.get(snapshotId);
  return volumes.map((volume) => {
    const held = snapshot.volumes.find((one) => one.volume === volume && one.component === component);
    return { component, volume, takenAt: snapshot.startedAt, sizeBytes: held?.sizeBytes ?? 0 };
  });
}
