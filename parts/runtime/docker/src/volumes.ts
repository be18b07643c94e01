import type { AppRef, StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext } from "@sampan/runtime";
import { containersForStep } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineVolume } from "./engine-types.ts";
import { LABEL, ownerLabels } from "./labels.ts";
import { elsewhere, volumeName } from "./names.ts";

/** Makes a component's volume when the app has none of that name yet. Data that is there is never touched. */
export async function ensureVolume(
  context: DriverContext,
  step: StepOf<"volume.ensure">,
  { desired, signal }: StepContext,
): Promise<void> {
  await containersForStep(context.scope, desired, signal);
  const wanted = { owner: step.component, volume: step.volume };
  await context.lock.run(desired.app.id, async () => {
    const own = await context.scope.volumes(desired.app.id, signal);
    if (findVolume(own, wanted) !== undefined) return;
    await createVolume(context, desired.app, wanted, signal);
  });
}

export function findVolume(
  volumes: readonly EngineVolume[],
  wanted: { readonly owner: string; readonly volume: string },
): EngineVolume | undefined {
  return volumes.find(
    ({ Labels }) => Labels?.[LABEL.component] === wanted.owner && Labels[LABEL.volume] === wanted.volume,
  );
}

async function createVolume(
  context: DriverContext,
  app: AppRef,
  wanted: { readonly owner: string; readonly volume: string },
  signal: AbortSignal,
): Promise<void> {
  const name = volumeName(app, wanted);
  for (const candidate of [name, elsewhere(name, app)]) {
    const labels = {
      ...ownerLabels(app, context.scope.site),
      [LABEL.component]: wanted.owner,
      [LABEL.volume]: wanted.volume,
    };
    const { body } = await context.client.call<EngineVolume>({
      method: "POST",
      path: "/volumes/create",
      body: { Name: candidate, Labels: labels },
      what: `make volume ${candidate}`,
      signal,
    });
    // The engine answers with the volume that is there when the name is taken.
    if (context.scope.owns(body.Labels, app.id) && findVolume([body], wanted) !== undefined) return;
    if (body.Labels?.[LABEL.app] === undefined) throw foreign(candidate);
  }
  throw foreign(elsewhere(name, app));
}

function foreign(name: string): Error {
  return runtimeProblem("RUNTIME_REFUSED", `there is a volume ${name} that Sampan did not make`, {
    why: "it carries no labels of this app, so its data may be somebody else's",
    hint: `Look what is in it; then rename or remove it (docker volume rm ${name}).`,
  });
}
