import type { Bytes } from "@sampan/content";
import { runtimeProblem, type VolumeRef, walkTar } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import { CARRIED_AT, makeCarrier, sweepVolumes } from "./volume-carrier.ts";
import { appVolumes, findVolume, volumeTitle } from "./volumes.ts";

/** Between two pieces of an archive; the engine walks large folders meanwhile. */
const PIECE_TIMEOUT_MS = 10 * 60_000;

/**
 * The engine's own archive of a volume, sorted by path. It leaves sockets out. Where a file shrinks under its eyes, it breaks off without
 * a word, with status 200: that is why what comes is checked to be whole.
 */
export async function* readVolume(
  context: DriverContext,
  ref: VolumeRef,
  signal: AbortSignal | undefined,
): Bytes {
  await sweepVolumes(context, ref.app.id, signal);
  // Under the app's lock, no other volume takes this one's place before it is mounted.
  const carrier = await context.lock.run(ref.app.id, async () => {
    const volume = findVolume(await appVolumes(context.scope, ref.app.id, signal), {
      owner: ref.component,
      volume: ref.volume,
    });
    if (volume === undefined)
      throw runtimeProblem("RUNTIME_ABSENT", `there is no ${volumeTitle(ref)}`, {
        why: "the engine has no volume with its labels",
        hint: "Look again.",
      });
    return await makeCarrier(context, { ref, volume, access: "read" }, signal);
  });
  try {
    const archive = context.client.stream({
      method: "GET",
      path: `/containers/${carrier.id}/archive`,
      query: { path: `${CARRIED_AT}/.` },
      what: `read ${volumeTitle(ref)}`,
      timeoutMs: PIECE_TIMEOUT_MS,
      signal,
    });
    yield* walkTar(archive, {
      broken: (why) =>
        runtimeProblem("RUNTIME_REFUSED", `the engine did not give all of ${volumeTitle(ref)}`, {
          why: `what it sent is not whole: ${why}`,
          hint: "Read it while nothing writes to it.",
        }),
    });
  } finally {
    await carrier.remove();
  }
}
