import { basename } from "node:path";
import type { Client } from "@sampan/api";
import { bundleProblem, openBundle, verifySignatures } from "@sampan/bundle";
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
  const isLocal = options.onServer !== true;
  // A large file is not sent only to be refused.
  if (isLocal) refuseUntrusted(await signersOf(client, path), options);
  const source = isLocal ? { fileId: await uploadBundle(context, client, path) } : { path };
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
  const { result } = await followJob(context, client, jobId);
  if ("fileId" in source) await client.removeBundle({ params: { id: String(source.fileId) } });
  context.result(result, () => renderImported(basename(path), result));
}

/** Who signed a file that lies here, and whom the site trusts. Throws what is wrong with the file. */
async function signersOf(client: Client, path: string): Promise<Signer[]> {
  await using bundle = await openBundle(path);
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
  ].join("\n");
}

function renderImported(name: string, result: Readonly<Record<string, unknown>> | undefined): string {
  const releases = (result?.releases ?? []) as readonly {
    readonly templateName: string;
    readonly version: string;
  }[];
  const names = releases.map((one) => `${one.templateName}@${one.version}`);
  const copied = humanBytes(Number(result?.copiedBytes ?? 0));
  const skipped = humanBytes(Number(result?.skippedBytes ?? 0));
  return [
    `Imported ${names.join(", ")} from ${name}: ${copied} new, ${skipped} were here.`,
    ...names.map((one) => `Next: sampan install ${one}, or sampan upgrade APP`),
  ].join("\n");
}
