import type { Digest } from "@sampan/content";
import {
  identityOf,
  type LedgerDocument,
  type ReadOptions,
  type Receipt,
  readLedgerFile,
  requirePinnedKey,
  type SiteIdentity,
  type SiteState,
} from "@sampan/ledger";
import { isProblem } from "@sampan/problem";
import type { LedgerSite, Nouns } from "@sampan/store";
import type { Actor, Parts } from "./parts.ts";

export interface TakenIn {
  readonly site: LedgerSite;
  readonly kind: LedgerDocument["kind"];
  readonly sequence: number;
  /** `older`: another state that is kept is newer, or the same. `known`: a receipt of this number is kept. */
  readonly outcome: "kept" | "older" | "known";
  /** Whether the site is new to the ledger, and is known by this key from now on. */
  readonly pinned: boolean;
  readonly remarks: readonly string[];
}

/** What a list of sites shows of each, from its newest state. */
export interface SiteSummary {
  readonly at?: string;
  readonly productVersion?: string;
  readonly platform?: string;
  readonly holdFreeBytes?: number;
  readonly releases?: readonly {
    readonly templateName: string;
    readonly version: string;
    readonly digest: Digest;
  }[];
  readonly installations?: readonly {
    readonly team: string;
    readonly app: string;
    readonly templateName: string;
    readonly version: string;
    readonly release: Digest;
    readonly state: string;
  }[];
}

/**
 * Takes a site state or a receipt into the ledger. The first file of a site pins it to the key that signed. Throws LEDGER_UNREADABLE,
 * LEDGER_NEWER, LEDGER_UNSIGNED, LEDGER_FALSE, LEDGER_KEY_CHANGED.
 */
export async function takeIn(parts: Parts, text: string, { by }: { readonly by: Actor }): Promise<TakenIn> {
  const document = readLedgerFile(text, readOptions(parts));
  const identity = identityOf(document);
  return await parts.store.transaction(async (nouns) => {
    const known = await findSite(nouns, identity.id);
    if (known !== undefined) requirePinnedKey(identity, known);
    const site = known ?? (await pin(nouns, identity, by));
    const outcome =
      document.kind === "state"
        ? await keepState(nouns, site, { text, state: document.state })
        : await keepReceipt(nouns, site, { text, receipt: document.receipt, by });
    const { sequence } = document.kind === "state" ? document.state : document.receipt;
    return {
      site: await nouns.sites.get(site.id),
      kind: document.kind,
      sequence,
      outcome,
      pinned: known === undefined,
      remarks: remarksOf(parts, { identity, sequence, outcome, known }),
    };
  });
}

/** Reads a file with this product's ways to verify. Throws as {@link takeIn}, but knows no pinned keys. */
export function readDocument(parts: Pick<Parts, "envelopes">, text: string): LedgerDocument {
  return readLedgerFile(text, readOptions(parts));
}

function readOptions({ envelopes }: Pick<Parts, "envelopes">): ReadOptions {
  const { parseEnvelope, verifyEnvelope, keyId } = envelopes;
  return {
    open: (bytes, trustedKeys) => {
      const envelope = parseEnvelope(bytes);
      return { ...envelope, ...verifyEnvelope(envelope, trustedKeys) };
    },
    keyId,
  };
}

export async function findSite(nouns: Pick<Nouns, "sites">, id: string): Promise<LedgerSite | undefined> {
  try {
    return await nouns.sites.get(id);
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return undefined;
    throw error;
  }
}

/** Throws LEDGER_KEY_CHANGED when the ledger knows the site by another key. */
export async function requireKnownKey(
  { store }: Pick<Parts, "store">,
  identity: SiteIdentity,
): Promise<void> {
  const known = await findSite(store, identity.id);
  if (known !== undefined) requirePinnedKey(identity, known);
}

async function pin(nouns: Nouns, identity: SiteIdentity, by: Actor): Promise<LedgerSite> {
  const { id, enterprise: name, keyId, publicKeyPem } = identity;
  await nouns.events.add({
    what: "ledger.pin",
    who: by.name,
    outcome: "done",
    subject: id,
    details: { keyId },
  });
  return await nouns.sites.create({ id, name, keyId, publicKeyPem });
}

