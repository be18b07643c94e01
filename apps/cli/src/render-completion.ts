import type { Command, Option } from "commander";
import { commandsBelow } from "./command-options.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes this program's commands, options and their choices; made from the program itself. */
export function renderCompletion(program: Command, shell: Shell): string {
  const places = [program, ...commandsBelow(program)].map((command) => placeOf(program, command));
  if (shell === "fish") return fishScript(places);
  return `${tables(places)}\n${shell === "zsh" ? ZSH : BASH}`;
}

/** A point of the command line: what was said so far, and what can follow. */
interface Place {
  /** Such as `app show`; empty at the beginning. */
  readonly line: string;
  readonly description: string;
  /** Names of commands, and choices of arguments. */
  readonly words: readonly { readonly word: string; readonly description: string }[];
  readonly options: readonly Option[];
}

function placeOf(program: Command, command: Command): Place {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null && at !== program; at = at.parent)
    names.unshift(at.name());
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  return {
    line: names.join(" "),
    description: command.description(),
    words: [
      ...command.commands.map((child) => ({ word: child.name(), description: child.description() })),
      ...choices.map((word) => ({ word, description: "" })),
    ],
    options: [...command.options, ...(command === program ? [] : program.options)],
  };
}

function flagsOf(option: Option): string[] {
  return [option.short, option.long].filter((flag) => flag !== undefined);
}

/** Functions that bash and zsh understand alike. */
function tables(places: readonly Place[]): string {
  const rows = (list: (place: Place) => readonly string[]) =>
    places.map((place) => `    '${place.line}') echo '${list(place).join(" ")}' ;;`).join("\n");
  const known = places.filter(({ line }) => line !== "").map(({ line }) => `'${line}'`);
  return `_sampan_is() { case "$1" in ${known.join("|")}) return 0 ;; esac; return 1; }
_sampan_words() {
  case "$1" in
${rows((place) => place.words.map(({ word }) => word))}
  esac
}
_sampan_options() {
  case "$1" in
${rows((place) => [...place.options.map((option) => option.long ?? ""), "--help"])}
  esac
}
_sampan_takes_value() { case "$1" in ${valued(places).join("|")}) return 0 ;; esac; return 1; }
_sampan_choices() {
  case "$1" in
${choices(places).join("\n")}
  esac
}`;
}

function valued(places: readonly Place[]): string[] {
  return places.flatMap(({ line, options }) =>
    options
      .filter((option) => option.required || option.optional)
      .flatMap((option) => flagsOf(option).map((flag) => `'${line} ${flag}'`)),
  );
}

function choices(places: readonly Place[]): string[] {
  return places.flatMap(({ line, options }) =>
    options
      .filter((option) => option.argChoices !== undefined)
      .map((option) => `    '${line} ${option.long}') echo '${option.argChoices?.join(" ")}' ;;`),
  );
}

const BASH = `_sampan() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line="" option="" word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ -n "$option" ]; then option=""
    elif [ "$word" = "--" ]; then return
    elif _sampan_takes_value "$line $word"; then option="$word"
    elif _sampan_is "\${line:+$line }$word"; then line="\${line:+$line }$word"
    fi
  done
  local words
  if [ -n "$option" ]; then words="$(_sampan_choices "$line $option")"
  elif [ "\${current#-}" != "$current" ]; then words="$(_sampan_options "$line")"
  else words="$(_sampan_words "$line")"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _sampan sampan`;

const ZSH = `_sampan() {
  local line="" option="" word i
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [ -n "$option" ]; then option=""
    elif [ "$word" = "--" ]; then _files; return
    elif _sampan_takes_value "$line $word"; then option="$word"
    elif _sampan_is "\${line:+$line }$word"; then line="\${line:+$line }$word"
    fi
  done
  local found
  if [ -n "$option" ]; then found="$(_sampan_choices "$line $option")"
  elif [ "\${PREFIX#-}" != "$PREFIX" ]; then found="$(_sampan_options "$line")"
  else found="$(_sampan_words "$line")"
  fi
  if [ -n "$found" ]; then compadd -- \${(s: :)found}; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _sampan sampan`;

function fishScript(places: readonly Place[]): string {
  const known = places.filter(({ line }) => line !== "").map(({ line }) => `'${line}'`);
  const lines = places.flatMap((place) => {
    const at = `complete -c sampan -n "__sampan_at '${place.line}'"`;
    return [
      ...place.words.map(({ word, description }) => `${at} -f -a ${word} -d ${quote(description)}`),
      ...place.options.map((option) => `${at} ${fishOption(option)} -d ${quote(option.description)}`),
    ];
  });
  return `set -g __sampan_lines ${known.join(" ")}
set -g __sampan_valued ${valued(places).join(" ")}
function __sampan_at
  set -l line ''
  set -l option ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$line $word")
    if test -n "$option"
      set option ''
    else if contains -- "$line $word" $__sampan_valued
      set option $word
    else if contains -- $longer $__sampan_lines
      set line $longer
    end
  end
  test "$line" = "$argv[1]"
end
${lines.join("\n")}`;
}

function fishOption(option: Option): string {
  const short = option.short === undefined ? "" : `-s ${option.short.slice(1)} `;
  const value = option.argChoices !== undefined ? ` -x -a '${option.argChoices.join(" ")}'` : " -r";
  return `${short}-l ${option.long?.slice(2)}${option.required || option.optional ? value : ""}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
