import type { BundlePreview } from "@sampan/bundle";
import type { Digest } from "@sampan/content";
import type { SiteState } from "@sampan/ledger";
import {
  type Change,
  type InstallationNames,
  judgePreflight,
  merge,
  type PreflightCheck,
  requirementsOf,
} from "@sampan/plan";
import { type Fault, isProblem } from "@sampan/problem";
import type { Installation } from "@sampan/store";
import { type App, askedParameters, parseAppValue, type Release, selectModules } from "@sampan/template";
import { findRelease, releaseOfText } from "./library.ts";
import { mergeBase } from "./merge-base.ts";
import type { Parts } from "./parts.ts";

/** What a bundle will meet at a site, as far as the site's newest state tells. */
export interface SitePrediction {
  readonly site: { readonly id: string; readonly name: string };
  /** Of the state, and when the site's clock says that it was made. */
  readonly sequence: number;
  readonly at: string;
  readonly space: { readonly fits: boolean; readonly needsBytes: number; readonly freeBytes: number };
  /** From the rate of its past imports; absent when none was measured. */
  readonly importMs?: number;
  /** What the site's machine does not fulfil of what the images and releases ask for. */
  readonly unfit: readonly Fault[];
  readonly upgrades: readonly PredictedUpgrade[];
}

/** What an upgrade of one installation will ask and keep. */
export interface PredictedUpgrade {
  readonly team: string;
  readonly app: string;
  readonly templateName: string;
  readonly from: string;
  readonly to: string;
  /** Parameters that must be answered, and have no answer at the site. */
  readonly missing: readonly { readonly name: string; readonly title?: string }[];
  /** What was changed at the site, and so is kept although the new release offers something else. */
  readonly conflicts: readonly Change[];
  /** Secrets stay at the site, so whether they were changed cannot be told here. */
  readonly unknown: readonly Change[];
  /** Why it could not be looked at, or what to look at. */
  readonly remarks: readonly string[];
}

interface Given {
  readonly state: SiteState;
  readonly preview: BundlePreview;
  readonly releases: readonly Release[];
  readonly digests: readonly Digest[];
}

/** Foretells space, time, and what upgrades to these releases will ask and keep. Nothing at the site is asked or changed. */
export async function predictSite(parts: Pick<Parts, "store">, given: Given): Promise<SitePrediction> {
  const { state, preview, releases } = given;
  const { site, sequence, at, hold, rates } = state;
  const needsBytes = spaceFor(preview);
  const layerBytes = preview.layersCarried.reduce((sum, { size }) => sum + size, 0);
  const { importBytesPerSecond: rate } = rates;
  const upgrades: PredictedUpgrade[] = [];
  for (const app of state.apps)
    for (const installation of app.installations)
      for (const [index, release] of releases.entries())
        if (release.template.id === installation.templateId && given.digests[index] !== installation.release)
          upgrades.push(await predictUpgrade(parts, { app, installation, release }));
  return {
    site: { id: site.id, name: site.enterprise },
    sequence,
    at,
    space: { fits: hold.freeBytes >= needsBytes, needsBytes, freeBytes: hold.freeBytes },
    ...(rate === undefined || rate === 0 ? {} : { importMs: Math.ceil((layerBytes / rate) * 1000) }),
    unfit: [...unfitImages(state, preview), ...unfitMachine(state, releases)],
    upgrades,
  };
}

const SPACE_FACTOR = 1.05;
const SPACE_MARGIN_BYTES = 64 * 1024 * 1024;

/** As an import asks for it: packs that are told by a base are kept without it, and grow to their raw bytes at most. */
function spaceFor({ kind, parts, pieces }: BundlePreview): number {
  const packBytes = kind === "full" ? parts.packBytes : Math.max(parts.packBytes, pieces.newBytes);
  const others = parts.recipeBytes + parts.otherBytes;
  return Math.ceil((packBytes + others) * SPACE_FACTOR) + SPACE_MARGIN_BYTES;
}

function unfitImages({ engine }: SiteState, { images }: BundlePreview): readonly Fault[] {
  const { os, architecture } = engine;
  if (os === undefined || architecture === undefined) return [];
  const wrong = new Set(
    images
      .filter((image) => image.os !== os || image.architecture !== architecture)
      .map((image) => `${image.os}/${image.architecture}`),
  );
  return [...wrong].map((platform) => ({
    path: "images",
    message: `images are made for ${platform}, and the site is ${os}/${architecture}`,
  }));
}

