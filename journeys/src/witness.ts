import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Cargo } from "./cargo.ts";
import { containersOf, networksOf, volumesOf } from "./engine-api.ts";
import { until } from "./processes.ts";
import type { SampanServer } from "./sampan-server.ts";

/** Looks at a site from outside after something bad happened: is it whole, and is nothing left over? */

const CONVERGED_WITHIN_MS = 120_000;
const ROLLOUT_ENDED = ["succeeded", "failed", "cancelled", "returned", "superseded"];
const JOB_ENDED = ["succeeded", "failed", "cancelled"];
const APP_LABEL = "dev.sampan.app";
/** Names that a file has while it is written. */
const UNFINISHED = /\.(part|partial|tmp|temp|new)$|^(tmp|temp)[.-]/;

export type Images = Readonly<Record<string, string>>;

/** Waits until no job is queued or running; gives all, newest first. */
export async function untilJobsEnded(server: SampanServer) {
  return await until("all jobs have ended", CONVERGED_WITHIN_MS, async () => {
    const { items } = await server.client().listJobs({ query: { limit: "200" } });
    return items.every(({ state }) => JOB_ENDED.includes(state)) ? items : undefined;
  });
}

/** Waits until what is desired of an app runs, and no attempt is under way; undefined when there is no such app. */
export async function untilSettled(server: SampanServer, appName: string) {
  const client = server.client();
  const settled = await until(`${appName} is settled`, CONVERGED_WITHIN_MS, async () => {
    const { items } = await client.listApps({ query: { name: appName } });
    const brief = items.find(({ name }) => name === appName);
    if (brief === undefined) return "absent" as const;
    const app = await client.getApp({ params: { id: brief.id } });
    const rollouts = await client.listRollouts({ params: { id: brief.id }, query: { limit: "200" } });
    const isWhole = !app.pending && app.complete && app.health === "running";
    return isWhole && rollouts.items.every(({ state }) => ROLLOUT_ENDED.includes(state)) ? app : undefined;
  });
  return settled === "absent" ? undefined : settled;
}

/** One container for each replica of each component, from the right image, running; nothing else in the engine. */
export async function assertContainers(server: SampanServer, cargo: Cargo, expected: Images): Promise<void> {
  const containers = await containersOf(server.place.dockerHost);
  const seen = containers.map(({ Labels, ImageID, State }) =>
    [Labels["dev.sampan.component"], Labels["dev.sampan.index"], ImageID, State].join(" "),
  );
  const wanted = Object.entries(expected).flatMap(([component, imageId]) =>
    Array.from({ length: cargo.replicas[component] ?? 0 }, (_, index) =>
      [component, index + 1, imageId, "running"].join(" "),
    ),
  );
  assert.deepEqual(seen.sort(), wanted.sort(), "the containers are those that should be, once each");
  const { dockerHost } = server.place;
  assert.equal((await networksOf(dockerHost, [APP_LABEL])).length, 1, "the app has one network");
}

/** Volumes of the app: its own, and no more of the driver's for config files than there are containers. */
export async function assertVolumes(server: SampanServer, cargo: Cargo): Promise<void> {
  const own = await volumesOf(server.place.dockerHost, ["dev.sampan.volume"]);
  assert.equal(own.length, cargo.volumes, "the app has its volumes, once each");
  const containers = await containersOf(server.place.dockerHost);
  const all = await volumesOf(server.place.dockerHost);
  assert.ok(all.length - own.length <= containers.length, `volumes are left over: ${all.join(", ")}`);
}

/** Of an app that was removed only its data is left: as many volumes as it has. */
export async function assertOnlyDataLeft(server: SampanServer, cargo: Cargo): Promise<void> {
  const { dockerHost } = server.place;
  assert.deepEqual(await containersOf(dockerHost), []);
  assert.deepEqual(await networksOf(dockerHost, [APP_LABEL]), []);
  const volumes = await volumesOf(dockerHost);
  assert.equal(volumes.length, cargo.volumes, `volumes that are left: ${volumes.join(", ")}`);
}

/** No file is half written, and nothing in the hold is without an owner. */
export async function assertNoOrphans(server: SampanServer): Promise<void> {
  const unfinished = (await filesOf(server.dataFolder)).filter((path) =>
    UNFINISHED.test(path.split("/").at(-1) ?? ""),
  );
  assert.deepEqual(unfinished, [], "no file is half written");
  const plan = await server.client().planPrune();
  assert.deepEqual(
    { frees: plan.freesBytes, layers: plan.layers, images: plan.images },
    { frees: 0, layers: 0, images: [] },
  );
}

/** Re-reads all that the hold keeps. */
export async function assertHoldWhole(server: SampanServer): Promise<void> {
  const { damage } = await server.do<{ readonly damage: readonly unknown[] }>(["hold", "check"]);
  assert.deepEqual(damage, []);
}

export async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
