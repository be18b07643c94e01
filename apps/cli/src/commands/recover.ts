import type { Client } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { findTeam } from "../find.ts";
import { renderTable } from "../render-table.ts";

/** `sampan app recover`: what a lost database has forgotten, and the way back. */
export function declareRecover(app: Command, context: CommandContext): void {
  const command = app
    .command("recover [id]")
    .description(
      "take up again an app that the engine runs and a lost database forgot; without an id, list such apps",
    )
    .option("--name <name>", "name of the app; else what its name in the engine says")
    .action(async (id: string | undefined, options: { name?: string }) => {
      const client = await context.client();
      if (id === undefined) await list(client, context);
      else await recover(client, context, { id, ...options });
    });
  withExamples(
    command,
    "sampan app recover",
    "sampan app recover app_3f2a81c05d9e47b6a1c0 --name shop --team sales",
  );
}

async function list(client: Client, context: CommandContext): Promise<void> {
  const reply = await client.recoverApps();
  context.result(reply, () =>
    renderTable(
      reply.items.map((one) => ({
        app: one.slug,
        id: one.id,
        generation: one.generation,
        components: one.components.join(", "),
      })),
      "The engine runs nothing that this site does not know.",
    ),
  );
}

async function recover(
  client: Client,
  context: CommandContext,
  { id, name }: { readonly id: string; readonly name?: string },
): Promise<void> {
  const team = await findTeam(context, client);
  const body = { teamId: team.id, ...(name === undefined ? {} : { name }) };
  const reply = await client.recoverApp({ params: { id }, body });
  context.result(reply, () =>
    [
      "The app is taken up again, and nothing of it was touched. What to know about it:",
      ...reply.remarks.map((one) => `- ${one}`),
    ].join("\n"),
  );
}
