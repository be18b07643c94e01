import { basename } from "node:path";
import type { BackupWish, RestoreBackupWish } from "@sampan/delivery";
import type { Handlers } from "../http/serve-contract.ts";
import { requireOwnFile } from "./bundles.ts";
import { allowedApp } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";
import { allowedSnapshot } from "./snapshots.ts";

/** Backups of whole apps. The passphrase is in the input of the job, which the store keeps sealed, and nowhere else. */
export function backupHandlers(parts: ServerParts): Pick<Handlers, "backUpApp" | "restoreBackup"> {
  const { jobs } = parts.store;
  return {
    backUpApp: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      if (body.snapshot !== undefined) await allowedSnapshot(parts, context, body.snapshot);
      const input: BackupWish = {
        ...body,
        by: { userId: context.actor.userId, name: context.actor.name },
        appId: app.id,
        newSnapshotId: parts.newId("snp"),
        fileId: parts.newId("bdl"),
      };
      const job = await jobs.enqueue({
        kind: "backup",
        input,
        startedBy: context.actor.name,
        teamId: app.teamId,
        subject: app.id,
        lane: "export",
      });
      return { jobId: job.id };
    },
    restoreBackup: async ({ body }, context) => {
      context.allow(body.teamId);
      // Whose signatures count is the enterprise's to say, and so is doing without.
      if (body.allowUnsigned) context.require("enterprise.manage", undefined);
      await requireOwnFile(parts, context, body.source);
      const { source, ...rest } = body;
      const path = await parts.files.locate(source);
      const input: RestoreBackupWish = {
        ...rest,
        by: { userId: context.actor.userId, name: context.actor.name },
        path,
        fileName: basename(path),
        newAppId: parts.newId("app"),
      };
      const job = await jobs.enqueue({
        kind: "restore",
        input,
        startedBy: context.actor.name,
        teamId: body.teamId,
        lane: "import",
      });
      return { jobId: job.id };
    },
  };
}