/** What releases declare. What follows from components is looked at by the site's own preflight. */
function unfitMachine({ engine, hold }: SiteState, releases: readonly Release[]): readonly Fault[] {
  if (!engine.reachable) return [];
  const facts = {
    engine: engine.name ?? "",
    engineVersion: engine.version ?? "",
    apiVersion: engine.apiVersion ?? "",
    os: engine.os ?? "",
    architecture: engine.architecture ?? "",
    kernel: engine.kernel ?? "",
    cpus: engine.cpus ?? 0,
    memoryBytes: engine.memoryBytes ?? 0,
    diskFreeBytes: engine.freeBytes,
    holdFreeBytes: hold.freeBytes,
    limits: true,
  };
  const nothing = { app: { id: "", slug: "" }, generation: 0, components: [] };
  const isFailed = ({ state }: PreflightCheck) => state === "fail";
  return releases.flatMap((release) =>
    judgePreflight(requirementsOf(nothing, release, { images: [] }), facts)
      .filter(isFailed)
      .map(({ id, title, found, wanted }) => ({
        path: id,
        message: `${title}: ${release.template.name} ${release.version} wants ${wanted}, the site has ${found}`,
      })),
  );
}

type StateApp = SiteState["apps"][number];

async function predictUpgrade(
  parts: Pick<Parts, "store">,
  {
    app,
    installation,
    release,
  }: {
    readonly app: StateApp;
    readonly installation: StateApp["installations"][number];
    readonly release: Release;
  },
): Promise<PredictedUpgrade> {
  const { templateName, version: from } = installation;
  const about = { team: app.team, app: app.name, templateName, from, to: release.version };
  const blind = (remark: string) => ({
    ...about,
    missing: [],
    conflicts: [],
    unknown: [],
    remarks: [remark],
  });
  const site = parseAppValue(app.spec).value;
  if (site === undefined) return blind("the app was written by a version that this one cannot read");
  const installed = await findRelease(parts, installation.release);
  if (installed === undefined)
    return blind(`${templateName} ${from} is not in the library here, so edits at the site cannot be told`);
  const { release: releaseDigest, ...rest } = installation;
  const kept = { ...rest, releaseDigest } as unknown as Installation;
  const document = (await parts.store.releases.get(installation.release)).document;
  try {
    const merged = merge({
      oldRelease: await mergeBase(parts, kept, releaseOfText(document)),
      newRelease: release,
      site,
      installation: installation.id,
      names: namesOf(installation.names),
    });
    const keeps = merged.changes.filter(({ action, offered }) => action === "keep" && offered !== undefined);
    return {
      ...about,
      missing: missingOf(merged.app, app),
      conflicts: keeps.filter(({ secret }) => !secret),
      unknown: keeps.filter(({ secret }) => secret),
      remarks: merged.remarks,
    };
  } catch (error) {
    if (!isProblem(error)) throw error;
    return blind(`it cannot be told what an upgrade would do: ${error.message}`);
  }
}

function namesOf(names: Readonly<Record<string, unknown>>): InstallationNames {
  const none = { parameters: {}, modules: {}, plugins: {}, routes: {}, acceptance: {} };
  return { ...none, ...names };
}

/** What would be asked: of components that are on, as the modules stand at the site. */
function missingOf(merged: App, { answered, modules }: StateApp): PredictedUpgrade["missing"] {
  const begin = Object.entries(merged.modules ?? {}).map(([name, module]) => [
    name,
    Object.hasOwn(modules, name) ? { ...module, default: modules[name] } : module,
  ]);
  const { components } = selectModules(
    { ...merged, modules: Object.fromEntries(begin) },
    { on: [], off: [] },
  );
  return askedParameters(merged, components).flatMap((name) => {
    const parameter = merged.parameters?.[name];
    const isAnswered = answered.includes(name) || (parameter !== undefined && "default" in parameter);
    if (parameter?.required !== true || isAnswered) return [];
    return [{ name, ...(parameter.title === undefined ? {} : { title: parameter.title }) }];
  });
}
