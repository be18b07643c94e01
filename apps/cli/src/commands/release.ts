import type { Client } from "@sampan/api";
import type { Command } from "commander";
import { humanBytes } from "../amounts.ts";
import { renderPropertyChanges } from "../change-output.ts";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { findRelease } from "../find.ts";
import { renderTable } from "../render-table.ts";

type ReleaseView = Awaited<ReturnType<Client["getRelease"]>>;

const ID_SHOWN = 19;

export function declareRelease(program: Command, context: CommandContext): void {
  const release = program
    .command("release")
    .description("releases: TEMPLATE@VERSION, TEMPLATE (its newest) or a digest");
  declareShow(release, context);
  declareDiff(release, context);
  declareRemove(release, context);
}

function declareShow(release: Command, context: CommandContext): void {
  const command = release
    .command("show <release>")
    .description("what a release holds; with --json its whole document")
    .action(async (text: string) => {
      const client = await context.client();
      const { digest } = await findRelease(client, text);
      const view = await client.getRelease({ params: { digest } });
      context.result(view, () => renderRelease(view));
    });
  withExamples(command, "sampan release show shop@2.9");
}

function renderRelease(view: ReleaseView): string {
  const alias = view.alias === undefined ? "" : ` (${view.alias})`;
  const signer = view.signer === undefined ? "" : `, signed by ${view.signer}`;
  const replaced = view.replaced ? "; replaced by a later release of the same version" : "";
  return [
    `${view.templateName} ${view.version}${alias}  ${view.digest}`,
    `${humanBytes(view.sizeBytes)} of images; ${view.origin}${signer}${replaced}`,
    ...(view.notes === undefined ? [] : [view.notes]),
    "",
    renderTable(
      view.images.map((one) => ({
        image: one.name,
        components: one.components.join(", "),
        size: humanBytes(one.sizeBytes),
        arch: one.architecture,
        id: one.imageId.slice(0, ID_SHOWN),
      })),
      "No images.",
    ),
  ].join("\n");
}

function declareDiff(release: Command, context: CommandContext): void {
  const command = release
    .command("diff <release> <other>")
    .description("what differs between two releases")
    .action(async (text: string, otherText: string) => {
      const client = await context.client();
      const { digest } = await findRelease(client, text);
      const other = (await findRelease(client, otherText)).digest;
      const reply = await client.diffReleases({ params: { digest, other } });
      context.result(reply, () =>
        reply.changes.length === 0 ? "They are the same." : renderPropertyChanges(reply.changes),
      );
    });
  withExamples(command, "sampan release diff shop@2.9 shop@3.0");
}

function declareRemove(release: Command, context: CommandContext): void {
  const command = release
    .command("remove <release>")
    .description("remove a release from the library; refused while it is installed")
    .action(async (text: string) => {
      const client = await context.client();
      const found = await findRelease(client, text);
      await context.confirm(`Remove ${found.templateName} ${found.version} from the library?`);
      await client.removeRelease({ params: { digest: found.digest } });
      context.result({ removed: found.digest }, () => `Removed ${found.templateName} ${found.version}.`);
    });
  withExamples(command, "sampan release remove shop@2.8");
}