async function keepState(
  nouns: Nouns,
  site: LedgerSite,
  { text, state }: { readonly text: string; readonly state: SiteState },
): Promise<TakenIn["outcome"]> {
  const { sequence } = state;
  if (sequence <= site.sequence) return "older";
  const summary = summaryOf(state);
  await nouns.sites.putState(site.id, { name: state.site.enterprise, sequence, summary, state: text });
  return "kept";
}

async function keepReceipt(
  nouns: Nouns,
  site: LedgerSite,
  { text, receipt, by }: { readonly text: string; readonly receipt: Receipt; readonly by: Actor },
): Promise<TakenIn["outcome"]> {
  const { sequence } = receipt;
  return await nouns.siteReceipts.put({ siteId: site.id, sequence, receipt: text, who: by.name });
}

function remarksOf(
  parts: Pick<Parts, "site">,
  {
    identity,
    sequence,
    outcome,
    known,
  }: {
    readonly identity: SiteIdentity;
    readonly sequence: number;
    readonly outcome: TakenIn["outcome"];
    readonly known: LedgerSite | undefined;
  },
): readonly string[] {
  const { enterprise, keyId, id } = identity;
  return [
    ...(known === undefined
      ? [`${enterprise} is known by the key ${keyId} from now on: compare it with the site by another way`]
      : []),
    ...(outcome === "older"
      ? [
          `state ${sequence} was not taken: state ${known?.sequence} is kept. If the database of the site was restored, its numbers began anew: remove the site from the ledger, and add the file again`,
        ]
      : []),
    ...(outcome === "known" ? [`receipt ${sequence} is there already`] : []),
    ...(id === parts.site.id ? ["this is a file of this very site"] : []),
  ];
}

function summaryOf(state: SiteState): SiteSummary {
  const { os = "?", architecture = "?" } = state.engine;
  return {
    at: state.at,
    productVersion: state.productVersion,
    platform: `${os}/${architecture}`,
    holdFreeBytes: state.hold.freeBytes,
    releases: state.releases.map(({ templateName, version, digest }) => ({ templateName, version, digest })),
    installations: state.apps.flatMap(({ team, name, installations }) =>
      installations.map(({ templateName, version, release, state: how }) => ({
        team,
        app: name,
        templateName,
        version,
        release,
        state: how,
      })),
    ),
  };
}

/** A site's newest state; undefined when only receipts came. Throws STORE_ABSENT. */
export async function stateOfSite(
  parts: Pick<Parts, "store" | "envelopes">,
  id: string,
): Promise<SiteState | undefined> {
  const text = await parts.store.sites.state(id);
  if (text === undefined) return undefined;
  const document = readDocument(parts, text);
  return document.kind === "state" ? document.state : undefined;
}

/** Receipts that are looked through for what happened at a site. */
const RECEIPTS_READ_MAX = 200;

export interface SiteHistory {
  /** Of the newest receipt; 0 when none came. The site may be asked for what came after it. */
  readonly receipt: number;
  readonly imports: Receipt["imports"];
  readonly records: Receipt["records"];
}

/** What happened at a site, from its receipts: newest first, each import and record once, as the newest receipt tells it. */
export async function historyOfSite(
  parts: Pick<Parts, "store" | "envelopes">,
  id: string,
): Promise<SiteHistory> {
  const imports = new Map<string, Receipt["imports"][number]>();
  const records = new Map<string, Receipt["records"][number]>();
  const stored = await parts.store.siteReceipts.list(id, { limit: RECEIPTS_READ_MAX });
  for (const { receipt: text } of stored) {
    const document = readDocument(parts, text);
    if (document.kind !== "receipt") continue;
    for (const one of document.receipt.imports.toReversed())
      if (!imports.has(one.id)) imports.set(one.id, one);
    for (const one of document.receipt.records.toReversed())
      if (!records.has(one.id)) records.set(one.id, one);
  }
  return {
    receipt: stored[0]?.sequence ?? 0,
    imports: [...imports.values()],
    records: [...records.values()],
  };
}
