import { basename } from "node:path";
import type { Client } from "@sampan/api";
import { keyId } from "@sampan/bundle";
import { identityOf, type Receipt, renderRecord, requirePinnedKey } from "@sampan/ledger";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { all, findSite } from "../find.ts";
import { openLedgerText, readLedgerText, renderLedgerDocument } from "../ledger-file.ts";
import { readKeys } from "../read-keys.ts";
import { renderTable } from "../render-table.ts";
import { oneLine } from "../text-width.ts";

type Site = Awaited<ReturnType<Client["listLedger"]>>["items"][number];
type SiteDetail = Awaited<ReturnType<Client["getLedgerSite"]>>;

/** `sampan ledger`: what a vendor knows of sites. */
export function declareLedger(program: Command, context: CommandContext): void {
  const ledger = program
    .command("ledger")
    .description("sites that you deliver to: add, list, show, note, remove, verify");
  declareAdd(ledger, context);
  declareLooks(ledger, context);
  declareChanges(ledger, context);
  declareVerify(ledger, context);
}

function declareAdd(ledger: Command, context: CommandContext): void {
  const command = ledger
    .command("add <file...>")
    .description("take in site states and receipts; the first file of a site pins it to its key")
    .action(async (paths: string[]) => {
      const client = await context.client();
      const texts: string[] = [];
      for (const path of paths) texts.push(await readLedgerText(path));
      const items: Awaited<ReturnType<Client["addToLedger"]>>[] = [];
      for (const text of texts) items.push(await client.addToLedger({ body: Buffer.from(text) }));
      context.result({ items }, () =>
        items
          .flatMap(({ kind, sequence, outcome, site, remarks }, at) => [
            outcome === "kept"
              ? `${basename(paths[at] ?? "")}: ${kind} ${sequence} of ${oneLine(site.name)} (${site.id})`
              : `${basename(paths[at] ?? "")}: nothing new`,
            ...remarks.map((remark) => `  ${oneLine(remark)}`),
          ])
          .join("\n"),
      );
    });
  withExamples(
    command,
    "sampan ledger add /media/stick/harbour-state.json /media/stick/harbour-receipt.json",
  );
}

function declareLooks(ledger: Command, context: CommandContext): void {
  const list = ledger
    .command("list")
    .description("the sites, and what each runs")
    .action(async () => {
      const client = await context.client();
      const items = await all((page) => client.listLedger({ query: page }));
      context.result({ items }, () =>
        renderTable(items.map(siteRow), "No sites yet. A site writes its state: sampan site state -o FILE"),
      );
    });
  withExamples(list, "sampan ledger list");
  const show = ledger
    .command("show <site>")
    .description("what a site holds and runs, and what its receipts tell; by name or id")
    .action(async (text: string) => {
      const client = await context.client();
      const { id } = await findSite(client, text);
      const site = await client.getLedgerSite({ params: { id } });
      context.result(site, () => renderSite(site));
    });
  withExamples(show, "sampan ledger show Harbour");
}

function siteRow({ name, id, summary, lastSeenAt }: Site) {
  const runs = (summary.installations ?? []).map((one) => `${one.templateName} ${one.version}`);
  return { site: name, id, platform: summary.platform ?? "", runs: runs.join(", "), seen: lastSeenAt };
}

function renderSite(site: SiteDetail): string {
  const { summary, keyId: key, firstSeenAt, lastSeenAt, notes, receipt } = site;
  const { releases = [], installations = [], holdFreeBytes, at, productVersion, platform } = summary;
  const state =
    site.sequence === 0
      ? "no state came yet"
      : `state ${site.sequence} of ${at}: Sampan ${productVersion}, ${platform}, ${humanBytes(holdFreeBytes ?? 0)} free`;
  const imports = site.imports as unknown as Receipt["imports"];
  const records = site.records as unknown as Receipt["records"];
  return [
    `${site.name}  ${site.id}`,
    `key ${key}`,
    `known since ${firstSeenAt}, last heard of ${lastSeenAt}`,
    ...(notes === undefined ? [] : notes.split("\n").map((line) => `note: ${line}`)),
    state,
    ...releases.map(({ templateName, version, digest }) => `holds ${templateName} ${version}  ${digest}`),
    ...installations.map(
      (one) => `runs ${one.templateName} ${one.version} in ${one.team}/${one.app} (${one.state})`,
    ),
    receipt === 0
      ? "no receipt came yet"
      : `receipts up to ${receipt}; for what came later: sampan site receipt --since ${receipt}`,
    ...records.map((record) => `${record.endedAt}  ${renderRecord(record)}`),
    ...imports.map(({ at: when, who, fileName }) => `${when}  ${who}: import of ${fileName}`),
  ]
    .map(oneLine)
    .join("\n");
}

function declareChanges(ledger: Command, context: CommandContext): void {
  const note = ledger
    .command("note <site> <text>")
    .description("write something down about a site; an empty text takes it away")
    .action(async (text: string, notes: string) => {
      const client = await context.client();
      const { id } = await findSite(client, text);
      const site = await client.noteLedgerSite({ params: { id }, body: { notes } });
      context.result(site, () => `Noted of ${oneLine(site.name)}.`);
    });
  withExamples(note, "sampan ledger note Harbour 'sticks go to Ms. Wang, third floor'");
  const remove = ledger
    .command("remove <site>")
    .description("forget a site, its key and its receipts")
    .action(async (text: string) => {
      const client = await context.client();
      const { id, name } = await findSite(client, text);
      await context.confirm(`Forget ${oneLine(name)} (${id}), its key and its receipts?`);
      await client.removeLedgerSite({ params: { id } });
      context.result({ id }, () => `Forgot ${oneLine(name)}.`);
    });
  withExamples(remove, "sampan ledger remove Harbour");
}

function declareVerify(ledger: Command, context: CommandContext): void {
  const command = ledger
    .command("verify <file>")
    .description("check the signature of a site state or receipt, and show it; needs no server")
    .option("--key <file>", "public key of the site (PEM), which must have signed it")
    .action(async (path: string, options: { key?: string }) => {
      const document = openLedgerText(await readLedgerText(path));
      const identity = identityOf(document);
      const [pem] = options.key === undefined ? [] : await readKeys([options.key]);
      if (pem !== undefined) requirePinnedKey(identity, { keyId: keyId(pem) });
      const { payload: _, ...said } = document;
      context.result({ ...said, keyId: identity.keyId }, () =>
        [
          renderLedgerDocument(document),
          pem === undefined
            ? "Signed by the key that it names: compare the key with the site by another way."
            : "Signed by the key that you gave.",
        ].join("\n"),
      );
    });
  withExamples(command, "sampan ledger verify harbour-state.json --key harbour.pem");
}
