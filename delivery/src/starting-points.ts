import type { CargoRelease } from "@sampan/bundle";
import type { Digest } from "@sampan/content";
import type { SiteState } from "@sampan/ledger";
import { compareVersions } from "@sampan/template";
import { readDocument, requireKnownKey, stateOfSite } from "./ledger.ts";
import { imagesOfRelease, readRelease } from "./library.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

/** What an increment may build on, as somebody asks for it. */
export interface StartWish {
  /** What is exported. */
  readonly releases: readonly Digest[];
  /** Releases that the receiver has: those of one template are alternatives, those of several it has together. */
  readonly from?: readonly Digest[] | undefined;
  /** Ids of sites in the ledger. */
  readonly forSites?: readonly string[] | undefined;
  /** Texts of site states that need not be in the ledger. */
  readonly states?: readonly string[] | undefined;
}

export interface StartingPoints {
  /** The file serves whoever has one of them. Empty: it has to be full. */
  readonly bases: readonly CargoRelease[];
  /** The states of the sites that it is for. */
  readonly states: readonly SiteState[];
  /** Why it is not as small as was hoped. */
  readonly remarks: readonly string[];
}

/** The format allows no more. */
const BASES_MAX = 64;
/** Of one site: what else it holds saves next to nothing. */
const LAYERS_MAX = 2000;

/**
 * Finds what receivers have that this site holds too. Where a receiver has nothing of it, the file has to be full, and that is said.
 * Throws EXPORT_BASE_ABSENT, STORE_ABSENT, and what reading a state throws.
 */
export async function startingPoints(
  parts: Pick<Parts, "store" | "hold" | "envelopes">,
  wish: StartWish,
): Promise<StartingPoints> {
  const states = await statesOf(parts, wish);
  const named = await namedBases(parts, wish.from ?? []);
  const ofSites: CargoRelease[] = [];
  const strangers: string[] = [];
  for (const state of states) {
    const base = await baseOfSite(parts, state, wish.releases);
    if (base === undefined) strangers.push(state.site.enterprise);
    else ofSites.push(base);
  }
  const bases = [...named, ...ofSites];
  if (bases.length > BASES_MAX)
    throw deliveryProblem("EXPORT_BASE_ABSENT", `${bases.length} starting points are too many for one file`, {
      why: `a bundle has ${BASES_MAX} at most`,
      hint: "export one for some of them, and another for the rest",
    });
  if (strangers.length === 0) return { bases, states, remarks: [] };
  const who = strangers.join(", ");
  return {
    bases: [],
    states,
    remarks: [`nothing that ${who} holds is here to build on, so the bundle is full`],
  };
}

async function statesOf(
  parts: Pick<Parts, "store" | "envelopes">,
  { forSites = [], states = [] }: StartWish,
): Promise<readonly SiteState[]> {
  const found: SiteState[] = [];
  for (const id of new Set(forSites)) {
    const state = await stateOfSite(parts, id);
    if (state === undefined)
      throw deliveryProblem("EXPORT_BASE_ABSENT", `the ledger has no state of the site ${id}`, {
        why: "only receipts came from it",
        hint: "ask the site for one (sampan site state -o FILE) and add it (sampan ledger add FILE), or name what it has with --from",
      });
    found.push(state);
  }
  for (const text of states) {
    const document = readDocument(parts, text);
    if (document.kind !== "state")
      throw deliveryProblem("EXPORT_BASE_ABSENT", "a receipt does not tell what a site holds", {
        hint: "ask the site for its state: sampan site state -o FILE",
      });
    await requireKnownKey(parts, document.state.site);
    found.push(document.state);
  }
  return found;
}

/** One base for each release of the template that has the most; of other templates it is counted on what all that are named have. */
async function namedBases(
  parts: Pick<Parts, "store" | "hold">,
  from: readonly Digest[],
): Promise<readonly CargoRelease[]> {
  const byTemplate = new Map<string, CargoRelease[]>();
  for (const digest of new Set(from)) {
    const base = await baseOfRelease(parts, digest);
    byTemplate.set(base.templateId, [...(byTemplate.get(base.templateId) ?? []), base]);
  }
  const [alternatives = [], ...others] = [...byTemplate.values()].sort((a, b) => b.length - a.length);
  const besides = others.flatMap(([first, ...rest]) =>
    (first?.diffIds ?? []).filter((layer) => rest.every(({ diffIds }) => diffIds.includes(layer))),
  );
  return alternatives.map((base) => ({ ...base, diffIds: [...new Set([...base.diffIds, ...besides])] }));
}

async function baseOfRelease(parts: Pick<Parts, "store" | "hold">, digest: Digest): Promise<CargoRelease> {
  const { stored, release } = await readRelease(parts, digest);
  const layers = new Set<Digest>();
  for (const id of imagesOfRelease(release).keys())
    for (const { diffId } of (await parts.hold.image(id))?.layers ?? []) layers.add(diffId);
  const { name: templateName } = release.template;
  if (layers.size === 0)
    throw deliveryProblem("EXPORT_BASE_ABSENT", `nothing of ${templateName} ${stored.version} is held here`, {
      hint: "name a release whose images are here, or export a full bundle",
    });
  const { templateId, version } = stored;
  return { release: digest, templateId, templateName, version, diffIds: [...layers] };
}

/** All that a site holds and this one holds too, named after the release that is nearest to what is exported. */
async function baseOfSite(
  parts: Pick<Parts, "store" | "hold">,
  state: SiteState,
  exported: readonly Digest[],
): Promise<CargoRelease | undefined> {
  const templates = new Set<string>();
  for (const digest of exported) templates.add((await parts.store.releases.get(digest)).templateId);
  const layersOf = new Map(state.images.map(({ id, layers }) => [id, layers]));
  const order = state.releases.toSorted(
    (a, b) =>
      Number(templates.has(b.templateId)) - Number(templates.has(a.templateId)) ||
      compareVersions(b.version, a.version),
  );
  const held = new Map<Digest, boolean>();
  const layers = new Set<Digest>();
  let nearest: SiteState["releases"][number] | undefined;
  for (const release of order) {
    if (layers.size >= LAYERS_MAX) break;
    for (const layer of release.images.flatMap((id) => layersOf.get(id) ?? [])) {
      if (!held.has(layer)) held.set(layer, await parts.hold.hasLayer(layer));
      if (held.get(layer) !== true) continue;
      layers.add(layer);
      nearest ??= release;
    }
  }
  if (nearest === undefined) return undefined;
  const { digest, templateId, templateName, version } = nearest;
  return { release: digest, templateId, templateName, version, diffIds: [...layers] };
}
