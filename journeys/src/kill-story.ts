import assert from "node:assert/strict";
import type { Cargo } from "./cargo.ts";
import { emptyEngine } from "./engine-api.ts";
import { killDuring, timed } from "./kill-points.ts";
import type { SampanServer } from "./sampan-server.ts";
import type { TwoSides } from "./two-sides.ts";
import {
  assertContainers,
  assertHoldWhole,
  assertNoOrphans,
  assertOnlyDataLeft,
  assertVolumes,
  filesOf,
  type Images,
  untilJobsEnded,
  untilSettled,
} from "./witness.ts";

/** Why a change is made: the site demands to be told. */
const NOTE = "the kill journey";

export interface KillOptions {
  readonly cargo: Cargo;
  /** How often to kill. */
  readonly points: number;
  readonly random: () => number;
  readonly say: (text: string) => void;
}

type Begin = () => Promise<unknown>;

interface KilledAct {
  readonly title: string;
  readonly actMs: number;
  readonly begin: Begin;
  /** Waits until the site is as it should be after the restart; begins again what was lost with the request. */
  readonly converge: () => Promise<void>;
}

/** Kills at a random moment of an act that takes `actMs`; a little longer, so that its last moments are hit too. */
async function killOnce(
  site: SampanServer,
  { random, say }: Pick<KillOptions, "random" | "say">,
  { title, actMs, begin, converge }: KilledAct,
): Promise<void> {
  const afterMs = Math.round(random() * actMs * 1.05);
  const outcome = await killDuring(site, afterMs, begin);
  const convergedMs = await timed(converge);
  say(
    `${title}: killed after ${afterMs} of ${Math.round(actMs)} ms, request ${outcome}; whole ${(convergedMs / 1000).toFixed(1)} s after the restart`,
  );
}

/** Kills during import, each time into a new site; the last one is given, with both versions in its library. */
export async function killImports(
  sides: TwoSides,
  { cargo, points, random, say }: KillOptions,
): Promise<SampanServer> {
  const [first, second] = cargo.versions;
  const begin = (site: SampanServer, version: string) => () =>
    site.client().importBundle({
      body: {
        source: { path: sides.bundlePath(cargo, version) },

        scope: "enterprise",
      },
    });
  const reference = await sides.newSite(`${cargo.name}-unharmed`);
  const actMs = await timed(async () => {
    await begin(reference, first)();
    await untilJobsEnded(reference);
  });
  await assertImported(reference, sides, { cargo, version: first });
  const wholeFiles = packsOf(await filesOf(reference.dataFolder));
  await reference.stop();
  let site = reference;
  for (let point = 1; point <= points; point += 1) {
    if (site !== reference) await site.stop();
    site = await sides.newSite(`${cargo.name}-${point}`);
    const act = {
      title: `${cargo.name} import ${point}/${points}`,
      actMs,
      begin: begin(site, first),
      converge: () => finishImport(site, begin(site, first)),
    };
    await killOnce(site, { random, say }, act);
    await assertImported(site, sides, { cargo, version: first });
    assert.deepEqual(
      packsOf(await filesOf(site.dataFolder)),
      wholeFiles,
      "the hold's files are those of an undisturbed import",
    );
  }
  await begin(site, second)();
  await finishImport(site, begin(site, second));
  await assertImported(site, sides, { cargo, version: second });
  return site;
}

/** The job goes on by itself after the restart; where the request was lost before a job was made, it is sent again. */
async function finishImport(site: SampanServer, begin: Begin): Promise<void> {
  if ((await untilJobsEnded(site)).length === 0) await begin();
  const jobs = await untilJobsEnded(site);
  assert.deepEqual(
    [...new Set(jobs.map(({ state }) => state))],
    ["succeeded"],
    JSON.stringify(jobs.map(({ error }) => error)),
  );
}

function packsOf(files: readonly string[]): readonly string[] {
  return files.filter((path) => path.startsWith("hold/") && !path.includes("sqlite"));
}

async function assertImported(
  site: SampanServer,
  sides: TwoSides,
  { cargo, version }: { readonly cargo: Cargo; readonly version: string },
): Promise<void> {
  const show = ["release", "show", `${cargo.name}@${version}`];
  const here = await site.do<{ readonly digest: string }>(show);
  const there = await sides.vendor.do<{ readonly digest: string }>(show);
  assert.equal(here.digest, there.digest);
  await assertNoOrphans(site);
  await assertHoldWhole(site);
}

