import { Argument, type Command, InvalidArgumentError, Option } from "commander";

/** For options that are given again and again. */
export function collect(value: string, list: readonly string[] = []): string[] {
  return [...list, value];
}

const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Command lines that show how it is used; every command has some. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  EXAMPLES.set(command, lines);
  return command.addHelpText(
    "after",
    `\n${lines.length === 1 ? "Example" : "Examples"}:\n${lines.map((line) => `  ${line}`).join("\n")}`,
  );
}

export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}

/** All commands below this one, at any depth. */
export function commandsBelow(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...commandsBelow(child)]);
}

export const SCOPES = ["team", "enterprise"] as const;
export type Scope = (typeof SCOPES)[number];

export function scopeOption(fallback: Scope): Option {
  return new Option("--scope <scope>", "who sees it").choices(SCOPES).default(fallback);
}

export function choiceArgument(flags: string, description: string, choices: readonly string[]): Argument {
  return new Argument(flags, description).choices(choices);
}

export const NOTE = ["--note <text>", "why, for the record"] as const;
export const NO_WAIT = ["--no-wait", "do not wait for the end"] as const;
export const PLAN = ["--plan", "only show what would be done"] as const;
export const SAVE = [
  "--save <file>",
  "only show it, and keep the plan in a file for `sampan apply FILE`",
] as const;
export const IGNORE_PREFLIGHT = [
  "--ignore-preflight",
  "go on although the site lacks something; the record says so",
] as const;
export const PARAM = ["-p, --param <name=value>", "answer a parameter; again for each", collect, []] as const;
export const MODULE = ["-m, --module <name=on|off>", "switch a module; again for each", collect, []] as const;

/** What every change takes that is planned first: see `planned-change.ts`. */
export function withChangeFlags(command: Command): Command {
  return command
    .option(...PLAN)
    .option(...SAVE)
    .option(...IGNORE_PREFLIGHT)
    .option(...NOTE)
    .option(...NO_WAIT);
}

/** What an option of commander calls: a whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}
