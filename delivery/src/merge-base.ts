import type { Digest } from "@sampan/content";
import type { InstallationNames, Merged } from "@sampan/plan";
import type { Installation } from "@sampan/store";
import type { App, Release } from "@sampan/template";
import { findRelease, releaseOfText } from "./library.ts";
import type { Parts } from "./parts.ts";

/**
 * What a merge starts from. An installation that was upgraded in parts is at several releases: each component at the one that it was
 * last brought to. Without remembering that, what was left out would pass for changed here.
 */

const SECTIONS = ["parameters", "modules", "plugins", "routes", "acceptance"] as const;
type Section = (typeof SECTIONS)[number];

/** What was taken from a release, by name in it; components by id. */
type Taken = { readonly release: Digest; readonly components: readonly string[] } & {
  readonly [K in Section]: readonly string[];
};

/** What is kept with an installation: names, and for one that was upgraded in parts where its parts come from, oldest first. */
export type KeptNames = InstallationNames & {
  readonly parts?: { readonly first: Digest; readonly later: readonly Taken[] };
};

/** Whether some of it was left out when it was last upgraded. */
export function isInParts({ names }: Pick<Installation, "names">): boolean {
  return (names as KeptNames).parts !== undefined;
}

/** Digests of all releases that an installation is made of. */
export function releasesIn({ releaseDigest, names }: Installation): readonly Digest[] {
  const { parts } = names as KeptNames;
  return parts === undefined
    ? [releaseDigest]
    : [releaseDigest, parts.first, ...parts.later.map(({ release }) => release)];
}

/** The release that is installed, or what its parts make up together. */
export async function mergeBase(
  parts: Pick<Parts, "store">,
  installation: Installation,
  installed: Release,
): Promise<Release> {
  const { parts: known } = installation.names as KeptNames;
  if (known === undefined) return installed;
  let base = await readIfThere(parts, known.first);
  for (const taken of known.later) {
    const release = await readIfThere(parts, taken.release);
    if (base === undefined || release === undefined) return installed;
    base = takeOver(base, release, taken);
  }
  return base ?? installed;
}

async function readIfThere(parts: Pick<Parts, "store">, digest: Digest): Promise<Release | undefined> {
  const found = await findRelease(parts, digest);
  return found === undefined ? undefined : releaseOfText((await parts.store.releases.get(digest)).document);
}

function takeOver(base: Release, release: Release, taken: Taken): Release {
  const { components: ids } = taken;
  const isTaken = ({ id }: { readonly id?: string | undefined }) => id !== undefined && ids.includes(id);
  const fresh = Object.entries(release.components).filter(([, one]) => isTaken(one));
  const names = new Set(fresh.map(([name]) => name));
  const left = Object.entries(base.components)
    .filter(([, one]) => !isTaken(one))
    // Another one has its name now; who it is says its id.
    .map(([name, one]) => [names.has(name) ? `${name}-before` : name, one] as const);
  const sections = SECTIONS.map((section) => [
    section,
    takeEntries(base[section], release[section], taken[section]),
  ]);
  const given = sections.filter(([, entries]) => entries !== undefined);
  return { ...release, ...Object.fromEntries(given), components: Object.fromEntries([...left, ...fresh]) };
}

function takeEntries(before: unknown, offered: unknown, names: readonly string[]): unknown {
  if (Array.isArray(before) || Array.isArray(offered)) {
    const [old, fresh] = [before ?? [], offered ?? []] as { readonly name: string }[][];
    const taken = (fresh ?? []).filter(({ name }) => names.includes(name));
    return [...(old ?? []).filter(({ name }) => !names.includes(name)), ...taken];
  }
  const fresh = Object.entries((offered ?? {}) as object).filter(([name]) => names.includes(name));
  return { ...(before as object | undefined), ...Object.fromEntries(fresh) };
}

/** What to remember after a merge of some components only: nothing when it left nothing out. */
export function partsAfter(
  installation: Installation,
  merge: {
    readonly selection: readonly string[] | undefined;
    readonly release: Digest;
    readonly offered: Release;
    readonly site: App;
    readonly merged: Pick<Merged, "app" | "pulledIn" | "names">;
  },
): KeptNames["parts"] {
  const { selection, release, offered, site, merged } = merge;
  if (selection === undefined) return undefined;
  const ids = new Set(takenIds(installation, { ...merge, selection }));
  if (Object.values(offered.components).every(({ id }) => id !== undefined && ids.has(id))) return undefined;
  const { parts } = installation.names as KeptNames;
  const isThere = (section: Section, name: string) => {
    const here = merged.names[section][name] ?? name;
    return entryNames(merged.app[section]).includes(here);
  };
  const takenIn = (section: Section) =>
    entryNames(offered[section]).filter((name) => {
      const about = componentsOf(section, entryOf(offered[section], name));
      const isAbout = about.some((one) => ids.has(offered.components[one]?.id ?? ""));
      const wasThere = entryNames(site[section]).includes(merged.names[section][name] ?? name);
      return isThere(section, name) && (about.length === 0 || isAbout || !wasThere);
    });
  const taken: Taken = {
    release,
    components: [...ids],
    parameters: takenIn("parameters"),
    modules: takenIn("modules"),
    plugins: takenIn("plugins"),
    routes: takenIn("routes"),
    acceptance: takenIn("acceptance"),
  };
  return { first: parts?.first ?? installation.releaseDigest, later: [...(parts?.later ?? []), taken] };
}

/** Ids of the components that are at the new release now: those selected, those that came along, and those that are new. */
function takenIds(
  { id: installation }: Installation,
  { selection, offered, site, merged }: Parameters<typeof partsAfter>[1] & { selection: readonly string[] },
): readonly string[] {
  const here = [...selection, ...merged.pulledIn.map(({ component }) => component)];
  return Object.entries(offered.components).flatMap(([name, { id }]) => {
    const found = Object.entries(merged.app.components).find(
      ([, one]) => one.id === id && one.installation === installation,
    );
    if (id === undefined || found === undefined) return [];
    const isNew = site.components[found[0]] === undefined;
    return isNew || here.includes(found[0]) || selection.includes(name) ? [id] : [];
  });
}

function entryNames(section: App[Section]): readonly string[] {
  return Array.isArray(section) ? section.map(({ name }) => name) : Object.keys(section ?? {});
}

function entryOf(section: App[Section], name: string): unknown {
  return Array.isArray(section) ? section.find((one) => one.name === name) : section?.[name];
}

/** The components that an entry is about; none for what is used where it is needed. */
function componentsOf(section: Section, entry: unknown): readonly string[] {
  switch (section) {
    case "modules":
      return (entry as NonNullable<App["modules"]>[string]).components;
    case "routes":
      return (entry as NonNullable<App["routes"]>[string]).to.map(({ component }) => component);
    case "acceptance": {
      const { http, tcp, exec } = entry as NonNullable<App["acceptance"]>[number];
      return [(http ?? tcp ?? exec)?.component ?? ""];
    }
    default:
      return [];
  }
}
