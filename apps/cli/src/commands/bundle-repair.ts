import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import {
  type NeededRepair,
  openBundle,
  renderRepairRequest,
  repairRequest,
  writeRepair,
} from "@sampan/bundle";
import { isProblem } from "@sampan/problem";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import { bundlePaths } from "../bundle-paths.ts";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { readLocalText } from "../local-file.ts";
import { chooseOutputPath } from "../output-path.ts";
import { ProgressLine } from "../progress-line.ts";
import { oneLine } from "../text-width.ts";

const REQUEST_BYTES_MAX = 256 * 1024;
const MISSING_SHOWN = 10;

export function declareRepairRequest(bundle: Command, context: CommandContext): void {
  const command = bundle
    .command("repair-request <file...>")
    .description("a line to send to the publisher, when files of a bundle are damaged; needs no server")
    .option("--lost", "ask also for the volumes that are not given")
    .option("-o, --output <path>", "file to write the line to; else it is shown")
    .action((given: string[], options: { readonly lost?: true; readonly output?: string }) =>
      requestRepair(context, given, options),
    );
  withExamples(
    command,
    "sampan bundle repair-request shop-3.0.vol02.sampan",
    "sampan bundle repair-request /media/stick --lost -o request.txt",
  );
}

async function requestRepair(
  context: CommandContext,
  given: readonly string[],
  options: { readonly lost?: true; readonly output?: string },
): Promise<void> {
  const paths = await bundlePaths(given);
  const seen = await volumesIn(paths);
  const line = new ProgressLine(context);
  const needed = await repairRequest(paths, undefined, {
    signal: context.signal,
    onProgress: (progress) => line.show(progress.stage, progress),
  });
  line.end();
  for (const { path, problem } of needed.unreadable)
    context.remark(`✗ ${basename(path)}: ${problem.message}: nothing in it can be used`);
  // A file that cannot even be opened does not say which volume it is.
  const isAll = options.lost === true || needed.unreadable.length > 0 || seen.volumes.size === 0;
  const missing = needed.missing.filter(({ volume }) => isAll || seen.volumes.has(volume));
  const numbers = missing.map(({ number }) => number);
  const text =
    seen.digest === undefined || missing.length === 0 ? undefined : renderRepairRequest(seen.digest, numbers);
  if (text !== undefined) context.remark(renderMissing(missing));
  const result = { ...(text === undefined ? {} : { request: text }), missing };
  if (text === undefined) return context.result(result, () => "Nothing is damaged in what was given.");
  if (options.output === undefined) return context.result(result, () => text);
  const target = await chooseOutputPath(context, { given: options.output, name: "repair-request.txt" });
  await writeFile(target, `${text}\n`, { flush: true });
  context.result({ ...result, path: target }, () => `${target}  ${text.length} characters`);
}

/** Which volumes the files are, as far as they can be opened. A repair is none: it only brings what is whole in it. */
async function volumesIn(paths: readonly string[]) {
  const volumes = new Set<number>();
  let digest: Parameters<typeof renderRepairRequest>[0] | undefined;
  for (const path of paths)
    try {
      await using bundle = await openBundle(path);
      digest ??= bundle.manifestDigest;
      if (bundle.part.kind !== "repair") volumes.add(bundle.part.kind === "volume" ? bundle.part.number : 1);
    } catch (error) {
      if (!isProblem(error)) throw error;
    }
  return { digest, volumes };
}

function renderMissing(missing: NeededRepair["missing"]): string {
  const bytes = missing.reduce((sum, { size }) => sum + size, 0);
  return [
    `${missing.length} of its parts are damaged or missing (${humanBytes(bytes)}):`,
    ...missing.slice(0, MISSING_SHOWN).map(({ label }) => `  ${label}`),
    ...(missing.length > MISSING_SHOWN ? [`  and ${missing.length - MISSING_SHOWN} more`] : []),
    "Send this line to who made the bundle; import the answer, and then the damaged file again.",
  ].join("\n");
}

export function declareRepair(bundle: Command, context: CommandContext): void {
  const command = bundle
    .command("repair <request> <file...>")
    .description("answer a repair request from copies of the bundle that were kept; needs no server")
    .option("-o, --output <path>", "file or folder to write to; else repair.sampan here")
    .action((request: string, given: string[], options: { readonly output?: string }) =>
      answerRequest(context, { request, given, output: options.output }),
    );
  withExamples(
    command,
    "sampan bundle repair request.txt shop-3.0.vol02.sampan -o /media/stick/repair.sampan",
    "sampan bundle repair 'sampan-repair 1 7c3e04b1a9d2f586 4,8-11' kept/",
  );
}

async function answerRequest(
  context: CommandContext,
  wish: { readonly request: string; readonly given: readonly string[]; readonly output: string | undefined },
): Promise<void> {
  const isText = /^\s*sampan-repair\s/i.test(wish.request);
  const request = isText
    ? wish.request
    : await readLocalText(wish.request, { sizeBytesMax: REQUEST_BYTES_MAX });
  const paths = await bundlePaths(wish.given);
  const target = await chooseOutputPath(context, { given: wish.output, name: "repair.sampan" });
  const line = new ProgressLine(context);
  const { sizeBytes, entries } = await writeRepair(paths, request, target, {
    signal: context.signal,
    onProgress: (progress) => line.show(progress.stage, progress),
  });
  line.end();
  context.result({ path: target, sizeBytes, entries }, () =>
    [
      `${target}  ${humanBytes(sizeBytes)}: ${entries.length} parts`,
      oneLine(`At the site: sampan import ${basename(target)}, and then the damaged file again`),
    ].join("\n"),
  );
}
