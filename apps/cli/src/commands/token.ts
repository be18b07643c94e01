import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { wholeNumber, withExamples } from "../command-options.ts";
import { renderTable } from "../render-table.ts";

const DAYS_MAX = 3650;

export function declareToken(program: Command, context: CommandContext): void {
  const token = program.command("token").description("your API tokens");
  declareList(token, context);
  declareCreate(token, context);
  declareRevoke(token, context);
}

function declareList(token: Command, context: CommandContext): void {
  const command = token
    .command("list")
    .description("your tokens; their secrets are shown only when made")
    .action(async () => {
      const { items } = await (await context.client()).listTokens();
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({
            id: one.id,
            name: one.name,
            made: one.createdAt,
            used: one.lastUsedAt ?? "never",
            expires: one.expiresAt ?? "never",
          })),
          "No tokens.",
        ),
      );
    });
  withExamples(command, "sampan token list");
}

function declareCreate(token: Command, context: CommandContext): void {
  const command = token
    .command("create <name>")
    .description("make a token; only its secret goes to stdout, and only now")
    .option("--days <number>", "how long it is valid; else for ever", wholeNumber(1, DAYS_MAX))
    .action(async (name: string, options: { days?: number }) => {
      const days = options.days === undefined ? {} : { expiresInDays: options.days };
      const made = await (await context.client()).createToken({ body: { name, ...days } });
      context.remark("It is shown only now. Use it as SAMPAN_TOKEN, or as the password of `docker login`.");
      context.result(made, () => made.secret);
    });
  withExamples(command, "sampan token create ci --days 90 > token.txt");
}

function declareRevoke(token: Command, context: CommandContext): void {
  const command = token
    .command("revoke <id>")
    .description("make a token worthless")
    .action(async (id: string) => {
      await (await context.client()).removeToken({ params: { id } });
      context.result({ removed: id }, () => `Revoked ${id}.`);
    });
  withExamples(command, "sampan token revoke 66f2a1b09f");
}
