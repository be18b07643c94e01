import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import { storeProblem } from "./problems.ts";
import { fromJson, present, toJson } from "./row.ts";
import type { Tables } from "./tables.ts";

/** Texts of signed documents; the ledger room reads no larger ones. */
const DOCUMENT_LENGTH_MAX = 32 * 1024 * 1024;

/** A site that a vendor's ledger knows, by the key that signed its first file. */
export interface LedgerSite {
  readonly id: string;
  /** Of its enterprise, as it calls itself. */
  readonly name: string;
  readonly keyId: string;
  readonly publicKeyPem: string;
  /** Of the newest state; 0 when none came yet. */
  readonly sequence: number;
  /** Of the newest state, for lists: decided by delivery. */
  readonly summary: unknown;
  /** What a person wrote of it. */
  readonly notes?: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
}

function toSite({ state: _, ...row }: Tables["sites"]): LedgerSite {
  const { summary, ...rest } = present(row);
  return { ...rest, summary: fromJson(summary) };
}

export const sites = {
  /** Pins a site to its key. Throws STORE_TAKEN when it is known. */
  create(
    context: Context,
    site: Pick<LedgerSite, "id" | "name" | "keyId" | "publicKeyPem">,
  ): Promise<LedgerSite> {
    return context.write(async (inside) => {
      const now = inside.now();
      const row = await inside.db
        .insertInto("sites")
        .values({ ...site, sequence: 0, summary: "{}", firstSeenAt: now, lastSeenAt: now })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "site", id: site.id, act: "created" });
      return toSite(row);
    });
  },

  async get(context: Context, id: string): Promise<LedgerSite> {
    return toSite(await rowOf(context, id));
  },

  /** Text of the newest signed state; undefined when none came yet. Throws STORE_ABSENT for a site that is not known. */
  async state(context: Context, id: string): Promise<string | undefined> {
    return (await rowOf(context, id)).state ?? undefined;
  },

  /** By name. */
  async list(context: Context, page: PageRequest = {}): Promise<Page<LedgerSite>> {
    const query = context.db.selectFrom("sites").selectAll();
    return mapPage(await readPage(query, { by: "name", id: "id", direction: "asc" }, page), toSite);
  },

  /** Takes in a newer state. Throws STORE_STALE when its number is not larger than that of the one that is kept, STORE_TOO_LARGE. */
  putState(
    context: Context,
    id: string,
    given: Pick<LedgerSite, "name" | "sequence" | "summary"> & { readonly state: string },
  ): Promise<LedgerSite> {
    return context.write(async (inside) => {
      requireSize(given.state);
      const { sequence } = await sites.get(inside, id);
      if (given.sequence <= sequence)
        throw storeProblem("STORE_STALE", `state ${given.sequence} of site ${id} is not newer`, {
          why: `state ${sequence} is kept`,
        });
      return await change(inside, id, { ...given, summary: toJson(given.summary), lastSeenAt: inside.now() });
    });
  },

  /** An empty text takes the notes away. */
  setNotes(context: Context, id: string, notes: string): Promise<LedgerSite> {
    return context.write((inside) => change(inside, id, { notes: notes === "" ? null : notes }));
  },

  /** With its receipts. */
  remove(context: Context, id: string): Promise<void> {
    return context.write(async (inside) => {
      const { numDeletedRows } = await inside.db.deleteFrom("sites").where("id", "=", id).executeTakeFirst();
      if (numDeletedRows === 0n) throw absent("site", id);
      inside.changed({ noun: "site", id, act: "removed" });
    });
  },
};

/** A receipt that was taken in: text of a signed document. */
export interface SiteReceipt {
  readonly siteId: string;
  readonly sequence: number;
  readonly receipt: string;
  readonly who: string;
  readonly receivedAt: string;
}

export const siteReceipts = {
  /** Keeps a receipt, once: the first of a number stays. Says whether it was new. Throws STORE_IN_USE for a site that is not known, STORE_TOO_LARGE. */
  put(
    context: Context,
    given: Pick<SiteReceipt, "siteId" | "sequence" | "receipt" | "who">,
  ): Promise<"kept" | "known"> {
    return context.write(async (inside) => {
      requireSize(given.receipt);
      const { numInsertedOrUpdatedRows } = await inside.db
        .insertInto("siteReceipts")
        .values({ ...given, receivedAt: inside.now() })
        .onConflict((conflict) => conflict.columns(["siteId", "sequence"]).doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 0n) return "known";
      await change(inside, given.siteId, { lastSeenAt: inside.now() });
      return "kept";
    });
  },

  /** Newest first. */
  async list(
    context: Context,
    siteId: string,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<readonly SiteReceipt[]> {
    let query = context.db.selectFrom("siteReceipts").selectAll().where("siteId", "=", siteId);
    if (page.before !== undefined) query = query.where("sequence", "<", page.before);
    return await query.orderBy("sequence", "desc").limit(page.limit).execute();
  },
};

async function rowOf(context: Context, id: string): Promise<Tables["sites"]> {
  const row = await context.db.selectFrom("sites").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw absent("site", id);
  return row;
}

async function change(
  inside: Context,
  id: string,
  values: Partial<Omit<Tables["sites"], "id">>,
): Promise<LedgerSite> {
  const row = await inside.db
    .updateTable("sites")
    .set(values)
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw absent("site", id);
  inside.changed({ noun: "site", id, act: "updated" });
  return toSite(row);
}

function requireSize(document: string): void {
  if (document.length > DOCUMENT_LENGTH_MAX)
    throw storeProblem("STORE_TOO_LARGE", "a site's document is too large to be kept", {
      why: `it has ${document.length} characters; ${DOCUMENT_LENGTH_MAX} are allowed`,
    });
}
