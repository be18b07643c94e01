import { basename } from "node:path";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { wholeNumber, withExamples } from "../command-options.ts";
import { downloadBundle } from "../download-bundle.ts";
import { findRelease, type ReleaseBrief } from "../find.ts";
import { followJob } from "../follow-job.ts";
import { bundleFileName, chooseOutputPath } from "../output-path.ts";

interface ExportOptions {
  readonly output?: string;
  readonly level: number;
  readonly unsigned?: true;
}

const LEVEL_DEFAULT = 3;

export function declareExport(program: Command, context: CommandContext): void {
  const command = program
    .command("export <release...>")
    .description("write releases into one bundle file: TEMPLATE@VERSION, TEMPLATE or digests")
    .option("-o, --output <path>", "file or folder to write to; else TEMPLATE-VERSION.sampan here")
    .option("--level <1-19>", "compression: 3 is quick, 9 smaller", wholeNumber(1, 19), LEVEL_DEFAULT)
    .option("--unsigned", "leave the signature away; a site must then allow it")
    .action((texts: string[], options: ExportOptions) => exportReleases(context, texts, options));
  withExamples(
    command,
    "sampan export shop@2.9",
    "sampan export shop@2.9 billing@1.4 -o /media/stick/delivery.sampan --level 9",
  );
}

async function exportReleases(
  context: CommandContext,
  texts: readonly string[],
  options: ExportOptions,
): Promise<void> {
  const client = await context.client();
  const releases: ReleaseBrief[] = [];
  for (const text of texts) releases.push(await findRelease(client, text));
  const [first] = releases;
  const name = first === undefined ? "bundle.sampan" : bundleFileName(first);
  const target = await chooseOutputPath(context, { given: options.output, name });
  const body = {
    releases: releases.map((one) => one.digest),
    level: options.level,
    unsigned: options.unsigned === true,
  };
  const { result } = await followJob(context, client, (await client.exportBundle({ body })).jobId);
  const fileId = String(result?.fileId);
  const { sizeBytes, sha256 } = await downloadBundle(context, client, { fileId, target });
  await client.removeBundle({ params: { id: fileId } });
  context.result({ path: target, sizeBytes, sha256, manifestDigest: result?.manifestDigest }, () =>
    [
      `${target}  ${humanBytes(sizeBytes)}`,
      `sha256 ${sha256}`,
      `At the site: sampan bundle verify ${basename(target)}; sampan import ${basename(target)}`,
    ].join("\n"),
  );
}
