import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withExamples } from "../command-options.ts";
import { readKeys } from "../read-keys.ts";
import { renderTable } from "../render-table.ts";

export function declareKey(program: Command, context: CommandContext): void {
  const key = program.command("key").description("vendor keys that this site trusts, and its own");
  declareList(key, context);
  declareShow(key, context);
  declareTrust(key, context);
  declareDistrust(key, context);
}

function declareList(key: Command, context: CommandContext): void {
  const command = key
    .command("list")
    .description("trusted keys, and the site's own")
    .action(async () => {
      const { items } = await (await context.client()).listKeys();
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({ name: one.name, key: one.keyId, added: one.own ? "" : one.addedAt })),
          "No keys.",
        ),
      );
    });
  withExamples(command, "sampan key list");
}

function declareShow(key: Command, context: CommandContext): void {
  const command = key
    .command("show")
    .description("this site's public key, to hand to those who shall trust it; its key ID goes to stderr")
    .action(async () => {
      const { keyId, publicKeyPem } = await (await context.client()).getSite();
      context.remark(`key ID ${keyId}`);
      context.result({ keyId, publicKeyPem }, () => publicKeyPem.trimEnd());
    });
  withExamples(command, "sampan key show > vendor.pem");
}

function declareTrust(key: Command, context: CommandContext): void {
  const command = key
    .command("trust <file>")
    .description("trust the public key (PEM) in a file: bundles that it signed are accepted from now on")
    .requiredOption("--name <name>", "whose key it is")
    .action(async (path: string, options: { name: string }) => {
      const [publicKeyPem = ""] = await readKeys([path]);
      const client = await context.client();
      const added = await client.trustKey({ body: { name: options.name, publicKeyPem } });
      context.result(
        added,
        () => `Bundles signed by ${added.name} (${added.keyId}) are accepted from now on.`,
      );
    });
  withExamples(command, "sampan key trust vendor.pem --name 'Acme Ltd'");
}

function declareDistrust(key: Command, context: CommandContext): void {
  const command = key
    .command("distrust <keyId>")
    .description("trust a key no longer; what was imported stays")
    .action(async (keyId: string) => {
      await context.confirm(`Trust ${keyId} no longer?`);
      await (await context.client()).distrustKey({ params: { keyId } });
      context.result({ removed: keyId }, () => `${keyId} is trusted no longer.`);
    });
  withExamples(
    command,
    "sampan key distrust sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
  );
}
