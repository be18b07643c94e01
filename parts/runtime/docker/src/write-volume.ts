import { execFile } from "node:child_process";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import type { Bytes } from "@sampan/content";
import type { Problem } from "@sampan/problem";
import { checksumOf, runtimeProblem, type TarWalkEntry, type VolumeRef, walkTar } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import type { EngineContainerSummary, EngineVolume } from "./engine-types.ts";
import { LABEL } from "./labels.ts";
import { CARRIED_AT, makeCarrier, removeEngineVolume, sweepCarriers } from "./volume-carrier.ts";
import { appVolumes, createReplacement, createVolume, findVolume, volumeTitle } from "./volumes.ts";

const BLOCK_BYTES = 512;

/**
 * The engine cannot rename a volume, and one that is written into cannot be put back. So another volume is filled beside the one that is
 * there, and says in a label whose place it is to take: it counts once that one is gone, and nothing fills it any more.
 *
 *     data                    data-r1 (replaces data)
 *     counts                  made, filled through a carrier: does not count
 *     counts                  whole, its carrier gone: does not count yet
 *     removed by the engine   counts from this moment on
 */
export async function writeVolume(
  context: DriverContext,
  ref: VolumeRef,
  tar: Bytes,
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.lock.run(lockOf(ref), async () => {
    await sweepCarriers(context, ref.app.id, signal);
    const { before, made } = await volumeBefore(context, ref, signal);
    context.working.add(before.Name);
    try {
      await refuseMounted(context, ref, before, signal);
      const next = await createReplacement(context, ref, before, signal);
      await fillThroughCarrier(context, ref, { next, tar }, signal);
      await takePlace(context, ref, before, signal);
    } catch (error) {
      await undo(context, ref, { before, made }).catch(() => {});
      throw error;
    } finally {
      context.working.delete(before.Name);
    }
  });
}

/** Removes a component's volume, unless something mounts it. */
export async function removeVolume(
  context: DriverContext,
  ref: VolumeRef,
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.lock.run(lockOf(ref), async () => {
    await sweepCarriers(context, ref.app.id, signal);
    await context.lock.run(ref.app.id, async () => {
      const volume = await currentVolume(context, ref, signal);
      if (volume === undefined) return;
      if (!(await removeEngineVolume(context, volume.Name, signal)))
        throw mounted(ref, "removed", await context.scope.containersMounting(volume.Name, signal));
    });
  });
}

function lockOf({ app, component, volume }: VolumeRef): string {
  return `volume ${app.id}/${component}/${volume}`;
}

async function currentVolume(
  context: DriverContext,
  { app, component, volume }: VolumeRef,
  signal: AbortSignal | undefined,
): Promise<EngineVolume | undefined> {
  return findVolume(await appVolumes(context.scope, app.id, signal), { owner: component, volume });
}

/** Where there is none, an empty one is made first, so that there is always one whose place is taken. */
async function volumeBefore(
  context: DriverContext,
  ref: VolumeRef,
  signal: AbortSignal | undefined,
): Promise<{ readonly before: EngineVolume; readonly made: boolean }> {
  return await context.lock.run(ref.app.id, async () => {
    const there = await currentVolume(context, ref, signal);
    if (there !== undefined) return { before: there, made: false };
    const wanted = { owner: ref.component, volume: ref.volume };
    return { before: await createVolume(context, ref.app, wanted, signal), made: true };
  });
}

async function fillThroughCarrier(
  context: DriverContext,
  ref: VolumeRef,
  { next, tar }: { readonly next: EngineVolume; readonly tar: Bytes },
  signal: AbortSignal | undefined,
): Promise<void> {
  const carrier = await makeCarrier(context, { ref, volume: next, access: "fill" }, signal);
  try {
    await fill(context, ref, { carrier: carrier.id, tar }, signal);
    await flush(context, next);
  } finally {
    await carrier.remove();
  }
}

/** Under the app's lock, no instance is being made that would mount what is removed. */
async function takePlace(
  context: DriverContext,
  ref: VolumeRef,
  before: EngineVolume,
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.lock.run(ref.app.id, async () => {
    signal?.throwIfAborted();
    if (!(await removeEngineVolume(context, before.Name)))
      throw mounted(ref, "written", await context.scope.containersMounting(before.Name));
  });
}

/**
 * What cannot be undone now is swept up later. After a failure it may not be known whether the engine removed the one before: then the
 * next one counts, and stays. And while a next one is there, the one before never goes.
 */
async function undo(
  context: DriverContext,
  ref: VolumeRef,
  { before, made }: { readonly before: EngineVolume; readonly made: boolean },
): Promise<void> {
  const all = await context.scope.volumes(ref.app.id);
  if (!all.some(({ Name }) => Name === before.Name)) return;
  const next = all.find(({ Labels }) => Labels?.[LABEL.replaces] === before.Name);
  const undone = next === undefined || (await removeEngineVolume(context, next.Name));
  if (undone && made) await removeEngineVolume(context, before.Name);
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

/** Where the engine's disk is this machine's, what was written is on it before the data it replaces goes. */
async function flush(context: DriverContext, volume: EngineVolume): Promise<void> {
  if (context.client.address.kind !== "socket") return;
  await promisify(execFile)("sync", ["--file-system", volume.Mountpoint], { timeout: 60_000 }).catch(
    () => {},
  );
}

async function refuseMounted(
  context: DriverContext,
  ref: VolumeRef,
  before: EngineVolume,
  signal: AbortSignal | undefined,
): Promise<void> {
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
