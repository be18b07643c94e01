import type { Digest, HeldImage } from "@sampan/content";
import { SITE_STATE_PAYLOAD_TYPE, type SiteState } from "@sampan/ledger";
import { isProblem } from "@sampan/problem";
import type { ReleaseSummary, StoredApp } from "@sampan/store";
import { allApps } from "./host-ports.ts";
import { findTemplate, imagesOfRelease, readRelease } from "./library.ts";
import { maskForOutside } from "./mask-state-app.ts";
import type { Parts } from "./parts.ts";
import { cutWord, type SiteDocument, signDocument, siteHead } from "./site-document.ts";

/** Setting: number and digest of the newest state, for the next receipt. */
export const STATE_MADE = "site.state";

/** What this site holds, runs and can, signed: from it the vendor makes the smallest increment. No secrets and no answers are in it. */
export async function makeSiteState(parts: Parts): Promise<SiteDocument<SiteState>> {
  const { releases, images } = await holdings(parts);
  const sequence = await parts.store.siteDocuments.next();
  const made = await signDocument<SiteState>(parts, SITE_STATE_PAYLOAD_TYPE, {
    ...(await siteHead(parts)),
    sequence,
    engine: await engineOf(parts),
    hold: await holdOf(parts),
    releases,
    images,
    apps: await appsOf(parts),
    rates: await ratesOf(parts),
    policy: await parts.store.policy.get(),
  });
  await parts.store.settings.set(STATE_MADE, { sequence, digest: made.digest });
  return made;
}

async function engineOf(parts: Parts): Promise<SiteState["engine"]> {
  try {
    const { engine, engineVersion, apiVersion, os, architecture, kernel, cpus, memoryBytes, diskFreeBytes } =
      await parts.driver.capabilities();
    return {
      driver: parts.driver.kind,
      reachable: true,
      name: engine,
      version: engineVersion,
      apiVersion,
      os,
      architecture,
      kernel,
      cpus,
      memoryBytes: Math.floor(memoryBytes),
      ...(diskFreeBytes === undefined ? {} : { freeBytes: Math.floor(diskFreeBytes) }),
    };
  } catch (error) {
    if (!isProblem(error)) throw error;
    return { driver: parts.driver.kind, reachable: false };
  }
}

async function holdOf({ hold }: Pick<Parts, "hold">): Promise<SiteState["hold"]> {
  const { images, layers, pieces, packs, recipes, blobs } = await hold.stats();
  return {
    images,
    layers: layers.count,
    pieces: pieces.count,
    storedBytes: packs.storedBytes + recipes.storedBytes + blobs.storedBytes,
    freeBytes: Math.floor(await hold.freeBytes()),
  };
}

/** Every release of the library, also those whose place another took: the hold has them still. */
async function holdings(parts: Parts): Promise<Pick<SiteState, "releases" | "images">> {
  const releases: SiteState["releases"] = [];
  const images = new Map<Digest, HeldImage>();
  for await (const { digest, templateId, version, alias } of allReleases(parts)) {
    const { release } = await readRelease(parts, digest);
    const held: Digest[] = [];
    for (const id of imagesOfRelease(release).keys()) {
      const image = images.get(id) ?? (await parts.hold.image(id));
      if (image === undefined) continue;
      images.set(id, image);
      held.push(id);
    }
    const named = { templateId, templateName: cutWord(release.template.name), version };
    releases.push({ digest, ...named, ...(alias === undefined ? {} : { alias }), images: held });
  }
  return {
    releases,
    images: [...images.values()].map(({ imageId, os, architecture, layers }) => ({
      id: imageId,
      os,
      architecture,
      layers: layers.map(({ diffId }) => diffId),
    })),
  };
}

async function* allReleases(parts: Pick<Parts, "store">): AsyncGenerator<ReleaseSummary> {
  let after: string | undefined;
  do {
    const request = after === undefined ? { limit: 200 } : { limit: 200, after };
    const page = await parts.store.releases.list({ replaced: "too" }, request);
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

async function appsOf(parts: Parts): Promise<SiteState["apps"]> {
  const apps: SiteState["apps"] = [];
  const teams = new Map<string, string>();
  for await (const { id, teamId } of allApps(parts)) {
    const app = await parts.store.apps.get(id);
    const team = teams.get(teamId) ?? (await parts.store.teams.get(teamId)).name;
    teams.set(teamId, team);
    apps.push({
      id,
      name: app.name,
      team,
      stopped: app.stopped,
      spec: { ...maskForOutside(app.spec) },
      answered: answeredOf(app),
      modules: { ...app.modules },
      installations: await installationsOf(parts, app),
    });
  }
  return apps;
}

/** Of the parameters that it has now. */
function answeredOf({ spec, values }: StoredApp): string[] {
  return Object.keys(spec.parameters ?? {}).filter((name) => Object.hasOwn(values.parameters, name));
}

async function installationsOf(
  parts: Parts,
  app: StoredApp,
): Promise<SiteState["apps"][number]["installations"]> {
  const { items } = await parts.store.installations.list({ kind: "all" }, { appId: app.id }, { limit: 200 });
  return await Promise.all(
    items.map(async ({ id, templateId, releaseDigest, state, names }) => ({
      id,
      templateId,
      templateName: cutWord((await findTemplate(parts.store, templateId))?.name ?? templateId),
      release: releaseDigest,
      version: (await parts.store.releases.get(releaseDigest)).version,
      state,
      names: { ...(names as object) },
    })),
  );
}

/** From the newest imports that were measured. */
async function ratesOf({ store }: Pick<Parts, "store">): Promise<SiteState["rates"]> {
  const { items } = await store.imports.list({}, { limit: IMPORTS_MEASURED });
  const layerBytes = items.reduce((sum, one) => sum + (one.layerBytes ?? 0), 0);
  const tookMs = items.reduce((sum, one) => sum + (one.tookMs ?? 0), 0);
  return tookMs === 0 || layerBytes === 0
    ? {}
    : { importBytesPerSecond: Math.round((layerBytes / tookMs) * 1000) };
}

const IMPORTS_MEASURED = 20;
