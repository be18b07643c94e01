import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { choiceArgument, withExamples } from "../command-options.ts";
import { renderCompletion, SHELLS, type Shell } from "../render-completion.ts";

export function declareCompletion(program: Command, context: CommandContext): void {
  const command = program
    .command("completion")
    .addArgument(choiceArgument("<shell>", "which shell", SHELLS))
    .description("print a script that completes commands and options with the tab key")
    .action((shell: Shell) => context.terminal.out(renderCompletion(program, shell)));
  withExamples(
    command,
    'eval "$(sampan completion bash)"',
    'eval "$(sampan completion zsh)"',
    "sampan completion fish | source",
  );
}
