import { EXIT, isProblem, type Problem, renderProblem } from "@sampan/problem";
import { type Command, CommanderError } from "commander";
import { CommandContext, type Outside } from "./command-context.ts";
import { cliProblem } from "./problems.ts";
import { makeProgram } from "./program.ts";

/** Runs one command line (without the program's own name); gives the exit code. It never throws. */
export async function runCli(argv: readonly string[], outside: Outside): Promise<number> {
  const options = { json: wantsJson(argv) };
  const context = new CommandContext(outside, options);
  const program = makeProgram(context);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (isHelp(error) && !context.json) return EXIT.usage;
    const problem = asProblem(error, outside.signal, helpFor(program, argv));
    context.terminal.overwrite();
    report(context, problem);
    return problem.kind.exit;
  }
}

/** A command line that is not understood has no options; whether its problem is to be JSON must be known all the same. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

/** The help of the command that the words lead to; of the whole when they lead to none. */
function helpFor(program: Command, argv: readonly string[]): string {
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((one) => one.name() === word);
    if (next !== undefined) command = next;
    else if (command !== program) break;
  }
  if (command === program) return "sampan help; sampan help COMMAND";
  const words = [command.name()];
  for (let up = command.parent; up !== null; up = up.parent) words.unshift(up.name());
  return `${words.join(" ")} --help`;
}

function asProblem(error: unknown, signal: AbortSignal, help: string): Problem {
  if (signal.aborted || (error instanceof DOMException && error.name === "AbortError"))
    return cliProblem("CLI_INTERRUPTED", "interrupted");
  if (isProblem(error)) return error;
  if (isHelp(error)) return cliProblem("CLI_USAGE", "a command is missing", { hint: "sampan help" });
  if (error instanceof CommanderError) {
    const [what = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
    const why = rest.join(" ").replace(/^\((.*)\)$/, "$1");
    return cliProblem("CLI_USAGE", what.replace(/\.$/, ""), {
      ...(why === "" ? {} : { why }),
      hint: help,
    });
  }
  if (isSystemError(error))
    return cliProblem("CLI_FILE", `${error.path ?? "a file"} cannot be used`, {
      why: error.message,
      hint: "check the path, its rights and the free space",
      cause: error,
    });
  return cliProblem("CLI_BUG", "sampan hit a fault of its own", {
    why: error instanceof Error ? (error.stack ?? error.message) : String(error),
    hint: "report it with what is printed here",
    cause: error,
  });
}

/** Help was shown, because the command line stopped short of a command. */
function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.code === "commander.help";
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "errno" in error;
}

function report(context: CommandContext, problem: Problem): void {
  const { code, message, why, hint, faults } = problem;
  const error = { code, message, why, hint, ...(faults.length === 0 ? {} : { faults }) };
  if (context.json) context.terminal.err(JSON.stringify({ error }));
  else context.terminal.err(code === "CLI_INTERRUPTED" ? "Interrupted." : renderProblem(problem));
}
