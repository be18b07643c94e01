import type { Client } from "@sampan/api";
import type { CommandContext } from "./command-context.ts";

/** Why it is done: as given; asked of a person where the site wants one and none was given. */
export async function noteFor(
  context: CommandContext,
  client: Client,
  given: string | undefined,
): Promise<string | undefined> {
  if (given !== undefined || !context.mayAsk) return given;
  const { noteRequired } = await client.getPolicy();
  if (!noteRequired) return undefined;
  const answer = (await context.terminal.ask("Why, for the record? ")).trim();
  return answer === "" ? undefined : answer;
}
