import { createHash } from "node:crypto";
import type { AppRef, StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext, type VolumeRef } from "@sampan/runtime";
import { containersForStep } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineScope } from "./engine-scope.ts";
import type { EngineLabels, EngineVolume } from "./engine-types.ts";
import { LABEL, ownerLabels } from "./labels.ts";
import { elsewhere, volumeName } from "./names.ts";

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

/** The volumes of an app that count: not those that are still to take the place of another, nor those being filled. See write-volume.ts. */
export async function appVolumes(
  scope: EngineScope,
  app: string,
  signal: AbortSignal | undefined,
): Promise<readonly EngineVolume[]> {
  const all = await scope.volumes(app, signal);
  if (!all.some(({ Labels }) => LABEL.replaces in (Labels ?? {}))) return all;
  const carriers = await scope.volumeCarriers(app, signal);
  const filling = new Set(carriers.map(({ Labels }) => Labels?.[LABEL.fills]));
  return all.filter((one) => !isReplacement(one, all) && !filling.has(one.Name));
}

/** Whether the volume whose place it is to take is still there. */
export function isReplacement({ Labels }: EngineVolume, all: readonly EngineVolume[]): boolean {
  const replaced = Labels?.[LABEL.replaces];
  return replaced !== undefined && all.some(({ Name }) => Name === replaced);
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

export async function createVolume(
  context: DriverContext,
  app: AppRef,
  wanted: Wanted,
  signal: AbortSignal | undefined,
): Promise<EngineVolume> {
  const name = volumeName(app, wanted);
  return await createNamed(context, { app, wanted, names: [name, elsewhere(name, app)] }, signal);
}

/** Makes the volume that is to take the place of another one of the same component. Its name says nothing but that. */
export async function createReplacement(
  context: DriverContext,
  { app, component, volume }: VolumeRef,
  before: EngineVolume,
  signal: AbortSignal | undefined,
): Promise<EngineVolume> {
  const leftover = (await context.scope.volumes(app.id, signal)).find(
    ({ Labels }) => Labels?.[LABEL.replaces] === before.Name,
  );
  if (leftover !== undefined)
    throw runtimeProblem("RUNTIME_REFUSED", `volume ${leftover.Name} of an earlier attempt is still there`, {
      why: "it could not be removed: some container mounts it",
      hint: `Remove that container (docker ps -a --filter volume=${leftover.Name}), and try again.`,
    });
  const wanted = { owner: component, volume };
  const turn = createHash("sha256").update(before.Name).digest("hex").slice(0, 6);
  const name = `${volumeName(app, wanted)}-r${turn}`;
  const labels = { [LABEL.replaces]: before.Name };
  return await createNamed(context, { app, wanted, names: [name, elsewhere(name, app)], labels }, signal);
}

async function createNamed(
  context: DriverContext,
  making: {
    readonly app: AppRef;
    readonly wanted: Wanted;
    readonly names: readonly string[];
    readonly labels?: EngineLabels;
  },
  signal: AbortSignal | undefined,
): Promise<EngineVolume> {
  const { app, wanted, names } = making;
  const labels = {
    ...ownerLabels(app, context.scope.site),
    [LABEL.component]: wanted.owner,
    [LABEL.volume]: wanted.volume,
    ...making.labels,
  };
  for (const name of names) {
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
  throw foreign(names.at(-1) ?? "");
}

function foreign(name: string): Error {
  return runtimeProblem("RUNTIME_REFUSED", `there is a volume ${name} that Sampan did not make`, {
    why: "it carries no labels of this app, so its data may be somebody else's",
    hint: `Look what is in it; then rename or remove it (docker volume rm ${name}).`,
  });
}
