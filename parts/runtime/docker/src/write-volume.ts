import { execFile } from "node:child_process";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import type { Bytes } from "@sampan/content";
import type { Problem } from "@sampan/problem";
import { checksumOf, runtimeProblem, type TarWalkEntry, type VolumeRef, walkTar } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import type { EngineContainerSummary, EngineVolume } from "./engine-types.ts";
import { CARRIED_AT, makeCarrier, removeEngineVolume, sweepVolumes } from "./volume-carrier.ts";
import { countingVolumes, nextTurn, sortTurns } from "./volume-turns.ts";
import { appVolumes, createGuard, createVolume, findVolume, volumeTitle } from "./volumes.ts";

const BLOCK_BYTES = 512;

/** Fills a volume of the next turn beside the one that is there; how it comes to count, volume-turns.ts tells. */
export async function writeVolume(
  context: DriverContext,
  ref: VolumeRef,
  tar: Bytes,
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.lock.run(lockOf(ref), async () => {
    await sweepVolumes(context, ref.app.id, signal);
    const all = await context.scope.volumes(ref.app.id, signal);
    await refuseMounted(context, ref, findVolume(countingVolumes(all), wantedOf(ref)), signal);
    const turn = nextTurn(all, { app: ref.app.id, ...wantedOf(ref) });
    const next = { ...wantedOf(ref), turn };
    const mark = `${ref.app.id}/${ref.component}/${ref.volume}/${turn}`;
    context.working.add(mark);
    try {
      const guard = await createGuard(context, ref.app, next, signal);
      const volume = await createVolume(context, ref.app, next, signal);
      await fillThroughCarrier(context, ref, { volume, tar }, signal);
      await letCount(context, ref, { guard, volume }, signal);
    } catch (error) {
      context.working.delete(mark);
      await sweepVolumes(context, ref.app.id, undefined).catch(() => {});
      throw error;
    }
    // The new content is there: what cannot be removed of the old one now is swept up later.
    await sweepVolumes(context, ref.app.id, signal).catch(() => {});
  });
}

/** Removes a component's volume, unless something mounts it. */
export async function removeVolume(
  context: DriverContext,
  ref: VolumeRef,
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.lock.run(lockOf(ref), async () => {
    await sweepVolumes(context, ref.app.id, signal);
    const key = wantedOf(ref);
    await context.lock.run(ref.app.id, async () => {
      // One whose turn is over, and could not be swept up, goes first: it would count again.
      const { over, counting } = sortTurns(await context.scope.volumes(ref.app.id, signal));
      for (const volume of [...over.filter((one) => findVolume([one], key)), findVolume(counting, key)]) {
        if (volume === undefined || (await removeEngineVolume(context, volume.Name, signal))) continue;
        throw mounted(ref, "removed", await context.scope.containersMounting(volume.Name, signal));
      }
    });
  });
}

function lockOf({ app, component, volume }: VolumeRef): string {
  return `volume ${app.id}/${component}/${volume}`;
}

function wantedOf({ component, volume }: VolumeRef) {
  return { owner: component, volume };
}

/** Under the app's lock, no instance is being made that would mount the volume before. That it counts is looked at, and not believed. */
async function letCount(
  context: DriverContext,
  ref: VolumeRef,
  { guard, volume }: { readonly guard: EngineVolume; readonly volume: EngineVolume },
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.lock.run(ref.app.id, async () => {
    const before = findVolume(await appVolumes(context.scope, ref.app.id, signal), wantedOf(ref));
    await refuseMounted(context, ref, before, signal);
    if (!(await removeEngineVolume(context, guard.Name)))
      throw mounted(ref, "written", await context.scope.containersMounting(guard.Name, signal));
    const after = findVolume(await appVolumes(context.scope, ref.app.id, undefined), wantedOf(ref));
    if (after?.Name === volume.Name) return;
    throw runtimeProblem("RUNTIME_REFUSED", `${volumeTitle(ref)} cannot be written`, {
      why: `its new content lies in ${volume.Name}, and the engine does not show that`,
      hint: "Look at what else works with the engine's volumes, and try again.",
    });
  });
}

