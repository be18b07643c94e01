import { z } from "zod";
import { route } from "../route.ts";
import { byId, digest, document, id, page, pageQuery, time } from "./basics.ts";
import {
  acceptanceCheck,
  change,
  changeOptions,
  preflightCheck,
  stepResult,
  upgradeReply,
} from "./changes.ts";

const recordView = z.object({
  id,
  appId: id,
  appName: z.string(),
  installationId: id.optional(),
  kind: z.enum([
    "install",
    "upgrade",
    "rollback",
    "edit",
    "scale",
    "modules",
    "start",
    "stop",
    "remove",
    "snapshot",
    "restore",
  ]),
  from: z.object({ version: z.string(), digest }).optional(),
  to: z.object({ version: z.string(), digest }).optional(),
  state: z.string(),
  result: z.string().optional(),
  note: z.string().optional(),
  who: z.string(),
  startedAt: time,
  endedAt: time.optional(),
  rolloutId: id.optional(),
  /** The data snapshot that was captured on the way. */
  dataSnapshotId: id.optional(),
  canRollBack: z.boolean(),
  cannotRollBackBecause: z.string().optional(),
});

const recordDetail = recordView.extend({
  /** By path of a property: "take", "keep", or "edit" (what was written is not kept: it may be a secret). */
  decisions: z.record(z.string(), z.string()),
  onFailure: z.enum(["return", "hold"]),
  preflight: z.array(preflightCheck),
  /** What was done, step by step. */
  steps: z.array(stepResult.extend({ text: z.string(), why: z.string() })),
  checks: z.array(acceptanceCheck),
  /** There is an acceptance report. */
  reportAvailable: z.boolean(),
});

/** As it stands in a report's file (core/report). */
const countersignature = z.object({
  name: z.string(),
  remark: z.string().optional(),
  /** By this site's clock. */
  at: time,
  /** Who was logged in. */
  user: z.string(),
  /** Over the envelope's payload, with a key of the person's own. */
  signature: z.object({ keyId: digest, publicKeyPem: z.string(), sig: z.string() }).optional(),
});

const reportView = z.object({
  /** DSSE; signed with the site's key. */
  envelope: document,
  /** What is in the envelope, decoded. */
  payload: document,
  countersignatures: z.array(countersignature),
});

const tag = "records";

export const recordRoutes = {
  listRecords: route({
    method: "GET",
    path: "/records",
    tag,
    summary: "What was done, newest first",
    permission: "self.use",
    query: z.object({ ...pageQuery, app: id.optional(), installation: id.optional() }),
    reply: page(recordView),
  }),
  getRecord: route({
    method: "GET",
    path: "/records/:id",
    tag,
    summary: "One record, with what was decided, checked and done",
    permission: "app.read",
    params: byId,
    reply: recordDetail,
  }),
  diffRecords: route({
    method: "GET",
    path: "/records/:id/diff/:other",
    tag,
    summary: "What differs between the app after one record and after another",
    permission: "app.read",
    params: z.object({ id, other: id }),
    reply: z.object({ changes: z.array(change) }),
  }),
  rollback: route({
    method: "POST",
    path: "/records/:id/rollback",
    tag,
    summary: "Go back to what was before a record; with `dryRun` only what would return",
    permission: "app.install",
    params: byId,
    body: z.object({
      removeAdded: z.boolean().default(false),
      keepEdits: z.array(z.string().max(400)).default([]),
      /** Put the data back as well, from what the record captured. */
      restoreData: z.boolean().default(false),
      /** From another data snapshot than the record's. */
      snapshot: id.optional(),
      /** What is there is captured before data is put back. */
      captureFirst: z.boolean().default(true),
      ...changeOptions,
    }),
    reply: upgradeReply,
  }),
  getReport: route({
    method: "GET",
    path: "/records/:id/report",
    tag,
    summary: "The acceptance report, signed by the site",
    permission: "app.read",
    params: byId,
    reply: reportView,
  }),
  getReportPage: route({
    method: "GET",
    path: "/records/:id/report.html",
    tag,
    summary: "The acceptance report as one page, which carries the signed envelope inside",
    permission: "app.read",
    params: byId,
    query: z.object({ lang: z.enum(["zh", "en"]).default("en") }),
    reply: "bytes",
  }),
  countersignReport: route({
    method: "POST",
    path: "/records/:id/report/countersign",
    tag,
    summary: "Put a person's name under the acceptance report",
    permission: "app.install",
    status: 201,
    params: byId,
    body: z.object({
      name: z.string().trim().min(1).max(200),
      remark: z.string().max(4000).optional(),
      /** Over the envelope's payload as DSSE has it, made with an Ed25519 key of the person's own; base64. Another one is refused. */
      signature: z.object({ publicKeyPem: z.string().max(4096), sig: z.string().max(128) }).optional(),
    }),
    reply: reportView,
  }),
};
