import {
  type ExportWish,
  exportBundle,
  type ImportWish,
  importRelease,
  type PublishWish,
  publish,
} from "@sampan/delivery";
import type { JobHandler } from "@sampan/store";
import type { ServerParts } from "./handlers/server-parts.ts";
import { pruneInputs } from "./prune.ts";

/** What each kind of long work does. Each can be begun again after a crash: what was done is kept or done over. */
export function jobHandlers(parts: ServerParts): Readonly<Record<string, JobHandler>> {
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
      const { file, manifestDigest } = await exportBundle(parts, parts.files, run.input as ExportWish, {
        signal: run.signal,
        onProgress: run.progress,
      });
      await run.log(`wrote ${file.name}, ${file.sizeBytes} bytes, sha256 ${file.sha256}`);
      return {
        fileId: file.id,
        name: file.name,
        sizeBytes: file.sizeBytes,
        sha256: file.sha256,
        manifestDigest,
      };
    },
    async import(run) {
      const imported = await importRelease(parts, run.input as ImportWish, {
        signal: run.signal,
        onProgress: run.progress,
      });
      for (const release of imported.releases)
        await run.log(`imported ${release.templateName} ${release.version}`);
      return imported;
    },
    async prune(run) {
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
