import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { wholeNumber, withExamples } from "../command-options.ts";
import { openLedgerText, renderLedgerDocument } from "../ledger-file.ts";
import { chooseOutputPath } from "../output-path.ts";

const SEQUENCE_MAX = 999_999_999_999;

/** `sampan site state` and `sampan site receipt`: what travels back to the vendor. */
export function declareSiteDocuments(site: Command, context: CommandContext): void {
  const state = site
    .command("state")
    .description("what this site holds, runs and can, signed, for its vendor; no secrets are in it")
    .option("-o, --output <file>", "write it to a file, and show what is in it")
    .action(async (options: { output?: string }) => {
      const made = await (await context.client()).getSiteState();
      await giveOut(context, made, { given: options.output, name: `site-state-${made.sequence}.json` });
    });
  withExamples(state, "sampan site state -o /media/stick/harbour-state.json");
  const receipt = site
    .command("receipt")
    .description("what arrived here, what was done and who accepted it, signed, for the vendor")
    .option("-o, --output <file>", "write it to a file, and show what is in it")
    .option(
      "--since <number>",
      "without what the vendor knows from documents up to this number",
      wholeNumber(0, SEQUENCE_MAX),
      0,
    )
    .action(async (options: { output?: string; since: number }) => {
      const made = await (await context.client()).getSiteReceipt({ query: { since: options.since } });
      await giveOut(context, made, { given: options.output, name: `site-receipt-${made.sequence}.json` });
    });
  withExamples(
    receipt,
    "sampan site receipt -o /media/stick/harbour-receipt.json",
    "sampan site receipt --since 12 -o receipt.json",
  );
}

interface Made {
  readonly sequence: number;
  readonly digest: string;
  readonly text: string;
}

async function giveOut(
  context: CommandContext,
  made: Made,
  target: { readonly given: string | undefined; readonly name: string },
): Promise<void> {
  if (target.given === undefined) return context.result(made, () => made.text.trimEnd());
  const path = await chooseOutputPath(context, target);
  await writeFile(path, made.text);
  const { sequence, digest } = made;
  context.result({ path, sequence, digest }, () =>
    [renderLedgerDocument(openLedgerText(made.text)), `Wrote ${path}`].join("\n"),
  );
}
