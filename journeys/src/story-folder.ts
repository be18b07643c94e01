import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeLeftovers } from "./leftovers.ts";
import { processStart } from "./processes.ts";

/** Everything that a story makes bears its id: folders, network namespaces, control groups, environment of processes. */
export interface StoryFolder {
  readonly id: string;
  readonly path: string;
}

const NAME = /^sampan-j[0-9a-f]{8}$/;
const OWNER = "owner.json";
const GIGABYTE = 1e9;
const FREE_BYTES_MIN = 6 * GIGABYTE;

/** Where an engine cannot keep layers: its layers are overlays, and an overlay cannot lie on another one, or in memory. */
const UNFIT_FILE_SYSTEMS = new Map([
  [0x794c7630, "overlay"],
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
]);

/**
 * Makes the folder of a story, on a disk that an engine can keep its data on, after sweeping what earlier stories left
 * that were killed. SAMPAN_JOURNEYS_FOLDER names the disk; else the first fit of the usual places.
 */
export async function makeStoryFolder(): Promise<StoryFolder> {
  const places = storyPlaces();
  for (const place of places) await sweep(place);
  const id = `sampan-j${randomBytes(4).toString("hex")}`;
  const path = join(await firstFit(places), id);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const owner = { pid: process.pid, start: await processStart(process.pid) };
  await writeFile(join(path, OWNER), JSON.stringify(owner));
  return { id, path };
}

export async function removeStoryFolder(story: StoryFolder): Promise<void> {
  await removeLeftovers(story);
  await rm(story.path, { recursive: true, force: true });
}

function storyPlaces(): readonly string[] {
  const named = process.env.SAMPAN_JOURNEYS_FOLDER;
  return named === undefined ? [tmpdir(), "/var/tmp", "/var/lib/docker"] : [named];
}

async function firstFit(places: readonly string[]): Promise<string> {
  const reasons: string[] = [];
  for (const place of places) {
    const disk = await statfs(place).catch(() => undefined);
    if (disk === undefined) continue;
    const unfit = UNFIT_FILE_SYSTEMS.get(disk.type);
    const freeBytes = disk.bavail * disk.bsize;
    if (unfit === undefined && freeBytes >= FREE_BYTES_MIN) return place;
    reasons.push(`${place}: ${unfit ?? `${(freeBytes / GIGABYTE).toFixed(1)} GB free`}`);
  }
  throw new Error(
    `no folder can hold an engine's data (${reasons.join("; ")}): name one on a disk with ${FREE_BYTES_MIN / GIGABYTE} GB free in SAMPAN_JOURNEYS_FOLDER`,
  );
}

/** Removes the stories in a folder whose owner does not run any more. */
async function sweep(place: string): Promise<void> {
  for (const id of await readdir(place).catch(() => [])) {
    if (!NAME.test(id)) continue;
    const story = { id, path: join(place, id) };
    if (!(await isOwned(story))) await removeStoryFolder(story);
  }
}

async function isOwned(story: StoryFolder): Promise<boolean> {
  const text = await readFile(join(story.path, OWNER), "utf8").catch(() => "{}");
  const owner = JSON.parse(text) as { readonly pid?: number; readonly start?: string };
  return (
    owner.pid !== undefined && owner.start !== undefined && (await processStart(owner.pid)) === owner.start
  );
}
