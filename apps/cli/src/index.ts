export type { Clock, Outside } from "./command-context.ts";
export { cliReference } from "./reference.ts";
export { runCli } from "./run-cli.ts";
export type { Terminal } from "./terminal.ts";
