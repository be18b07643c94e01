import { randomUUID } from "node:crypto";
import { runtimeProblem, type VolumeRef } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import type { EngineVolume } from "./engine-types.ts";
import { LABEL, ownerLabels } from "./labels.ts";
import { sortTurns } from "./volume-turns.ts";

/** Where a carrier has the volume. */
export const CARRIED_AT = "/volume";

/** The engine removes about two thousand files a second on a slow disk. */
const REMOVAL_TIMEOUT_MS = 30 * 60_000;

type Access = "read" | "fill";

/** Content of a volume goes in and out through a container that mounts it and never starts. Returns its id. */
export async function makeCarrier(
  context: DriverContext,
  carried: { readonly ref: VolumeRef; readonly volume: EngineVolume; readonly access: Access },
  signal: AbortSignal | undefined,
): Promise<{ readonly id: string; remove(): Promise<void> }> {
  const { ref, volume, access } = carried;
  const { client, scope, working } = context;
  if ((await scope.imageById(ref.imageId, signal)) === undefined)
    throw runtimeProblem(
      "RUNTIME_IMAGE_ABSENT",
      `volume ${ref.volume} of ${ref.component} cannot be reached`,
      {
        why: `a container is to carry its content, and the engine does not have its image ${ref.imageId}`,
      },
    );
  const mark = randomUUID();
  working.add(mark);
  try {
    const { body } = await client.call<{ readonly Id: string }>({
      method: "POST",
      path: "/containers/create",
      body: {
        Image: ref.imageId,
        Entrypoint: ["sampan-volume"],
        Labels: {
          ...ownerLabels(ref.app, scope.site),
          [LABEL.carrier]: mark,
        },
        HostConfig: {
          NetworkMode: "none",
          Mounts: [
            {
              Type: "volume",
              Source: volume.Name,
              Target: CARRIED_AT,
              ReadOnly: access === "read",
              VolumeOptions: { NoCopy: true },
            },
          ],
        },
      },
      what: `make a container to carry volume ${volume.Name}`,
      signal,
    });
    return {
      id: body.Id,
      async remove() {
        try {
          await removeContainer(context, body.Id);
        } finally {
          working.delete(mark);
        }
      },
    };
  } catch (error) {
    working.delete(mark);
    throw error;
  }
}

/** Removes what work on volumes left behind when its process ended: carriers, volumes with a guard, and volumes whose turn is over. */
export async function sweepVolumes(
  context: DriverContext,
  app: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { scope, working } = context;
  for (const { Id, Labels } of await scope.volumeCarriers(app, signal))
    if (!working.has(Labels?.[LABEL.carrier] ?? "")) await removeContainer(context, Id);
  const { over, guards } = sortTurns(await scope.volumes(app, signal));
  for (const { guard, mark, guarded } of guards) {
    if (working.has(mark)) continue;
    const removed = await Promise.all(guarded.map(({ Name }) => removeEngineVolume(context, Name, signal)));
    if (removed.every(Boolean)) await removeEngineVolume(context, guard.Name, signal);
  }
  for (const { Name } of over) await removeEngineVolume(context, Name, signal);
}

/** False when containers mount it. */
export async function removeEngineVolume(
  context: Pick<DriverContext, "client">,
  name: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const { status } = await context.client.call({
    method: "DELETE",
    path: `/volumes/${encodeURIComponent(name)}`,
    what: `remove volume ${name}`,
    accept: [404, 409],
    timeoutMs: REMOVAL_TIMEOUT_MS,
    signal,
  });
  return status !== 409;
}

async function removeContainer(context: DriverContext, id: string): Promise<void> {
  await context.client.call({
    method: "DELETE",
    path: `/containers/${id}`,
    query: { force: true, v: true },
    what: "remove a carrier of a volume",
    accept: [404, 409],
  });
}
