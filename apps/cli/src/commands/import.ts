import { basename } from "node:path";
import type { Client } from "@sampan/api";
import { type Bundle, bundleProblem, openBundle, verifySignatures } from "@sampan/bundle";
import { EXIT, isProblem, type Problem } from "@sampan/problem";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import { ArrivedParts, type FileOfBundle, inOrder } from "../arrived-parts.ts";
import { bundlePaths, digestOfFile } from "../bundle-paths.ts";
import type { CommandContext } from "../command-context.ts";
import { NO_WAIT, type Scope, scopeOption, wholeNumber, withExamples } from "../command-options.ts";
import { findTeam } from "../find.ts";
import { followJob } from "../follow-job.ts";
import { volumeNames } from "../part-text.ts";
import { uploadBundle } from "../upload-bundle.ts";

interface ImportOptions {
  readonly scope: Scope;
  readonly onServer?: true;
  readonly allowUnsigned?: true;
  readonly throttle?: number;
  readonly wait: boolean;
}

type View = Awaited<ReturnType<Client["inspectBundle"]>>;
interface Signer {
  readonly keyId: string;
  readonly trusted: boolean;
}

const MIB = 1024 * 1024;

export function declareImport(program: Command, context: CommandContext): void {
  const command = program
    .command("import <file...>")
    .description(
      "take a bundle into the library: its file, or its volumes in any order, or a folder of them; everything is verified before anything changes",
    )
    .addOption(scopeOption("enterprise"))
    .option("--on-server", "the path is one on the server, such as of a stick that is plugged in there")
    .option("--allow-unsigned", "take in a bundle that nobody signed, or whose signer is not trusted here")
    .option("--throttle <MiB/s>", "spare the disk", wholeNumber(1, 1_000_000))
    .option(...NO_WAIT)
    .action((paths: string[], options: ImportOptions) => importFiles(context, paths, options));
  withExamples(
    command,
    "sampan import shop-2.9.sampan",
    "sampan import shop-3.0.vol02.sampan shop-3.0.vol01.sampan",
    "sampan import /media/stick",
    "sampan import /media/stick/shop-2.9.sampan --on-server --scope team --team sales",
  );
}

/** One file after the other. One that is damaged does not keep the others from being taken. */
async function importFiles(
  context: CommandContext,
  given: readonly string[],
  options: ImportOptions,
): Promise<void> {
  const client = await context.client();
  const team = options.scope === "team" ? await findTeam(context, client) : undefined;
  const intake: Intake = { context, client, options, teamId: team?.id };
  const paths = options.onServer === true ? given : await bundlePaths(given);
  const failures: Problem[] = [];
  const attempt = async <T>(path: string, act: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await act();
    } catch (error) {
      if (paths.length < 2 || !isProblem(error) || error.kind.exit !== EXIT.damaged) throw error;
      context.remark(`✗ ${path}: ${error.message}`);
      failures.push(error);
      return undefined;
    }
  };
  const files: FileOfBundle[] = [];
  for (const path of paths) {
    const file = await attempt(path, () => lookAt(intake, path));
    if (file !== undefined) files.push(file);
  }
  const arrived = new ArrivedParts();
  const results: (Result & { readonly path: string })[] = [];
  for (const file of inOrder(files)) {
    if (arrived.isSettled(file)) {
      context.remark(`${basename(file.path)} has nothing that is still wanted.`);
      continue;
    }
    const result = await attempt(file.path, () => takeIn(intake, file));
    if (result === undefined) continue;
    results.push({ path: file.path, ...result });
    if (result.missing !== undefined)
      arrived.add(file, { complete: result.complete !== false, missing: result.missing });
  }
  const [failure] = failures;
  const text = results.map((one) => renderResult(basename(one.path), one)).join("\n");
  if (failure !== undefined) {
    context.remark(text);
    throw failure;
  }
  const [only] = results;
  const { path: _, ...alone } = only ?? {};
  const all = { ...(options.wait ? { complete: arrived.areComplete } : {}), files: results };
  context.result(paths.length === 1 ? alone : all, () => text);
}

interface Intake {
  readonly context: CommandContext;
  readonly client: Client;
  readonly options: ImportOptions;
  readonly teamId: string | undefined;
}

/** What the job says; without waiting, only which job it is. */
interface Result {
  readonly jobId?: string;
  readonly complete?: boolean;
  readonly missing?: readonly number[];
  readonly part?: View["part"];
  readonly releases?: readonly { readonly templateName: string; readonly version: string }[];
  readonly copiedBytes?: number;
  readonly skippedBytes?: number;
}

/** Reads the beginning of a file. One that would be refused is not even uploaded. */
async function lookAt({ client, options }: Intake, path: string): Promise<FileOfBundle> {
  if (options.onServer === true) {
    const { manifestDigest, part, signatures } = await client.inspectBundle({ body: { path } });
    refuseUntrusted(signatures, options);
    return { path, manifestDigest, part };
  }
  await using bundle = await openBundle(path);
  refuseUntrusted(await signersOf(client, bundle), options);
  const { manifestDigest, part } = bundle;
  return { path, manifestDigest, ...(part.kind === "whole" ? {} : { part }) };
}