async function fillThroughCarrier(
  context: DriverContext,
  ref: VolumeRef,
  { volume, tar }: { readonly volume: EngineVolume; readonly tar: Bytes },
  signal: AbortSignal | undefined,
): Promise<void> {
  const carrier = await makeCarrier(context, { ref, volume, access: "fill" }, signal);
  try {
    await fill(context, ref, { carrier: carrier.id, tar }, signal);
    await flush(context, volume);
  } finally {
    await carrier.remove();
  }
}

async function fill(
  context: DriverContext,
  ref: VolumeRef,
  { carrier, tar }: { readonly carrier: string; readonly tar: Bytes },
  signal: AbortSignal | undefined,
): Promise<void> {
  let root: TarWalkEntry | undefined;
  let failure: { readonly error: unknown } | undefined;
  const walked = walkTar(tar, {
    onEntry(entry) {
      if (entry.type === "5" && /^\.?\/*$/.test(entry.name)) root = entry;
    },
    broken: (why) =>
      runtimeProblem("RUNTIME_REFUSED", `${volumeTitle(ref)} cannot be written`, {
        why: `what is to be in it is not whole: ${why}`,
      }),
  });
  async function* guarded() {
    try {
      yield* walked;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  const body = Readable.from(guarded());
  try {
    await putArchive(context, { ref, carrier, folder: CARRIED_AT, body }, signal);
    // The engine passes over the root of what it unpacks; seen from above, it is a folder like any other.
    if (root !== undefined)
      await putArchive(context, { ref, carrier, folder: "/", body: renamed(root, CARRIED_AT) }, signal);
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    throw error;
  } finally {
    body.destroy();
  }
}

async function putArchive(
  context: DriverContext,
  archive: {
    readonly ref: VolumeRef;
    readonly carrier: string;
    readonly folder: string;
    readonly body: Uint8Array | Readable;
  },
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.client.call({
    method: "PUT",
    path: `/containers/${archive.carrier}/archive`,
    query: { path: archive.folder, noOverwriteDirNonDir: true },
    body: archive.body,
    what: `write ${volumeTitle(archive.ref)}`,
    timeoutMs: 0,
    signal,
  });
}

/** A tar of one entry, under another name: owner, mode, time and attributes stay. Records that tell its name do not. */
function renamed(entry: TarWalkEntry, path: string): Uint8Array {
  const isNamedByRecords = Buffer.from(entry.head).includes(" path=");
  const head = isNamedByRecords ? entry.head.subarray(-BLOCK_BYTES) : entry.head;
  const tar = Buffer.concat([head, new Uint8Array(2 * BLOCK_BYTES)]);
  const header = tar.subarray(head.length - BLOCK_BYTES, head.length);
  header.fill(0, 0, 100);
  header.write(`${path.slice(1)}/`, 0, "latin1");
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return tar;
}

const FLUSH_TIMEOUT_MS = 60_000;

/** Where the engine's disk is this machine's, what was written is on it before the data it replaces goes. */
async function flush(context: DriverContext, volume: EngineVolume): Promise<void> {
  if (context.client.address.kind !== "socket") return;
  const sync = (...of: string[]) => promisify(execFile)("sync", of, { timeout: FLUSH_TIMEOUT_MS });
  // Who may not look into the engine's folders, or sees them elsewhere, has everything written that waits.
  await sync("--file-system", volume.Mountpoint)
    .catch(() => sync())
    .catch(() => {});
}

async function refuseMounted(
  context: DriverContext,
  ref: VolumeRef,
  before: EngineVolume | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (before === undefined) return;
  const mounting = await context.scope.containersMounting(before.Name, signal);
  if (mounting.length > 0) throw mounted(ref, "written", mounting);
}

function mounted(
  ref: VolumeRef,
  done: "written" | "removed",
  by: readonly EngineContainerSummary[],
): Problem {
  const names = by.map(({ Id, Names }) => Names?.[0]?.slice(1) ?? Id.slice(0, 12));
  return runtimeProblem("RUNTIME_REFUSED", `${volumeTitle(ref)} cannot be ${done}`, {
    why: `containers mount it: ${names.join(", ")}`,
    hint: "Remove them first; that they are stopped is not enough.",
  });
}
