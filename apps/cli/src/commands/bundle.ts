import { basename } from "node:path";
import {
  type Bundle,
  openBundle,
  type SignatureReport,
  type Unproven,
  verifyBundle,
  verifySignatures,
} from "@sampan/bundle";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { collect, withExamples } from "../command-options.ts";
import { downloadBundle } from "../download-bundle.ts";
import { all } from "../find.ts";
import { chooseOutputPath } from "../output-path.ts";
import { renderPart } from "../part-text.ts";
import { ProgressLine } from "../progress-line.ts";
import { readKeys } from "../read-keys.ts";
import { renderTable } from "../render-table.ts";
import { declareRepair, declareRepairRequest } from "./bundle-repair.ts";

const KEY = ["--key <file>", "public key of the vendor (PEM); again for each", collect, []] as const;

export function declareBundle(program: Command, context: CommandContext): void {
  const bundle = program
    .command("bundle")
    .description("bundle files; inspect, verify and repairs need no server");
  declareInspect(bundle, context);
  declareVerify(bundle, context);
  declareRepairRequest(bundle, context);
  declareRepair(bundle, context);
  declareList(bundle, context);
  declareDownload(bundle, context);
  declareRemove(bundle, context);
}

function declareInspect(bundle: Command, context: CommandContext): void {
  const command = bundle
    .command("inspect <file>")
    .description("what a bundle file holds and who signed it; reads its beginning only, needs no server")
    .option(...KEY)
    .action(async (path: string, options: { key: string[] }) => {
      const keys = await readKeys(options.key);
      await using opened = await openBundle(path);
      const signatures = verifySignatures(opened, keys);
      const { document, manifestDigest, part, sizeBytes } = opened;
      context.result({ manifestDigest, part, sizeBytes, signatures, document }, () =>
        renderBundle(basename(path), opened, signatures),
      );
    });
  withExamples(command, "sampan bundle inspect shop-2.9.sampan --key vendor.pem");
}

function renderBundle(
  name: string,
  {
    document,
    manifestDigest,
    part,
    sizeBytes,
  }: Pick<Bundle, "document" | "manifestDigest" | "part" | "sizeBytes">,
  signatures: SignatureReport,
): string {
  const { images, layers, packs, sizes } = document;
  return [
    `${name}  ${humanBytes(sizeBytes)}  ${document.kind}, format ${document.formatVersion}`,
    `digest ${manifestDigest}`,
    ...renderPart({ part, document }),
    ...document.releases.map(
      ({ templateName, version, alias, digest }) =>
        `release ${templateName} ${version}${alias === undefined ? "" : ` (${alias})`}  ${digest}`,
    ),
    ...(document.blobs.some(({ role }) => role === "backup/app")
      ? ["a backup of an app: sampan backup restore makes it again"]
      : []),
    `${images.length} images, ${layers.length} layers (${humanBytes(sizes.layers)} unpacked) in ${packs.length} packs`,
    ...signatures.trusted.map((keyId) => `signed by ${keyId}, a key that you gave`),
    ...signatures.unknown.map((keyId) => `signed by ${keyId}, of which no key was given`),
    ...(signatures.state === "none" ? ["not signed"] : []),
  ].join("\n");
}

function declareVerify(bundle: Command, context: CommandContext): void {
  const command = bundle
    .command("verify <file>")
    .description("re-read a bundle file and check every byte by its digest; needs no server")
    .option("--key <file>", "public key (PEM), one of which must have signed; again for each", collect, [])
    .action(async (path: string, options: { key: string[] }) => {
      const keys = await readKeys(options.key);
      const line = new ProgressLine(context);
      const report = await verifyBundle(path, {
        ...(keys.length === 0 ? {} : { trust: { keys, accept: "signed" as const } }),
        signal: context.signal,
        onProgress: (progress) => line.show(progress.stage, progress),
      });
      line.end();
      const signed =
        keys.length === 0
          ? "no key was given, so nobody judged who signed it"
          : "signed by a key that you gave";
      context.result(report, () =>
        [
          `${basename(path)} is whole: every digest fits; ${signed}.`,
          ...renderPart(report),
          ...(report.unproven === undefined ? [] : [renderUnproven(report.unproven)]),
        ].join("\n"),
      );
    });
  withExamples(
    command,
    "sampan bundle verify shop-2.9.sampan",
    "sampan bundle verify shop-2.9.sampan --key vendor.pem",
  );
}

function renderUnproven({ layersOfBase, pieceCount, pieceBytes }: Unproven): string {
  return `not proven here: ${layersOfBase} layers and ${pieceCount} pieces (${humanBytes(pieceBytes)}) that it takes from there; importing it does`;
}

function declareList(bundle: Command, context: CommandContext): void {
  const command = bundle
    .command("list")
    .description("bundle files that lie on the server: exports to fetch, uploads on their way")
    .action(async () => {
      const client = await context.client();
      const items = await all((page) => client.listBundles({ query: page }));
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            id: one.id,
            name: one.name,
            state: one.state,
            origin: one.origin,
            size: humanBytes(one.sizeBytes),
            received: humanBytes(one.receivedBytes),
            made: one.createdAt,
          })),
          "No bundle files lie on the server.",
        ),
      );
    });
  withExamples(command, "sampan bundle list");
}

function declareDownload(bundle: Command, context: CommandContext): void {
  const command = bundle
    .command("download <id>")
    .description("fetch a bundle file from the server; goes on where an earlier attempt ended")
    .option("-o, --output <path>", "file or folder to write to; else its own name here")
    .action(async (id: string, options: { output?: string }) => {
      const client = await context.client();
      const { name } = await client.getBundle({ params: { id } });
      const target = await chooseOutputPath(context, { given: options.output, name: basename(name) });
      const { sizeBytes, sha256 } = await downloadBundle(context, client, { fileId: id, target });
      context.result(
        { path: target, sizeBytes, sha256 },
        () => `${target}  ${humanBytes(sizeBytes)}\nsha256 ${sha256}`,
      );
    });
  withExamples(command, "sampan bundle download bdl_3f2a -o /media/stick");
}

function declareRemove(bundle: Command, context: CommandContext): void {
  const command = bundle
    .command("remove <id>")
    .description("remove a bundle file from the server; what was imported stays")
    .action(async (id: string) => {
      const client = await context.client();
      const { name } = await client.getBundle({ params: { id } });
      await context.confirm(`Remove the bundle file ${name} from the server?`);
      await client.removeBundle({ params: { id } });
      context.result({ removed: id }, () => `Removed ${name}.`);
    });
  withExamples(command, "sampan bundle remove bdl_3f2a");
}
