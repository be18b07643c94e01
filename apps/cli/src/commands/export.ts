import { basename } from "node:path";
import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, PLAN, wholeNumber, withExamples } from "../command-options.ts";
import { downloadBundle } from "../download-bundle.ts";
import { renderExportPlan } from "../export-plan-text.ts";
import { findRelease, findSite, type ReleaseBrief, type SiteBrief } from "../find.ts";
import { followJob } from "../follow-job.ts";
import { readLedgerText } from "../ledger-file.ts";
import { bundleFileName, confirmReplace, outputPath, volumePath } from "../output-path.ts";
import { oneLine } from "../text-width.ts";
import { volumeSize } from "../volume-size.ts";

interface ExportOptions {
  readonly output?: string;
  readonly level: number;
  readonly unsigned?: true;
  readonly from: readonly string[];
  readonly for: readonly string[];
  readonly fromState: readonly string[];
  readonly volumeSize?: number;
  readonly plan?: true;
}

const LEVEL_DEFAULT = 3;

export function declareExport(program: Command, context: CommandContext): void {
  const command = program
    .command("export <release...>")
    .description("write releases into one bundle: TEMPLATE@VERSION, TEMPLATE or digests")
    .option("-o, --output <path>", "file or folder to write to; else TEMPLATE-VERSION.sampan here")
    .option("--level <1-19>", "compression: 3 is quick, 9 smaller", wholeNumber(1, 19), LEVEL_DEFAULT)
    .option(
      "--from <release>",
      "increment on a release that the receiver has; again for another",
      collect,
      [],
    )
    .option("--for <site>", "increment for a site of the ledger; again for another", collect, [])
    .option(
      "--from-state <file>",
      "increment for the site that wrote this state; again for another",
      collect,
      [],
    )
    .option(
      "--volume-size <size>",
      "in volumes of at most this size: 650MiB, 4GiB, or for a medium: fat32, dvd, cd",
      volumeSize,
    )
    .option(...PLAN)
    .option("--unsigned", "leave the signature away; a site must then allow it")
    .action((texts: string[], options: ExportOptions) => exportReleases(context, texts, options));
  withExamples(
    command,
    "sampan export shop@2.9",
    "sampan export shop@2.9 billing@1.4 -o /media/stick/delivery.sampan --level 9",
    "sampan export shop@3.0 --from shop@2.9 --from shop@2.8",
    "sampan export shop@3.0 --for Harbour --plan",
    "sampan export shop@3.0 --from-state harbour-state.json -o /media/stick",
    "sampan export shop@3.0 --volume-size fat32 -o /media/stick",
  );
}

/** What an increment builds on, and how its file is named after that. */
async function startOf(client: Client, options: ExportOptions) {
  const from: ReleaseBrief[] = [];
  for (const text of options.from) from.push(await findRelease(client, text));
  const sites: SiteBrief[] = [];
  for (const text of options.for) sites.push(await findSite(client, text));
  const states: string[] = [];
  for (const path of options.fromState) states.push(await readLedgerText(path));
  const names = [
    ...from.map(({ version }) => `-from-${version}`),
    ...sites.map(({ name }) => `-for-${name}`),
    ...options.fromState.map((path) => `-for-${basename(path, ".json")}`),
  ];
  return {
    wish: {
      ...(from.length === 0 ? {} : { from: from.map(({ digest }) => digest) }),
      ...(sites.length === 0 ? {} : { forSites: sites.map(({ id }) => id) }),
      ...(states.length === 0 ? {} : { states }),
    },
    suffix: names.slice(0, NAMES_MAX).join(""),
  };
}

/** In the name of a file. */
const NAMES_MAX = 3;

async function exportReleases(
  context: CommandContext,
  texts: readonly string[],
  options: ExportOptions,
): Promise<void> {
  const client = await context.client();
  const releases: ReleaseBrief[] = [];
  for (const text of texts) releases.push(await findRelease(client, text));
  const start = await startOf(client, options);
  const body = {
    releases: releases.map((one) => one.digest),
    level: options.level,
    unsigned: options.unsigned === true,
    ...(options.volumeSize === undefined ? {} : { volumeSizeBytes: options.volumeSize }),
    ...start.wish,
  };
  if (options.plan === true) {
    const plan = await client.planExport({ body });
    return context.result(plan, () => renderExportPlan(plan));
  }
  const [first] = releases;
  const name = first === undefined ? "bundle.sampan" : bundleFileName(first, { suffix: start.suffix });
  const target = await outputPath({ given: options.output, name });
  if (options.volumeSize === undefined) await confirmReplace(context, target);
  const { result } = await followJob(context, client, (await client.exportBundle({ body })).jobId);
  const files = await fetchFiles(context, client, {
    result,
    target,
    inVolumes: options.volumeSize !== undefined,
  });
  const remarks = (result?.remarks ?? []) as readonly string[];
  const more = { manifestDigest: result?.manifestDigest, remarks };
  const done = options.volumeSize === undefined ? { ...files[0], ...more } : { files, ...more };
  context.result(done, () =>
    [
      ...remarks.map((remark) => `! ${oneLine(remark)}`),
      ...files.flatMap(({ path, sizeBytes, sha256 }) => [
        `${path}  ${humanBytes(sizeBytes)}`,
        `sha256 ${sha256}`,
      ]),
      renderNext(files.map(({ path }) => basename(path))),
    ].join("\n"),
  );
}

interface Fetched {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** From the server, which then has them no longer. */
async function fetchFiles(
  context: CommandContext,
  client: Client,
  wish: {
    readonly result: Readonly<Record<string, unknown>> | undefined;
    readonly target: string;
    readonly inVolumes: boolean;
  },
): Promise<Fetched[]> {
  const { result, target, inVolumes } = wish;
  const made = inVolumes
    ? (result?.files as readonly { readonly fileId: string; readonly name: string }[])
    : [{ fileId: String(result?.fileId), name: "" }];
  const files: Fetched[] = [];
  for (const { fileId, name } of made) {
    const path = inVolumes ? volumePath(target, name) : target;
    if (inVolumes) await confirmReplace(context, path);
    files.push({ path, ...(await downloadBundle(context, client, { fileId, target: path })) });
    await client.removeBundle({ params: { id: fileId } });
  }
  return files;
}

function renderNext(names: readonly string[]): string {
  const [first = ""] = names;
  return names.length < 2
    ? `At the site: sampan bundle verify ${first}; sampan import ${first}`
    : `At the site, in any order and on any day: sampan import ${names.join(" ")}`;
}
