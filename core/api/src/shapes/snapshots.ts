import { z } from "zod";
import { route } from "../route.ts";
import { byId, id, jobStarted, note, page, pageQuery, time } from "./basics.ts";
import { source } from "./bundles.ts";
import { changeOptions, changeReply, componentNames } from "./changes.ts";

const snapshotView = z.object({
  id,
  appId: id,
  /** As the app is or was called: a snapshot outlives its app. */
  appName: z.string(),
  /** What it was taken for; `request`: by hand, so that no retention drops it. */
  reason: z.enum(["request", "upgrade", "rollback", "restore", "backup"]),
  state: z.enum(["taking", "complete", "failed"]),
  /** Why it failed. */
  message: z.string().optional(),
  who: z.string(),
  note: z.string().optional(),
  startedAt: time,
  endedAt: time.optional(),
  /** Of all volumes, before pieces that are the same are kept once. */
  sizeBytes: z.number(),
  volumes: z.array(z.object({ component: z.string(), volume: z.string(), sizeBytes: z.number() })),
  recordId: id.optional(),
});

/** `snapshotId`: of what is captured by it. */
const dataReply = changeReply.extend({ snapshotId: id.optional(), remarks: z.array(z.string()) });

const passphrase = z.string().min(8, "at least 8 characters").max(1024);
const tag = "snapshots";

export const snapshotRoutes = {
  takeSnapshot: route({
    method: "POST",
    path: "/apps/:id/snapshots",
    tag,
    summary: "Capture the data of an app; with `dryRun` only what that does",
    permission: "app.snapshot",
    status: 201,
    params: byId,
    body: z.object({ components: componentNames.optional(), ...changeOptions }),
    reply: dataReply,
  }),
  listSnapshots: route({
    method: "GET",
    path: "/snapshots",
    tag,
    summary: "Data snapshots, newest first",
    permission: "self.use",
    query: z.object({ ...pageQuery, app: id.optional() }),
    reply: page(snapshotView),
  }),
  getSnapshot: route({
    method: "GET",
    path: "/snapshots/:id",
    tag,
    summary: "A data snapshot",
    permission: "app.read",
    params: byId,
    reply: snapshotView,
  }),
  restoreSnapshot: route({
    method: "POST",
    path: "/snapshots/:id/restore",
    tag,
    summary: "Put data back into the app that it came from; with `dryRun` only what that does",
    permission: "app.snapshot",
    params: byId,
    body: z.object({
      /** All that the snapshot has of these components, or these volumes; everything when both are absent. */
      components: componentNames.optional(),
      volumes: z
        .array(z.object({ component: z.string().max(63), volume: z.string().max(63) }))
        .max(1000)
        .optional(),
      /** What is there is captured first. */
      captureFirst: z.boolean().default(true),
      ...changeOptions,
    }),
    reply: dataReply,
  }),
  removeSnapshot: route({
    method: "DELETE",
    path: "/snapshots/:id",
    tag,
    summary: "Remove a data snapshot; pruning the hold frees its room",
    permission: "app.snapshot",
    params: byId,
    reply: "none",
  }),

  backUpApp: route({
    method: "POST",
    path: "/apps/:id/backup",
    tag,
    summary:
      "Write an app with its releases, images and data into one file; secrets sealed with the passphrase",
    permission: "app.snapshot",
    status: 202,
    params: byId,
    body: z.object({
      passphrase,
      note: note.optional(),
      /** Data as this snapshot has it; captured anew when absent. */
      snapshot: id.optional(),
      components: componentNames.optional(),
    }),
    reply: jobStarted,
  }),
  restoreBackup: route({
    method: "POST",
    path: "/backups/restore",
    tag,
    summary: "Make an app from a backup, at this site or another, with its data",
    permission: "bundle.import",
    status: 202,
    body: z.object({
      source,
      teamId: id,
      /** As it was called when absent. */
      appName: z.string().max(42).optional(),
      passphrase,
      allowUnsigned: z.boolean().default(false),
      note: note.optional(),
      ignorePreflight: changeOptions.ignorePreflight,
    }),
    reply: jobStarted,
  }),
};
