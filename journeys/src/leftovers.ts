import { existsSync } from "node:fs";
import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { removeSampanThings } from "./engine-api.ts";
import { NetworkNamespace } from "./network-namespace.ts";
import { allProcesses, run, signalProcess, untilGone } from "./processes.ts";
import type { StoryFolder } from "./story-folder.ts";
import { readVendorSites } from "./vendor-sites.ts";

const GONE_WITHIN_MS = 20_000;

/**
 * Ends and removes all that bears the id of a story, in whatever state it is: processes, mounts, network namespace, control
 * groups, and what its vendor made in the machine's engine. Works on a story that was killed; does nothing twice.
 */
export async function removeLeftovers(story: StoryFolder): Promise<void> {
  for (const { dockerHost, siteId } of await readVendorSites(story))
    await removeSampanThings(dockerHost, siteId);
  const found = await processesOf(story);
  for (const pid of found) signalProcess(pid, "SIGKILL");
  const alive = await untilGone(found, GONE_WITHIN_MS);
  if (alive.length > 0) throw new Error(`${story.id}: processes ${alive.join(", ")} cannot be ended`);
  for (const mountPoint of await mountPointsIn(story.path)) await run(["umount", "--lazy", mountPoint]);
  await NetworkNamespace.remove(story.id);
  for (const folder of await controlGroups(story)) await rmdir(folder).catch(() => undefined);
}

/** By the id in the command line or in the environment, and by the control group, where containers are. */
async function processesOf({ id }: StoryFolder): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await allProcesses()) {
    if (pid === process.pid) continue;
    const texts = ["cmdline", "environ", "cgroup"].map((file) =>
      readFile(`/proc/${pid}/${file}`, "utf8").catch(() => ""),
    );
    if ((await Promise.all(texts)).some((text) => text.includes(id))) found.push(pid);
  }
  return found;
}

/** The innermost first. */
async function mountPointsIn(path: string): Promise<string[]> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  return mounts
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((mountPoint) => mountPoint === path || mountPoint.startsWith(`${path}/`))
    .sort((left, right) => right.length - left.length);
}

/** The control groups of a story in every hierarchy, children first. */
async function controlGroups({ id }: StoryFolder): Promise<string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const tops = mounts
    .filter(([, , kind]) => kind === "cgroup" || kind === "cgroup2")
    .map(([, mountPoint]) => join(mountPoint ?? "", id))
    .filter((folder) => existsSync(folder));
  const folders: string[] = [];
  for (const top of tops) {
    const below = await readdir(top, { recursive: true, withFileTypes: true });
    folders.push(
      top,
      ...below.filter((one) => one.isDirectory()).map((one) => join(one.parentPath, one.name)),
    );
  }
  return folders.sort((left, right) => right.length - left.length);
}
