import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { appJsonSchema, parseApp } from "@sampan/template";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { programWithoutOutside } from "./reference.ts";

/** The guide is read by strangers: what it shows must be there, in both languages. */

const GUIDE = join(import.meta.dirname, "..", "..", "..", "docs", "guide");
const PAGES = readdirSync(GUIDE).filter((name) => name.endsWith(".md"));
const LANGUAGES = [
  ["en", GUIDE],
  ["zh", join(GUIDE, "zh")],
] as const;

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, found, block = ""]) =>
    found === language ? [block] : [],
  );
}

function commandLines(text: string): string[] {
  const shown = blocks(text, "sh").flatMap((block) => block.split("\n"));
  const inline = [...text.matchAll(/`(sampan [^`]+)`/g)].map(([, line = ""]) => line);
  return [...shown, ...inline].filter((line) => /^sampan [a-z]/.test(line));
}

/** Words as a shell splits them, up to a redirection. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
  const end = words.findIndex((word) => /^[<>|;&]/.test(word));
  return words.slice(1, end < 0 ? undefined : end);
}

/** What is wrong with a command line; undefined when the program understands it. */
function faultOf(line: string): string | undefined {
  let command: Command = programWithoutOutside();
  const root = command;
  const words = wordsOf(line);
  for (let word = words[0]; word !== undefined; word = words[0]) {
    const next: Command | undefined = command.commands.find((child) => child.name() === word);
    if (next === undefined) break;
    command = next;
    words.shift();
  }
  if (command === root && words[0] === "help") return undefined;
  if (command === root) return `there is no command ${words[0]}`;
  const isGroup = command.commands.length > 0 && command.name() !== "site";
  if (isGroup && words.length > 0 && !words[0]?.startsWith("-"))
    return `${command.name()} has no ${words[0]}`;
  const end = words.indexOf("--");
  const known = [...command.options, ...root.options].flatMap(({ short, long }) => [short, long]);
  const flags = (end < 0 ? words : words.slice(0, end)).filter((word) => /^-./.test(word));
  return flags.find((flag) => !known.includes(flag) && flag !== "--help");
}

describe.for(LANGUAGES)("%s", ([, folder]) => {
  test.for(PAGES)("%s names commands and options that exist", (page) => {
    const text = readFileSync(join(folder, page), "utf8");
    const faults = commandLines(text).map((line) => [line, faultOf(line)]);
    expect(faults.filter(([, fault]) => fault !== undefined)).toEqual([]);
  });

  test.for(PAGES)("%s links to what is there", (page) => {
    const text = readFileSync(join(folder, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = "", anchor] = target.split("#");
      const linked = readFileSync(path === "" ? join(folder, page) : join(folder, path), "utf8");
      const anchors = [...linked.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchorOf(title));
      if (anchor !== undefined) expect(anchors, target).toContain(anchor);
    }
  });
});

/** As Markdown viewers make it from a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

test.for(PAGES)("%s is the same page in both languages", (page) => {
  const [en = "", zh = ""] = LANGUAGES.map(([, folder]) => readFileSync(join(folder, page), "utf8"));
  const shape = (text: string) => text.split("\n").flatMap((line) => /^(#+|\|---)/.exec(line)?.[1] ?? []);
  expect(shape(zh)).toEqual(shape(en));
  for (const language of ["sh", "yaml", "ini"]) expect(blocks(zh, language)).toEqual(blocks(en, language));
});

test("the whole example of app.yaml is an app, and the others are parts of one", () => {
  const [whole = "", ...parts] = blocks(readFileSync(join(GUIDE, "app-yaml.md"), "utf8"), "yaml");
  expect(parseApp(whole)).toMatchObject({ faults: [] });
  for (const part of parts) {
    const { faults } = parseApp(`apiVersion: sampan/v1\nkind: App\nname: part\n${part}`);
    const real = faults.filter(
      ({ message }) => !/missing|required|give an image|there is no|not known/.test(message),
    );
    expect(real, part).toEqual([]);
  }
});

test("every field of app.yaml is named on its page", () => {
  const text = readFileSync(join(GUIDE, "app-yaml.md"), "utf8");
  const fields = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("properties" in value) for (const name of Object.keys(value.properties ?? {})) fields.add(name);
    for (const child of Object.values(value)) walk(child);
  };
  walk(JSON.parse(appJsonSchema()));
  const siteOnly = ["installation", "os", "architecture"];
  const absent = [...fields].filter(
    (field) => !siteOnly.includes(field) && !new RegExp(`\\b${field}\\b`).test(text),
  );
  expect(absent).toEqual([]);
});