async function takeIn(intake: Intake, { path }: FileOfBundle): Promise<Result> {
  const { context, client, options, teamId } = intake;
  const source = options.onServer === true ? { path } : { fileId: await bring(intake, path) };
  const view = await client.inspectBundle({ body: source });
  refuseUntrusted(view.signatures, options);
  context.remark(renderView(view));
  const { jobId } = await client.importBundle({
    body: {
      source,
      scope: options.scope,
      allowUnsigned: options.allowUnsigned === true,
      ...(teamId === undefined ? {} : { teamId }),
      ...(options.throttle === undefined ? {} : { throttleBytesPerSecond: options.throttle * MIB }),
    },
  });
  if (!options.wait) return { jobId };
  const { result } = await followImport(context, client, {
    jobId,
    fileId: "fileId" in source ? source.fileId : undefined,
  });
  return (result ?? {}) as Result;
}

/** The upload has served once it is imported, and cannot serve when it is damaged. After another failure the next attempt uses it. */
async function followImport(
  context: CommandContext,
  client: Client,
  { jobId, fileId }: { readonly jobId: string; readonly fileId: string | undefined },
) {
  const drop = async () => {
    if (fileId !== undefined) await client.removeBundle({ params: { id: fileId } });
  };
  try {
    const job = await followJob(context, client, jobId);
    await drop();
    return job;
  } catch (error) {
    if (isProblem(error) && error.kind.exit === EXIT.damaged) await drop();
    throw error;
  }
}

async function bring({ context, client }: Intake, path: string): Promise<string> {
  await using bundle = await openBundle(path);
  return await uploadBundle(context, client, { path, manifestDigest: digestOfFile(bundle) });
}

async function signersOf(client: Client, bundle: Bundle): Promise<Signer[]> {
  const { items } = await client.listKeys();
  const { trusted, unknown } = verifySignatures(
    bundle,
    items.map((key) => key.publicKeyPem),
  );
  return [
    ...trusted.map((keyId) => ({ keyId, trusted: true })),
    ...unknown.map((keyId) => ({ keyId, trusted: false })),
  ];
}

/** As the server would refuse it, and how a command line goes on from there. */
function refuseUntrusted(signers: readonly Signer[], options: ImportOptions): void {
  if (options.allowUnsigned === true || signers.some(({ trusted }) => trusted)) return;
  if (signers.length === 0)
    throw bundleProblem("BUNDLE_UNSIGNED", "the bundle is not signed", {
      why: "nobody can tell who made it, and this site takes signed bundles only",
      hint: "ask the publisher for a signed one, or accept it with --allow-unsigned",
    });
  throw bundleProblem("BUNDLE_UNTRUSTED", "the bundle is signed by a key that is not trusted here", {
    why: `it was signed by ${signers.map(({ keyId }) => keyId).join(", ")}`,
    hint: "get the vendor's public key (`sampan key show` there), compare the key ID with the vendor by another way, then `sampan key trust FILE --name VENDOR`",
  });
}

function renderView(view: View): string {
  const releases = view.releases.map(
    (one) => `${one.templateName} ${one.version}${one.held ? " (in the library already)" : ""}`,
  );
  const signers = view.signatures.map(
    ({ name, keyId, trusted }) => `${name ?? keyId}${trusted ? "" : " (not trusted)"}`,
  );
  const { part } = view;
  const which =
    part === undefined
      ? ""
      : part.kind === "repair"
        ? "repair of "
        : `volume ${part.number} of ${part.volumes} of `;
  return [
    `${which}${releases.join(", ")}  ${humanBytes(view.sizeBytes)}; signed by ${signers.join(", ") || "nobody"}`,
    ...view.wants.map((want) => `Note: ${want}`),
    ...(view.backup
      ? [
          "Note: it is a backup of an app; its releases are imported. To make the app again: sampan backup restore FILE",
        ]
      : []),
  ].join("\n");
}

function renderResult(name: string, result: Result): string {
  const { jobId, complete, missing = [], part } = result;
  if (jobId !== undefined) return `Job ${jobId} is under way: sampan job follow ${jobId}`;
  if (complete !== false) return renderImported(name, result);
  const kept = `${name} is verified and kept; nothing is in the library yet.`;
  if (part?.volumes === undefined) return `${kept}\nStill to come: the bundle itself. Import it again now.`;
  return `${kept}\nStill to come: ${volumeNames(missing)} of ${part.volumes}, in any order and on any day.`;
}

function renderImported(name: string, result: Result): string {
  const { releases = [], copiedBytes = 0, skippedBytes = 0 } = result;
  const names = releases.map((one) => `${one.templateName}@${one.version}`);
  const amounts =
    copiedBytes + skippedBytes === 0
      ? ""
      : `: ${humanBytes(copiedBytes)} new, ${humanBytes(skippedBytes)} were here`;
  return [
    `Imported ${names.join(", ")} from ${name}${amounts}.`,
    ...names.map((one) => `Next: sampan install ${one}, or sampan upgrade APP`),
  ].join("\n");
}
