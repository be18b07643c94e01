import {
  type BackupWish,
  backUp,
  type ExportWish,
  exportBundle,
  type ImportWish,
  importRelease,
  type PublishWish,
  protectKnownSnapshots,
  publish,
  type RestoreBackupWish,
  restoreBackup,
} from "@sampan/delivery";
import type { JobHandler } from "@sampan/store";
import type { ServerParts } from "./handlers/server-parts.ts";
import { pruneInputs } from "./prune.ts";
import { requireSucceeded } from "./require-succeeded.ts";

/** What each kind of long work does. Each can be begun again after a crash: what was done is kept or done over. */
export function jobHandlers(parts: ServerParts): Readonly<Record<string, JobHandler>> {
  return { ...releaseJobs(parts), ...backupJobs(parts), ...holdJobs(parts) };
}

type Jobs = Readonly<Record<string, JobHandler>>;

function releaseJobs(parts: ServerParts): Jobs {
  return {
    async publish(run) {
      const { wish, newTemplateId } = run.input as {
        readonly wish: PublishWish;
        readonly newTemplateId: string;
      };
      const published = await publish(parts, wish, {
        signal: run.signal,
        onProgress: run.progress,
        newTemplateId,
      });
      await run.log(`published ${published.templateName} ${published.version} as ${published.digest}`);
      return published;
    },
    async export(run) {
      const wish = run.input as ExportWish;
      const { remarks = [] } = wish;
      for (const remark of remarks) await run.log(remark);
      const { file, files, manifestDigest } = await exportBundle(parts, parts.files, wish, {
        signal: run.signal,
        onProgress: run.progress,
      });
      for (const { name, sizeBytes, sha256 } of files)
        await run.log(`wrote ${name}, ${sizeBytes} bytes, sha256 ${sha256}`);
      return {
        files: files.map(({ id, name, sizeBytes, sha256 }) => ({ fileId: id, name, sizeBytes, sha256 })),
        fileId: file.id,
        name: file.name,
        sizeBytes: file.sizeBytes,
        sha256: file.sha256,
        manifestDigest,
        remarks,
      };
    },
    async import(run) {
      const imported = await importRelease(parts, run.input as ImportWish, {
        signal: run.signal,
        onProgress: run.progress,
      });
      for (const release of imported.releases)
        await run.log(`imported ${release.templateName} ${release.version}`);
      if (!imported.complete)
        await run.log(`the file is kept; volumes still to come: ${imported.missing.join(", ")}`);
      for (const remark of imported.remarks) await run.log(remark);
      return imported;
    },
  };
}

function backupJobs(parts: ServerParts): Jobs {
  return {
    async backup(run) {
      const { signal, progress: onProgress } = run;
      const done = await backUp(parts, parts.files, run.input as BackupWish, { signal, onProgress });
      const { id: fileId, name, sizeBytes, sha256 } = done.file;
      await run.log(`wrote ${name}, ${sizeBytes} bytes, sha256 ${sha256}`);
      for (const remark of done.remarks) await run.log(remark);
      const { manifestDigest, snapshotId, remarks } = done;
      return { fileId, name, sizeBytes, sha256, manifestDigest, snapshotId, remarks };
    },
    async restore(run) {
      const { signal, progress: onProgress } = run;
      const restored = await restoreBackup(parts, run.input as RestoreBackupWish, { signal, onProgress });
      for (const remark of restored.remarks) await run.log(remark);
      onProgress({ stage: "start", done: 0 });
      await requireSucceeded(parts, restored, signal);
      await run.log(`restored ${restored.appName}`);
      return restored;
    },
  };
}

function holdJobs(parts: ServerParts): Jobs {
  return {
    async prune(run) {
      await protectKnownSnapshots(parts);
      const plan = await parts.hold.planPrune(await pruneInputs(parts));
      const { bytesFreed } = await parts.hold.executePrune(plan);
      await run.log(`freed ${bytesFreed} bytes`);
      return { freedBytes: bytesFreed };
    },
    async check(run) {
      const { damage } = await parts.hold.check({ signal: run.signal, onProgress: run.progress });
      const lines = damage.map(
        (one) => `${one.kind} ${one.digest}: ${one.why}; it hits ${one.images.join(", ") || "no image"}`,
      );
      for (const line of lines) await run.log(`damaged: ${line}`);
      return { damage, text: damage.length === 0 ? "Everything in the hold is whole." : lines.join("\n") };
    },
  };
}
