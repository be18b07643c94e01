import { isProblem } from "@sampan/problem";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";

/** One more than the pauses. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000];

/** Does it again after a broken connection; `attempt` goes on where it ended. Throws CLI_CONNECTION_LOST in the end. */
export async function withRetries<T>(context: CommandContext, attempt: () => Promise<T>): Promise<T> {
  for (let count = 0; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (context.signal.aborted || !isBrokenConnection(error)) throw error;
      const pauseMs = PAUSES_MS[count];
      if (pauseMs === undefined)
        throw cliProblem("CLI_CONNECTION_LOST", "the connection to the server broke again and again", {
          why: error instanceof Error ? error.message : String(error),
          hint: "run the same command again: it goes on where this one ended",
          cause: error,
        });
      context.remark(`The connection broke; trying again in ${pauseMs / 1000}s.`);
      await context.clock.sleep(pauseMs, context.signal);
    }
  }
}

/** `fetch` and its bodies throw a TypeError whose cause is the socket's error. */
function isBrokenConnection(error: unknown): boolean {
  return isProblem(error, "API_UNREACHABLE") || (error instanceof TypeError && error.cause instanceof Error);
}
