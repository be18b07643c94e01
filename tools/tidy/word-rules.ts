import { basename } from "node:path/posix";
import { isDeclaration } from "./code-rules.ts";
import type { Finding, Rule } from "./rule.ts";
import { sourceRule } from "./rule.ts";
import { lineAt, type Node, sourcesOf, walk } from "./source-file.ts";

/** Names of files and things, and words that may stand nowhere. */

const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.(ts|tsx|mjs)$/;
const EMPTY_WORDS = ["utils", "util", "common", "helpers", "helper", "misc", "stuff", "lib"];

const filesAreNamedAfterWhatTheyHold: Rule = {
  name: "a file is in kebab-case and named after what it holds",
  why: `A name such as ${EMPTY_WORDS.slice(0, 3).join(", ")} says that nobody knew what it is for; everything ends up there.`,
  check(repository) {
    return sourcesOf(repository).flatMap(({ path }): Finding[] => {
      if (!KEBAB_CASE.test(basename(path)))
        return [{ path, message: `${basename(path)} is not in kebab-case` }];
      const words = path.replace(/\.[^/]*$/, "").split(/[/.-]/);
      const empty = words.find((word) => EMPTY_WORDS.includes(word));
      return empty === undefined ? [] : [{ path, message: `${empty} says nothing` }];
    });
  },
};

const EMPTY_NAMES: readonly (readonly [RegExp, string])[] = [
  [/Managers?$/, "say what it does with what it manages"],
  [/Impl$/, "name what sets it apart from the interface"],
  [/(Util|Helper)s?$/, "name what it is"],
  [/^I[A-Z][a-z]/, "an interface has the plain name; what implements it has the special one"],
];

const thingsAreNamedByNouns = sourceRule(
  {
    name: "no Manager, Impl, Helper or IThing",
    why: "They are names for things that have not been understood yet.",
  },
  (source, report) => {
    walk(source.program, (node) => {
      const id = node.id as Node | undefined | null;
      if (!isDeclaration(node) || id?.type !== "Identifier") return;
      const name = String(id.name);
      const empty = EMPTY_NAMES.find(([form]) => form.test(name));
      if (empty !== undefined) report(node.start, `${name}: ${empty[1]}`);
    });
  },
);

const nothingIsLeftOver = sourceRule(
  {
    name: "no comment says that something is unfinished or switches a check off",
    why: "What is missing is an issue, or it is done; a note in the code is read by nobody who could plan it.",
  },
  (source, report) => {
    for (const { text, start } of source.comments) {
      const word = /\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck)|eslint-disable/.exec(text);
      if (word !== null) report(start, word[0]);
    }
  },
);

/** Written so that this file itself does not hold them. */
const ADDRESSES = new RegExp(
  [
    "registry-1\\.docker[.]io|index\\.docker[.]io|ghcr[.]io|quay[.]io|gcr[.]io|pkg[.]dev",
    "registry\\.npmjs[.]org|npmmirror[.]com|pypi[.]org|pythonhosted[.]org",
    "deb\\.debian[.]org|archive\\.ubuntu[.]com|snapshot\\.debian[.]org",
    "(?<![\\w.])/(work/(main|shared)|home/[a-z]+/|Users/[A-Za-z]+/)",
  ].join("|"),
);

const nothingNamesAnAddress: Rule = {
  name: "no host name of a public registry or mirror, and no path of somebody's machine",
  why: "Nothing reaches for the Internet, and what builds here must build anywhere: the machine's own settings are asked.",
  check(repository) {
    return [...repository.texts].flatMap(([path, text]): Finding[] => {
      const found = ADDRESSES.exec(text);
      return found === null ? [] : [{ path, line: lineAt(text, found.index), message: found[0] }];
    });
  },
};

export const WORD_RULES: readonly Rule[] = [
  filesAreNamedAfterWhatTheyHold,
  thingsAreNamedByNouns,
  nothingIsLeftOver,
  nothingNamesAnAddress,
];
