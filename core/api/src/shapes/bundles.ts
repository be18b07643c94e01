import { z } from "zod";
import { route } from "../route.ts";
import { byId, digest, document, id, jobStarted, page, pageQuery, time } from "./basics.ts";
import { exportPlan } from "./export-plan.ts";
import { startWish } from "./ledger.ts";
import { scope } from "./library.ts";

/** A bundle file that lies at this site: exported, uploaded, or being so. */
export const bundleFile = z.object({
  id,
  name: z.string(),
  sizeBytes: z.number(),
  /** Of an upload that is not whole yet: what has arrived. */
  receivedBytes: z.number(),
  state: z.enum(["writing", "uploading", "whole"]),
  origin: z.enum(["exported", "uploaded"]),
  teamId: id.optional(),
  sha256: z.string().optional(),
  createdAt: time,
});

export const bundleView = z.object({
  formatVersion: z.int(),
  kind: z.enum(["full", "increment"]),
  /** It carries a whole app: restoring it makes the app; importing takes only the releases out of it. */
  backup: z.boolean(),
  manifestDigest: digest,
  /** Absent when the file is the whole bundle; `number` is of a volume, `volumes` how many there are. */
  part: z
    .object({
      kind: z.enum(["volume", "repair"]),
      number: z.int().optional(),
      volumes: z.int().optional(),
    })
    .optional(),
  releases: z.array(
    z.object({
      digest,
      templateId: z.string(),
      templateName: z.string(),
      version: z.string(),
      alias: z.string().optional(),
      held: z.boolean(),
    }),
  ),
  signatures: z.array(z.object({ keyId: z.string(), trusted: z.boolean(), name: z.string().optional() })),
  images: z.int(),
  architectures: z.array(z.string()),
  sizeBytes: z.number(),
  rawBytes: z.number(),
  /** What importing needs of the disk, and what is free. */
  needsBytes: z.number(),
  freeBytes: z.number(),
  /** What its releases want that a site may not like: privileged, capabilities, host ports. Of a volume: of the releases that have come. */
  wants: z.array(z.string()),
  document,
});

const tag = "bundles";
/** An uploaded file by id, or a file in one of the directories that the site's configuration allows. */
export const source = z.union([z.object({ fileId: id }), z.object({ path: z.string().min(1).max(4096) })]);

const exportWish = z.object({
  releases: z.array(digest).min(1).max(100),
  teamId: id.optional(),
  level: z.int().min(1).max(19).default(3),
  unsigned: z.boolean().default(false),
  /** Writes volumes of at most this size. The job's result lists them all under `files`; its `fileId` is the first. */
  volumeSizeBytes: z
    .int()
    .min(16 * 1024 * 1024)
    .exactOptional(),
  ...startWish,
});

