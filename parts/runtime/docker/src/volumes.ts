import type { AppRef, StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext, type VolumeRef } from "@sampan/runtime";
import { containersForStep } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineScope } from "./engine-scope.ts";
import type { EngineLabels, EngineVolume } from "./engine-types.ts";
import { LABEL, ownerLabels } from "./labels.ts";
import { elsewhere, volumeName } from "./names.ts";
import { countingVolumes } from "./volume-turns.ts";

/** Which volume: the component that owns it, and its name there. */
interface Wanted {
  readonly owner: string;
  readonly volume: string;
}

/** Makes a component's volume when the app has none of that name yet. Data that is there is never touched. */
export async function ensureVolume(
  context: DriverContext,
  step: StepOf<"volume.ensure">,
  { desired, signal }: StepContext,
): Promise<void> {
  await containersForStep(context.scope, desired, signal);
  const wanted = { owner: step.component, volume: step.volume };
  await context.lock.run(desired.app.id, async () => {
    const own = await appVolumes(context.scope, desired.app.id, signal);
    if (findVolume(own, wanted) !== undefined) return;
    await createVolume(context, desired.app, wanted, signal);
  });
}

/** The volumes of an app that count; see volume-turns.ts. */
export async function appVolumes(
  scope: EngineScope,
  app: string,
  signal: AbortSignal | undefined,
): Promise<readonly EngineVolume[]> {
  return countingVolumes(await scope.volumes(app, signal));
}

export function findVolume(volumes: readonly EngineVolume[], wanted: Wanted): EngineVolume | undefined {
  return volumes.find(
    ({ Labels }) => Labels?.[LABEL.component] === wanted.owner && Labels[LABEL.volume] === wanted.volume,
  );
}

/** How people know a volume. */
export function volumeTitle({ app, component, volume }: VolumeRef): string {
  return `volume ${volume} of ${component} in ${app.slug}`;
}

/** Makes the first volume, or with a turn the one that comes after others. */
export async function createVolume(
  context: DriverContext,
  app: AppRef,
  wanted: Wanted & { readonly turn?: number },
  signal: AbortSignal | undefined,
): Promise<EngineVolume> {
  const { turn } = wanted;
  const labels = {
    [LABEL.component]: wanted.owner,
    [LABEL.volume]: wanted.volume,
    ...(turn === undefined ? {} : { [LABEL.turn]: String(turn) }),
  };
  const name = volumeName(app, wanted);
  return await createNamed(
    context,
    { app, name: turn === undefined ? name : `${name}-r${turn}`, labels },
    signal,
  );
}

/** Makes the empty volume because of which another one, not made yet, does not count. */
export async function createGuard(
  context: DriverContext,
  app: AppRef,
  wanted: Wanted & { readonly turn: number },
  signal: AbortSignal | undefined,
): Promise<EngineVolume> {
  const labels = { [LABEL.guards]: `${wanted.owner}/${wanted.volume}/${wanted.turn}` };
  const name = `${volumeName(app, wanted)}-r${wanted.turn}-guard`;
  return await createNamed(context, { app, name, labels }, signal);
}

async function createNamed(
  context: DriverContext,
  making: { readonly app: AppRef; readonly name: string; readonly labels: EngineLabels },
  signal: AbortSignal | undefined,
): Promise<EngineVolume> {
  const { app } = making;
  const labels = { ...ownerLabels(app, context.scope.site), ...making.labels };
  for (const name of [making.name, elsewhere(making.name, app)]) {
    const { body } = await context.client.call<EngineVolume>({
      method: "POST",
      path: "/volumes/create",
      body: { Name: name, Labels: labels },
      what: `make volume ${name}`,
      signal,
    });
    // The engine answers with the volume that is there when the name is taken.
    if (Object.entries(labels).every(([key, value]) => body.Labels?.[key] === value)) return body;
    if (body.Labels?.[LABEL.app] === undefined) throw foreign(name);
  }
  throw foreign(elsewhere(making.name, app));
}

function foreign(name: string): Error {
  return runtimeProblem("RUNTIME_REFUSED", `there is a volume ${name} that Sampan did not make`, {
    why: "it carries no labels of this app, so its data may be somebody else's",
    hint: `Look what is in it; then rename or remove it (docker volume rm ${name}).`,
  });
}
