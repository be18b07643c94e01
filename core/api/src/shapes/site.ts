import { z } from "zod";
import { route } from "../route.ts";
import { digest, document, flag, jobStarted, page, pageQuery, time } from "./basics.ts";

const engine = z.object({
  driver: z.string(),
  reachable: z.boolean(),
  message: z.string().optional(),
  engine: z.string().optional(),
  engineVersion: z.string().optional(),
  apiVersion: z.string().optional(),
  os: z.string().optional(),
  architecture: z.string().optional(),
  kernel: z.string().optional(),
  cpus: z.number().optional(),
  memoryBytes: z.number().optional(),
  diskFreeBytes: z.number().optional(),
});

export const siteView = z.object({
  id: z.string(),
  enterprise: z.string(),
  version: z.string(),
  keyId: z.string(),
  publicKeyPem: z.string(),
  registry: z.string(),
  engine,
  hold: z.object({
    images: z.int(),
    layers: z.int(),
    pieces: z.int(),
    rawBytes: z.number(),
    storedBytes: z.number(),
    freeBytes: z.number(),
  }),
});

export const trustedKey = z.object({
  keyId: z.string(),
  name: z.string(),
  publicKeyPem: z.string(),
  addedAt: time,
  own: z.boolean(),
});

export const prunePlan = z.object({
  images: z.array(digest),
  layers: z.int(),
  packsDropped: z.int(),
  packsRewritten: z.int(),
  freesBytes: z.number(),
  protectedBy: z.array(z.object({ what: z.string(), because: z.string() })),
  text: z.string(),
});

const policyView = z.strictObject({
  /** Install, upgrade, rollback, modules and putting data back demand a note. */
  noteRequired: z.boolean(),
  /** An upgrade that does not say otherwise captures the data of what it replaces. */
  captureBeforeUpgrade: z.boolean(),
  /** Of each app; those that were taken by hand are never dropped. */
  snapshotsKept: z.int().min(1).max(1000),
});

const tag = "site";
export const siteRoutes = {
  getHealth: route({
    method: "GET",
    path: "/health",
    tag,
    summary: "Whether the server answers",
    permission: "public",
    reply: z.object({ ok: z.boolean(), version: z.string(), setupNeeded: z.boolean() }),
  }),
  getSite: route({
    method: "GET",
    path: "/site",
    tag,
    summary: "This site: engine, hold, key, registry",
    permission: "self.use",
    reply: siteView,
  }),
  getOpenApi: route({
    method: "GET",
    path: "/openapi.json",
    tag,
    summary: "This contract as OpenAPI 3.1",
    permission: "public",
    reply: document,
  }),
  listKeys: route({
    method: "GET",
    path: "/keys",
    tag,
    summary: "Vendor keys that are trusted here",
    permission: "self.use",
    reply: page(trustedKey),
  }),
  trustKey: route({
    method: "POST",
    path: "/keys",
    tag,
    summary: "Trust a vendor's public key",
    permission: "enterprise.manage",
    status: 201,
    body: z.object({ name: z.string().min(1).max(120), publicKeyPem: z.string().max(4096) }),
    reply: trustedKey,
  }),
  distrustKey: route({
    method: "DELETE",
    path: "/keys/:keyId",
    tag,
    summary: "Trust a key no longer; what was imported stays",
    permission: "enterprise.manage",
    params: z.object({ keyId: z.string().max(100) }),
    reply: "none",
  }),
  planPrune: route({
    method: "GET",
    path: "/hold/prune",
    tag,
    summary: "What pruning the hold would free, and what protects the rest",
    permission: "enterprise.manage",
    reply: prunePlan,
  }),
  prune: route({
    method: "POST",
    path: "/hold/prune",
    tag,
    summary: "Prune the hold",
    permission: "enterprise.manage",
    status: 202,
    reply: jobStarted,
  }),
  checkHold: route({
    method: "POST",
    path: "/hold/check",
    tag,
    summary: "Re-read everything that the hold keeps",
    permission: "enterprise.manage",
    status: 202,
    reply: jobStarted,
  }),
  getPolicy: route({
    method: "GET",
    path: "/site/policy",
    tag,
    summary: "What this site asks of changes, and how many data snapshots it keeps",
    permission: "self.use",
    reply: policyView,
  }),
  setPolicy: route({
    method: "PUT",
    path: "/site/policy",
    tag,
    summary: "Change the policy; what is absent stays",
    permission: "enterprise.manage",
    body: policyView.partial(),
    reply: policyView,
  }),
  listAudit: route({
    method: "GET",
    path: "/audit",
    tag,
    summary: "Who did what, newest first",
    permission: "enterprise.manage",
    query: z.object({ ...pageQuery, failed: flag.optional() }),
    reply: page(
      z.object({
        id: z.string(),
        at: time,
        who: z.string(),
        what: z.string(),
        target: z.string().optional(),
        outcome: z.string(),
      }),
    ),
  }),
};
