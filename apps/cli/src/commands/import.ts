import { basename } from "node:path";
import type { Client } from "@sampan/api";
import { type Bundle, bundleProblem, openBundle, verifySignatures } from "@sampan/bundle";
import { EXIT, isProblem } from "@sampan/problem";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { NO_WAIT, type Scope, scopeOption, wholeNumber, withExamples } from "../command-options.ts";
import { findTeam } from "../find.ts";
import { followJob } from "../follow-job.ts";
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
    .command("import <file>")
    .description("take a bundle file into the library; everything is verified before anything changes")
    .addOption(scopeOption("enterprise"))
    .option("--on-server", "the path is one on the server, such as of a stick that is plugged in there")
    .option("--allow-unsigned", "take in a bundle that nobody signed, or whose signer is not trusted here")
    .option("--throttle <MiB/s>", "spare the disk", wholeNumber(1, 1_000_000))
    .option(...NO_WAIT)
    .action((path: string, options: ImportOptions) => importBundle(context, path, options));
  withExamples(
    command,
    "sampan import shop-2.9.sampan",
    "sampan import /media/stick/shop-2.9.sampan --on-server --scope team --team sales",
  );
}

async function importBundle(context: CommandContext, path: string, options: ImportOptions): Promise<void> {
  const client = await context.client();
  const source =
    options.onServer === true ? { path } : { fileId: await bring(context, client, { path, options }) };
  const view = await client.inspectBundle({ body: source });
  refuseUntrusted(view.signatures, options);
  context.remark(renderView(view));
  const team = options.scope === "team" ? await findTeam(context, client) : undefined;
  const { jobId } = await client.importBundle({
    body: {
      source,
      scope: options.scope,
      allowUnsigned: options.allowUnsigned === true,
      ...(team === undefined ? {} : { teamId: team.id }),
      ...(options.throttle === undefined ? {} : { throttleBytesPerSecond: options.throttle * MIB }),
    },
  });
  if (!options.wait)
    return context.result({ jobId }, () => `Job ${jobId} is under way: sampan job follow ${jobId}`);
  const { result } = await followImport(context, client, {
    jobId,
    fileId: "fileId" in source ? source.fileId : undefined,
  });
  context.result(result, () => renderImported(basename(path), result));
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

/** Uploads a file, unless it would be refused: that is seen from its beginning. */
async function bring(
  context: CommandContext,
  client: Client,
  { path, options }: { readonly path: string; readonly options: ImportOptions },
): Promise<string> {
  await using bundle = await openBundle(path);
  refuseUntrusted(await signersOf(client, bundle), options);
  return await uploadBundle(context, client, { path, manifestDigest: bundle.manifestDigest });
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
  return [
    `${releases.join(", ")}  ${humanBytes(view.sizeBytes)}; signed by ${signers.join(", ") || "nobody"}`,
    ...view.wants.map((want) => `Note: ${want}`),
    ...(view.backup
      ? [
          "Note: it is a backup of an app; its releases are imported. To make the app again: sampan backup restore FILE",
        ]
      : []),
  ].join("\n");
}

function renderImported(name: string, result: Readonly<Record<string, unknown>> | undefined): string {
  const releases = (result?.releases ?? []) as readonly {
    readonly templateName: string;
    readonly version: string;
  }[];
  const names = releases.map((one) => `${one.templateName}@${one.version}`);
  const copied = Number(result?.copiedBytes ?? 0);
  const skipped = Number(result?.skippedBytes ?? 0);
  const amounts =
    copied + skipped === 0 ? "" : `: ${humanBytes(copied)} new, ${humanBytes(skipped)} were here`;
  return [
    `Imported ${names.join(", ")} from ${name}${amounts}.`,
    ...names.map((one) => `Next: sampan install ${one}, or sampan upgrade APP`),
  ].join("\n");
}
