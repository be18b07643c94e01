import type { Argument, Command, Option } from "commander";
import { CommandContext, type Outside } from "./command-context.ts";
import { commandsBelow, examplesOf } from "./command-options.ts";
import { makeProgram } from "./program.ts";
import { REFERENCE_EN, type ReferenceTexts } from "./reference-en.ts";
import { REFERENCE_ZH } from "./reference-zh.ts";

export type ReferenceLanguage = "en" | "zh";

/** The reference page of the command line (Markdown), made from the program itself. Throws where a translation is missing. */
export function cliReference(language: ReferenceLanguage): string {
  const texts = language === "en" ? REFERENCE_EN : REFERENCE_ZH;
  const program = programWithoutOutside();
  const groups = new Map<string, Command[]>();
  for (const command of program.commands) {
    const group = command.helpGroup().replace(/:$/, "");
    groups.set(group, [...(groups.get(group) ?? []), command]);
  }
  const sections = [...groups].map(([group, commands]) =>
    [`## ${texts.say(group)}`, ...commands.map((command) => renderCommand(command, texts))].join("\n\n"),
  );
  const options = renderOptions(program.options, texts);
  return `${[texts.head, texts.global, options, texts.facts, ...sections].join("\n\n")}\n`;
}

/** The program, to be looked at: nothing is run, so nothing outside is touched. */
export function programWithoutOutside(): Command {
  return makeProgram(new CommandContext({} as Outside));
}

function renderCommand(command: Command, texts: ReferenceTexts): string {
  const leaves = [command, ...commandsBelow(command)].filter((one) => one.commands.length === 0);
  if (command.commands.length === 0) return renderLeaf(command, texts, "###");
  const head = `### sampan ${command.name()}\n\n${sentence(texts.say(command.description()))}`;
  return [head, ...leaves.map((leaf) => renderLeaf(leaf, texts, "####"))].join("\n\n");
}

function renderLeaf(command: Command, texts: ReferenceTexts, mark: string): string {
  const line = lineOf(command);
  const examples = examplesOf(command);
  const described = command.registeredArguments.filter(({ description }) => description !== "");
  return [
    `${mark} ${line}`,
    sentence(texts.say(command.description())),
    `\`${`${line} ${command.usage()}`.replace(/ \[options\]/, command.options.length === 0 ? "" : " [options]")}\``,
    ...(described.length === 0 ? [] : [described.map((one) => renderArgument(one, texts)).join("\n")]),
    ...(command.options.length === 0 ? [] : [renderOptions(command.options, texts)]),
    ...(examples.length === 0 ? [] : [["```sh", ...examples, "```"].join("\n")]),
  ].join("\n\n");
}

function lineOf(command: Command): string {
  return command.parent === null ? command.name() : `${lineOf(command.parent)} ${command.name()}`;
}

function renderArgument(argument: Argument, texts: ReferenceTexts): string {
  return `- \`${argument.name()}\`: ${texts.say(argument.description)}${choicesOf(argument.argChoices)}`;
}

function renderOptions(options: readonly Option[], texts: ReferenceTexts): string {
  const rows = options.map(({ flags, description, argChoices, defaultValue }) => {
    const isValue = typeof defaultValue === "string" || typeof defaultValue === "number";
    const fallback = isValue ? ` (${texts.fallback} \`${defaultValue}\`)` : "";
    return `| \`${flags.replaceAll("|", "\\|")}\` | ${texts.say(description)}${choicesOf(argChoices)}${fallback} |`;
  });
  return [`| ${texts.option} | ${texts.meaning} |`, "|---|---|", ...rows].join("\n");
}

function choicesOf(choices: readonly string[] | undefined): string {
  return choices === undefined ? "" : `: ${choices.map((choice) => `\`${choice}\``).join(", ")}`;
}

function sentence(text: string): string {
  const begin = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.。]$/.test(begin) ? begin : `${begin}${/\p{Script=Han}/u.test(begin) ? "。" : "."}`;
}