/** Kills during installation, each time into an engine that has no images; the app of the last one stays. */
export async function killInstalls(
  site: SampanServer,
  { cargo, points, random, say }: KillOptions,
  images: Images,
): Promise<void> {
  const begin = await installOf(site, cargo);
  const actMs = await timed(async () => {
    await begin();
    await untilSettled(site, cargo.name);
  });
  await assertRuns(site, cargo, images);
  for (let point = 1; point <= points; point += 1) {
    await removeApp(site, cargo);
    const converge = async () => {
      if ((await untilSettled(site, cargo.name)) === undefined) await begin();
      await untilSettled(site, cargo.name);
    };
    const title = `${cargo.name} install ${point}/${points}`;
    await killOnce(site, { random, say }, { title, actMs, begin, converge });
    await assertRuns(site, cargo, images);
  }
}

async function installOf(site: SampanServer, cargo: Cargo): Promise<Begin> {
  const digest = await digestOf(site, cargo, cargo.versions[0]);
  const { items } = await site.client().listTeams();
  const teamId = items[0]?.id ?? "";
  return () => site.client().install({ body: { release: digest, teamId, note: NOTE } });
}

/** Removes the app, then by hand its data and the images, so that the next installation begins from nothing. */
export async function removeApp(site: SampanServer, cargo: Cargo): Promise<void> {
  await site.do(["app", "remove", cargo.name]);
  await assertOnlyDataLeft(site, cargo);
  await emptyEngine(site.place.dockerHost);
}

async function assertRuns(site: SampanServer, cargo: Cargo, images: Images): Promise<void> {
  await assertContainers(site, cargo, images);
  await assertVolumes(site, cargo);
  const { items } = await site.client().listRecords({ query: { limit: "200" } });
  const odd = items.filter(({ state }) => state !== "succeeded" && state !== "superseded");
  assert.deepEqual(odd, [], "every record tells of a success");
  await untilJobsEnded(site);
}

interface Change {
  readonly title: string;
  readonly version: string;
  readonly images: Images;
  readonly begin: Begin;
}

/** Kills during upgrade and rollback by turns, `points` times each. Ends where it began, with what the upgrade added. */
export async function killChanges(
  site: SampanServer,
  { cargo, points, random, say }: KillOptions,
  images: { readonly first: Images; readonly second: Images },
): Promise<void> {
  const [first, second] = cargo.versions;
  const upgrade = {
    title: "upgrade",
    version: second,
    images: images.second,
    begin: await upgradeOf(site, cargo),
  };
  const rollback = {
    title: "rollback",
    version: first,
    images: { ...images.second, ...images.first },
    begin: () => rollBack(site, cargo),
  };
  const measured: { readonly change: Change; readonly actMs: number }[] = [];
  for (const change of [upgrade, rollback]) {
    const actMs = await timed(async () => {
      await change.begin();
      await untilSettled(site, cargo.name);
    });
    await assertChanged(site, cargo, change);
    measured.push({ change, actMs });
  }
  for (let point = 1; point <= points; point += 1) {
    for (const { change, actMs } of measured) {
      const converge = async () => {
        await untilSettled(site, cargo.name);
        if ((await installationOf(site, cargo)).version !== change.version) await change.begin();
        await untilSettled(site, cargo.name);
      };
      const title = `${cargo.name} ${change.title} ${point}/${points}`;
      await killOnce(site, { random, say }, { title, actMs, begin: change.begin, converge });
      await assertChanged(site, cargo, change);
    }
  }
}

async function assertChanged(site: SampanServer, cargo: Cargo, { version, images }: Change): Promise<void> {
  assert.equal((await installationOf(site, cargo)).version, version);
  await assertRuns(site, cargo, images);
}

async function installationOf(site: SampanServer, cargo: Cargo) {
  const { items } = await site.client().listInstallations({ query: { limit: "200" } });
  const found = items.find(({ appName }) => appName === cargo.name);
  if (found === undefined) throw new Error(`${cargo.name} is not installed`);
  return found;
}

async function upgradeOf(site: SampanServer, cargo: Cargo): Promise<Begin> {
  const { id } = await installationOf(site, cargo);
  const digest = await digestOf(site, cargo, cargo.versions[1]);
  return () => site.client().upgrade({ params: { id }, body: { release: digest, note: NOTE } });
}

async function rollBack(site: SampanServer, cargo: Cargo): Promise<void> {
  const { appId } = await installationOf(site, cargo);
  const { items } = await site.client().listRecords({ query: { app: appId, limit: "200" } });
  const record = items.find(({ kind, canRollBack }) => kind === "upgrade" && canRollBack);
  if (record === undefined)
    throw new Error(`no upgrade of ${cargo.name} can be undone: ${JSON.stringify(items[0])}`);
  await site.client().rollback({ params: { id: record.id }, body: { note: NOTE } });
}

async function digestOf(site: SampanServer, cargo: Cargo, version: string): Promise<`sha256:${string}`> {
  const words = ["release", "show", `${cargo.name}@${version}`];
  return (await site.do<{ readonly digest: `sha256:${string}` }>(words)).digest;
}
