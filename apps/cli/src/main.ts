import { setTimeout as sleep } from "node:timers/promises";
import { openTerminal } from "./process-terminal.ts";
import { runCli } from "./run-cli.ts";

const interrupt = new AbortController();
// Once only: a second Ctrl-C ends the process at once.
process.once("SIGINT", () => interrupt.abort(new DOMException("interrupted", "AbortError")));
process.exitCode = await runCli(process.argv.slice(2), {
  terminal: openTerminal(),
  env: process.env,
  fetch: globalThis.fetch,
  clock: {
    nowMs: Date.now,
    async sleep(ms, signal) {
      await sleep(ms, undefined, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
    },
  },
  signal: interrupt.signal,
});
