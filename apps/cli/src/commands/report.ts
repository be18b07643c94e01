import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseEnvelope, preAuthEncoding, verifyEnvelope } from "@sampan/bundle";
import {
  envelopeBytes,
  type OpenEnvelope,
  type ReportFile,
  renderReportJson,
  type VerifiedReport,
  verifyReport,
} from "@sampan/report";
import type { Command } from "commander";
import { Option } from "commander";
import type { CommandContext } from "../command-context.ts";
import { collect, withExamples } from "../command-options.ts";
import { readLocalText } from "../local-file.ts";
import { chooseOutputPath } from "../output-path.ts";
import { cliProblem } from "../problems.ts";
import { readKeys } from "../read-keys.ts";

const REPORT_BYTES_MAX = 64 * 1024 * 1024;
const KEY_BYTES_MAX = 4096;

/** `sampan report`: what is done with a report's file; no server is needed. */
export function declareReport(program: Command, context: CommandContext): void {
  const report = program.command("report").description("acceptance reports; verify needs no server");
  const command = report
    .command("verify <file>")
    .description("check the signatures of an acceptance report, JSON or page; needs no server")
    .requiredOption("--key <file>", "public key of the site (PEM); again for each", collect)
    .action(async (path: string, options: { key: string[] }) => {
      const trustedKeys = await readKeys(options.key);
      const text = await readLocalText(path, { sizeBytesMax: REPORT_BYTES_MAX });
      const verified = verifyReport(text, { open: openEnvelope, trustedKeys });
      context.result(verified, () => renderVerified(basename(path), verified));
    });
  withExamples(command, "sampan report verify report.html --key site.pem");
}

const openEnvelope: OpenEnvelope = (bytes, trustedKeys) => {
  const envelope = parseEnvelope(bytes);
  return { ...envelope, ...verifyEnvelope(envelope, trustedKeys) };
};

function renderVerified(name: string, verified: VerifiedReport): string {
  const { report, keyIds, countersignatures, page } = verified;
  return [
    `${name} was signed by ${keyIds.join(", ")}, a key that you gave.`,
    `${report.kind} ${report.app.name}: ${report.result}, ${report.endedAt}`,
    ...(page === "differs"
      ? [
          "What the page shows differs from what was signed, or another version made it: trust the signed text (--json).",
        ]
      : []),
    // Names, remarks and times of these stand in the file, outside of all that is signed.
    ...countersignatures.map(({ name: person, at, signed, signature }) =>
      signed === "valid"
        ? `countersigned by ${person}, ${at}: the key ${signature?.keyId} signed the report; compare its ID with theirs`
        : `countersigned by ${person}, ${at}: not signed, so anybody may have written that into the file`,
    ),
  ].join("\n");
}

interface ReportOptions {
  readonly html?: string;
  readonly output?: string;
  readonly lang: "en" | "zh";
}

/** `sampan record report` and `sampan record countersign`. */
export function declareRecordReport(record: Command, context: CommandContext): void {
  const report = record
    .command("report <id>")
    .description("the acceptance report of an install, upgrade or rollback, signed by the site")
    .option("--html <file>", "write it as a page to read and print, with the signed text inside")
    .option("-o, --output <file>", "write it as JSON")
    .addOption(new Option("--lang <language>", "language of the page").choices(["en", "zh"]).default("en"))
    .action((id: string, options: ReportOptions) => writeReport(context, id, options));
  withExamples(report, "sampan record report rec_1b2c --html report.html --lang zh");
  const countersign = record
    .command("countersign <id>")
    .description("put a person's name under the acceptance report of a record")
    .requiredOption("--as <name>", "the person's name")
    .option("--remark <text>", "what the person adds")
    .option("--key <file>", "private key of the person (Ed25519, PEM): signs the report itself")
    .action((id: string, options: CountersignOptions) => countersignReport(context, id, options));
  withExamples(countersign, "sampan record countersign rec_1b2c --as 'Li Wei' --remark 'accepted on site'");
}

async function writeReport(context: CommandContext, id: string, options: ReportOptions): Promise<void> {
  const client = await context.client();
  const view = await client.getReport({ params: { id } });
  const file = {
    envelope: view.envelope,
    countersignatures: view.countersignatures,
  } as unknown as ReportFile;
  const written: string[] = [];
  if (options.html !== undefined) {
    const path = await chooseOutputPath(context, { given: options.html, name: `report-${id}.html` });
    const page = await client.getReportPage({ params: { id }, query: { lang: options.lang } });
    await writeFile(path, Buffer.from(await new Response(page.body).arrayBuffer()));
    written.push(path);
  }
  if (options.output !== undefined) {
    const path = await chooseOutputPath(context, { given: options.output, name: `report-${id}.json` });
    await writeFile(path, renderReportJson(file));
    written.push(path);
  }
  if (written.length === 0) return context.result(file, () => renderReportJson(file).trimEnd());
  context.result({ ...file, written }, () => written.map((path) => `Wrote ${path}`).join("\n"));
}

interface CountersignOptions {
  readonly as: string;
  readonly remark?: string;
  readonly key?: string;
}

async function countersignReport(
  context: CommandContext,
  id: string,
  options: CountersignOptions,
): Promise<void> {
  const client = await context.client();
  const signature =
    options.key === undefined
      ? undefined
      : await signReport((await client.getReport({ params: { id } })).envelope, options.key);
  const reply = await client.countersignReport({
    params: { id },
    body: {
      name: options.as,
      ...(options.remark === undefined ? {} : { remark: options.remark }),
      ...(signature === undefined ? {} : { signature }),
    },
  });
  context.result(reply, () => `${options.as} stands under the report of ${id}.`);
}

async function signReport(
  document: Readonly<Record<string, unknown>>,
  keyPath: string,
): Promise<{ readonly publicKeyPem: string; readonly sig: string }> {
  const { payloadType, payload } = parseEnvelope(envelopeBytes(document as ReportFile["envelope"]));
  const key = readPrivateKey(keyPath, await readLocalText(keyPath, { sizeBytesMax: KEY_BYTES_MAX }));
  return {
    publicKeyPem: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
    sig: sign(null, preAuthEncoding(payloadType, payload), key).toString("base64"),
  };
}

function readPrivateKey(path: string, pem: string) {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Said below: what it is instead does not matter.
  }
  throw cliProblem("CLI_FILE", `${path} holds no private key that can sign`, {
    hint: "make one: openssl genpkey -algorithm ed25519 -out me.pem",
  });
}