export const bundleRoutes = {
  exportBundle: route({
    method: "POST",
    path: "/bundles/export",
    tag,
    summary:
      "Write releases into a bundle, one file or volumes: full, or an increment on what receivers have",
    permission: "bundle.export",
    status: 202,
    body: exportWish,
    reply: jobStarted,
  }),
  planExport: route({
    method: "POST",
    path: "/bundles/export/plan",
    tag,
    summary:
      "What an export would carry and why, and what it would meet at the sites that it is for; nothing is written",
    permission: "bundle.export",
    body: exportWish,
    reply: exportPlan,
  }),
  listBundles: route({
    method: "GET",
    path: "/bundles",
    tag,
    summary: "Bundle files at this site",
    permission: "self.use",
    query: z.object(pageQuery),
    reply: page(bundleFile),
  }),
  getBundle: route({
    method: "GET",
    path: "/bundles/:id",
    tag,
    summary: "A bundle file",
    permission: "library.read",
    params: byId,
    reply: bundleFile,
  }),
  downloadBundle: route({
    method: "GET",
    path: "/bundles/:id/content",
    tag,
    summary: "Download a bundle file; Range works",
    permission: "library.read",
    params: byId,
    reply: "bytes",
  }),
  removeBundle: route({
    method: "DELETE",
    path: "/bundles/:id",
    tag,
    summary: "Remove a bundle file; what was imported stays",
    permission: "bundle.export",
    params: byId,
    reply: "none",
  }),
  startUpload: route({
    method: "POST",
    path: "/bundles",
    tag,
    summary: "Announce an upload",
    permission: "bundle.export",
    status: 201,
    body: z.object({ name: z.string().min(1).max(200), sizeBytes: z.int().min(1), teamId: id.optional() }),
    reply: bundleFile,
  }),
  appendUpload: route({
    method: "PATCH",
    path: "/bundles/:id/content",
    tag,
    summary: "Send bytes from `offset`; go on after a break from `receivedBytes`",
    permission: "bundle.export",
    params: byId,
    query: z.object({ offset: z.coerce.number().int().min(0) }),
    body: "bytes",
    reply: bundleFile,
  }),
  inspectBundle: route({
    method: "POST",
    path: "/bundles/inspect",
    tag,
    summary: "Read the root of a bundle: what it holds, who signed it, whether it fits",
    permission: "library.read",
    body: source,
    reply: bundleView,
  }),
  importBundle: route({
    method: "POST",
    path: "/bundles/import",
    tag,
    summary:
      "Import a bundle, or a volume or repair of one, into the library of a team or of the enterprise; the job's result says whether it is `complete`, and which volumes are `missing`",
    permission: "bundle.import",
    status: 202,
    body: z.object({
      source,
      scope: scope.default("enterprise"),
      teamId: id.optional(),
      allowUnsigned: z.boolean().default(false),
      throttleBytesPerSecond: z.int().min(1024).optional(),
    }),
    reply: jobStarted,
  }),
};

export const jobView = z.object({
  id,
  kind: z.string(),
  title: z.string(),
  state: z.enum(["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]),
  teamId: id.optional(),
  by: z.string(),
  progress: z
    .object({
      stage: z.string(),
      done: z.number(),
      total: z.number().optional(),
      ratePerSecond: z.number().optional(),
      note: z.string().optional(),
    })
    .optional(),
  result: document.optional(),
  error: z
    .object({
      code: z.string(),
      title: z.string(),
      exit: z.int().optional(),
      why: z.string().optional(),
      hint: z.string().optional(),
      faults: z.array(z.unknown()).optional(),
    })
    .optional(),
  attempts: z.int(),
  createdAt: time,
  startedAt: time.optional(),
  endedAt: time.optional(),
});

export const jobRoutes = {
  listJobs: route({
    method: "GET",
    path: "/jobs",
    tag: "jobs",
    summary: "Long work, newest first",
    permission: "self.use",
    query: z.object({ ...pageQuery, state: z.string().max(20).optional() }),
    reply: page(jobView),
  }),
  getJob: route({
    method: "GET",
    path: "/jobs/:id",
    tag: "jobs",
    summary: "One job",
    permission: "self.use",
    params: byId,
    reply: jobView,
  }),
  getJobLog: route({
    method: "GET",
    path: "/jobs/:id/log",
    tag: "jobs",
    summary: "What a job said",
    permission: "self.use",
    params: byId,
    reply: z.object({ items: z.array(z.object({ at: time, text: z.string() })) }),
  }),
  cancelJob: route({
    method: "POST",
    path: "/jobs/:id/cancel",
    tag: "jobs",
    summary: "Ask a job to stop",
    permission: "self.use",
    params: byId,
    reply: jobView,
  }),
  resumeJob: route({
    method: "POST",
    path: "/jobs/:id/resume",
    tag: "jobs",
    summary: "Try a failed or cancelled job again; what was done is kept",
    permission: "self.use",
    params: byId,
    reply: jobView,
  }),
  streamEvents: route({
    method: "GET",
    path: "/events",
    tag: "jobs",
    summary: "What changes, as server-sent events: look again at what is named",
    permission: "self.use",
    query: z.object({ app: id.optional() }),
    reply: "bytes",
    event: z.object({ noun: z.string(), id: z.string(), teamId: id.optional(), appId: id.optional() }),
  }),
};
