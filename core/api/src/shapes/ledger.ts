import { z } from "zod";
import { route } from "../route.ts";
import { byId, digest, document, id, page, pageQuery, time } from "./basics.ts";

/** A file that this site signed, to be carried to its vendor. */
const siteDocument = z.object({
  /** Grows with every document of the site. */
  sequence: z.int(),
  /** SHA-256 of what was signed. */
  digest,
  /** The file. */
  text: z.string(),
});

const siteSummary = z.object({
  at: time.optional(),
  productVersion: z.string().optional(),
  platform: z.string().optional(),
  holdFreeBytes: z.number().optional(),
  releases: z
    .array(z.object({ templateName: z.string(), version: z.string(), digest }))
    .readonly()
    .optional(),
  installations: z
    .array(
      z.object({
        team: z.string(),
        app: z.string(),
        templateName: z.string(),
        version: z.string(),
        release: digest,
        state: z.string(),
      }),
    )
    .readonly()
    .optional(),
});

/** A site that this vendor's ledger knows, pinned to the key of its first file. */
const ledgerSite = z.object({
  id: z.string(),
  name: z.string(),
  keyId: z.string(),
  publicKeyPem: z.string(),
  /** Of its newest state; 0 when none came yet. */
  sequence: z.int(),
  /** From its newest state. */
  summary: siteSummary,
  notes: z.string().optional(),
  firstSeenAt: time,
  lastSeenAt: time,
});

const tag = "ledger";
export const ledgerRoutes = {
  getSiteState: route({
    method: "GET",
    path: "/site/state",
    tag,
    summary:
      "What this site holds, runs and can, signed: for its vendor. No secrets and no answers are in it",
    permission: "enterprise.manage",
    reply: siteDocument,
  }),
  getSiteReceipt: route({
    method: "GET",
    path: "/site/receipt",
    tag,
    summary:
      "What arrived at this site, what was done and who accepted it, signed; without what documents up to `since` told",
    permission: "enterprise.manage",
    query: z.object({ since: z.coerce.number().int().min(0).default(0) }),
    reply: siteDocument,
  }),
  addToLedger: route({
    method: "POST",
    path: "/ledger",
    tag,
    summary: "Take in a site state or a receipt; the first file of a site pins it to its key",
    permission: "enterprise.manage",
    body: "bytes",
    reply: z.object({
      site: ledgerSite,
      kind: z.enum(["state", "receipt"]),
      sequence: z.int(),
      /** `older`: the state that is kept is newer, or the same. `known`: a receipt of this number is kept. */
      outcome: z.enum(["kept", "older", "known"]),
      /** Whether the site is new to the ledger: compare the key with the site by another way. */
      pinned: z.boolean(),
      remarks: z.array(z.string()),
    }),
  }),
  listLedger: route({
    method: "GET",
    path: "/ledger",
    tag,
    summary: "Sites that are known, by name, with what each holds and runs",
    permission: "self.use",
    query: z.object(pageQuery),
    reply: page(ledgerSite),
  }),
  getLedgerSite: route({
    method: "GET",
    path: "/ledger/:id",
    tag,
    summary: "One site, with what its receipts tell: newest first",
    permission: "self.use",
    params: byId,
    reply: ledgerSite.extend({
      /** Number of the newest receipt; 0 when none came. */
      receipt: z.int(),
      /** As `core/ledger` words them. */
      imports: z.array(document),
      records: z.array(document),
    }),
  }),
  noteLedgerSite: route({
    method: "PATCH",
    path: "/ledger/:id",
    tag,
    summary: "Write something down about a site; an empty text takes it away",
    permission: "enterprise.manage",
    params: byId,
    body: z.object({ notes: z.string().max(4000) }),
    reply: ledgerSite,
  }),
  removeLedgerSite: route({
    method: "DELETE",
    path: "/ledger/:id",
    tag,
    summary: "Forget a site, its key and its receipts",
    permission: "enterprise.manage",
    params: byId,
    reply: "none",
  }),
};

/** What an increment may build on; a bundle is full without any of it. */
export const startWish = {
  /** Releases that the receiver has: those of one template are alternatives. */
  from: z.array(digest).max(64).optional(),
  /** Sites of the ledger: the file serves all of them. */
  forSites: z.array(id).max(64).optional(),
  /** Texts of site states that need not be in the ledger. */
  states: z
    .array(z.string().max(6 * 1024 * 1024))
    .max(64)
    .optional(),
};
