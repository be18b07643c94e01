import { basename } from "node:path";
import type { Client } from "@sampan/api";
import { openBundle } from "@sampan/bundle";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, IGNORE_PREFLIGHT, NOTE, withExamples } from "../command-options.ts";
import { downloadBundle } from "../download-bundle.ts";
import { findApp, findTeam } from "../find.ts";
import { followJob } from "../follow-job.ts";
import { readLocalText } from "../local-file.ts";
import { chooseOutputPath } from "../output-path.ts";
import { cliProblem } from "../problems.ts";
import { uploadBundle } from "../upload-bundle.ts";

const PASSPHRASE = [
  "--passphrase-file <file>",
  "what seals the secrets in it: the first line of this file, or - for standard input; else SAMPAN_PASSPHRASE, or it is asked",
] as const;
const PASSPHRASE_BYTES_MAX = 4096;

export function declareBackup(program: Command, context: CommandContext): void {
  const backup = program
    .command("backup")
    .description("an app with its releases, images and data in one file, for this site or another");
  declareCreate(backup, context);
  declareRestore(backup, context);
}

interface CreateOptions {
  readonly output?: string;
  readonly snapshot?: string;
  readonly component: string[];
  readonly passphraseFile?: string;
  readonly note?: string;
}

function declareCreate(backup: Command, context: CommandContext): void {
  const command = backup
    .command("create <app>")
    .description(
      "write an app and its data into one file; data in volumes is not encrypted, so guard the file",
    )
    .option("-o, --output <path>", "file or folder to write to; else APP.sampan here")
    .option("--snapshot <id>", "data as this snapshot has it; else it is captured now")
    .option("-c, --component <name>", "only data of this component; again for each", collect, [])
    .option(...PASSPHRASE)
    .option(...NOTE)
    .action((name: string, options: CreateOptions) => create(context, name, options));
  withExamples(
    command,
    "sampan backup create shop -o /media/stick/shop-backup.sampan --passphrase-file phrase.txt",
  );
}

async function create(context: CommandContext, name: string, options: CreateOptions): Promise<void> {
  const client = await context.client();
  const app = await findApp(context, client, name);
  const target = await chooseOutputPath(context, {
    given: options.output,
    name: `backup-${app.name}.sampan`,
  });
  const passphrase = await passphraseOf(context, options.passphraseFile, { twice: true });
  const body = {
    passphrase,
    ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
    ...(options.component.length === 0 ? {} : { components: options.component }),
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  const { jobId } = await client.backUpApp({ params: { id: app.id }, body });
  const { result } = await followJob(context, client, jobId);
  const fileId = String(result?.fileId);
  const { sizeBytes, sha256 } = await downloadBundle(context, client, { fileId, target });
  await client.removeBundle({ params: { id: fileId } });
  context.result({ ...result, path: target, sizeBytes, sha256 }, () =>
    [
      `${target}  ${humanBytes(sizeBytes)}`,
      `sha256 ${sha256}`,
      `To restore it: sampan backup restore ${basename(target)}`,
      "Secrets in it are sealed with the passphrase; what is in volumes is not encrypted.",
    ].join("\n"),
  );
}

interface RestoreOptions {
  readonly app?: string;
  readonly onServer?: true;
  readonly allowUnsigned?: true;
  readonly passphraseFile?: string;
  readonly ignorePreflight?: true;
  readonly note?: string;
}

function declareRestore(backup: Command, context: CommandContext): void {
  const command = backup
    .command("restore <file>")
    .description("make an app from a backup, with its data; the site that wrote it must be trusted here")
    .option("--app <name>", "name of the app; else as it was called")
    .option("--on-server", "the path is one on the server, such as of a stick that is plugged in there")
    .option("--allow-unsigned", "take a file whose signer is not trusted here")
    .option(...PASSPHRASE)
    .option(...IGNORE_PREFLIGHT)
    .option(...NOTE)
    .action((path: string, options: RestoreOptions) => restore(context, path, options));
  withExamples(
    command,
    "sampan backup restore shop-backup.sampan --note 'moved to the new machine'",
    "sampan backup restore shop-backup.sampan --app shop-copy --passphrase-file phrase.txt",
  );
}

async function restore(context: CommandContext, path: string, options: RestoreOptions): Promise<void> {
  const client = await context.client();
  const team = await findTeam(context, client);
  const passphrase = await passphraseOf(context, options.passphraseFile);
  const source = options.onServer === true ? { path } : { fileId: await bring(context, client, path) };
  const body = {
    source,
    teamId: team.id,
    passphrase,
    allowUnsigned: options.allowUnsigned === true,
    ignorePreflight: options.ignorePreflight === true,
    ...(options.app === undefined ? {} : { appName: options.app }),
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  const { result } = await followJob(context, client, (await client.restoreBackup({ body })).jobId);
  if ("fileId" in source) await client.removeBundle({ params: { id: source.fileId } });
  const remarks = (result?.remarks ?? []) as readonly string[];
  context.result(result, () =>
    [
      `Restored ${String(result?.appName ?? "the app")} from ${basename(path)}.`,
      ...remarks.map((remark) => `Note: ${remark}`),
    ].join("\n"),
  );
}

async function bring(context: CommandContext, client: Client, path: string): Promise<string> {
  await using bundle = await openBundle(path);
  return await uploadBundle(context, client, { path, manifestDigest: bundle.manifestDigest });
}

async function passphraseOf(
  context: CommandContext,
  file: string | undefined,
  { twice = false }: { readonly twice?: boolean } = {},
): Promise<string> {
  const limits = { sizeBytesMax: PASSPHRASE_BYTES_MAX };
  const given =
    file === undefined
      ? context.env.SAMPAN_PASSPHRASE
      : file === "-"
        ? await context.terminal.readStdin(limits)
        : await readLocalText(file, limits);
  if (given !== undefined) return given.split(/\r?\n/)[0] ?? "";
  if (!context.mayAsk)
    throw cliProblem("CLI_USAGE", "a passphrase is needed, and nobody is there to ask", {
      hint: "give --passphrase-file FILE, or set SAMPAN_PASSPHRASE",
    });
  const phrase = await context.terminal.ask("Passphrase: ", { secret: true });
  if (twice && (await context.terminal.ask("Again: ", { secret: true })) !== phrase)
    throw cliProblem("CLI_USAGE", "the two passphrases differ", { hint: "try again" });
  return phrase;
}
