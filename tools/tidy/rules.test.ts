import { expect, test } from "vitest";
import { repositoryOf } from "./repository.ts";
import { renderFinding } from "./rule.ts";
import { RULES } from "./rules.ts";

const CARD = "# room\n\nWhat it is for.\n\n**Never**: more.\n\nRead first: `src/index.ts`.\n";

const ROOMS: Readonly<Record<string, { readonly name: string; readonly needs?: readonly string[] }>> = {
  "core/words": { name: "@sampan/words" },
  "core/plan": { name: "@sampan/plan", needs: ["@sampan/words"] },
  "parts/hold": { name: "@sampan/hold", needs: ["@sampan/words"] },
  "parts/runtime": { name: "@sampan/runtime", needs: ["@sampan/words", "@sampan/hold"] },
  "parts/runtime/docker": { name: "@sampan/runtime-docker", needs: ["@sampan/runtime"] },
  delivery: {
    name: "@sampan/delivery",
    needs: ["@sampan/hold", "@sampan/runtime", "@sampan/runtime-docker"],
  },
  "apps/server": { name: "@sampan/server", needs: ["@sampan/delivery", "@sampan/runtime-docker"] },
  "apps/cli": { name: "@sampan/cli", needs: ["@sampan/plan", "@sampan/hold", "@sampan/server"] },
  journeys: { name: "@sampan/journeys", needs: ["@sampan/plan"] },
  tools: { name: "@sampan/tools" },
};

/** A small tidy repository, with `planted` on top. */
function tidyRepository(planted: Readonly<Record<string, string | undefined>>) {
  const texts = new Map<string, string>();
  const manifest = { workspaces: Object.keys(ROOMS), devDependencies: { vitest: "5.1.1" } };
  texts.set("package.json", JSON.stringify(manifest));
  for (const [path, { name, needs = [] }] of Object.entries(ROOMS)) {
    const dependencies = Object.fromEntries(needs.map((need) => [need, "0.1.0"]));
    texts.set(
      `${path}/package.json`,
      JSON.stringify({ name, exports: { ".": "./src/index.ts" }, dependencies }),
    );
    texts.set(`${path}/README.md`, CARD);
    texts.set(`${path}/src/index.ts`, "export const here = 1;\n");
  }
  for (const [path, text] of Object.entries(planted))
    if (text === undefined) texts.delete(path);
    else texts.set(path, text);
  return repositoryOf(texts);
}

function findingsIn(planted: Readonly<Record<string, string | undefined>>): readonly string[] {
  const repository = tidyRepository(planted);
  return RULES.flatMap((rule) =>
    rule.check(repository).map((finding) => `${rule.name} | ${renderFinding(finding)}`),
  );
}

const longFunction = `export function long() {\n${"  here();\n".repeat(59)}}\n`;
const suiteOf = (lines: number) =>
  `describe("it", () => {\n  test("a", () => {});\n${"\n".repeat(lines)}});\n`;
const manifestWith = (fields: object) => JSON.stringify({ workspaces: Object.keys(ROOMS), ...fields });

/** The rule, the file that breaks it, its text, and the finding. */
const violations: readonly (readonly [string, string, string | undefined, string])[] = [
  ["every room has a card", "parts/hold/README.md", undefined, ": is missing"],
  ["every room has a card", "tools/README.md", "# tools\n\nRead first: it.", ': does not say "**Never**"'],
  ["the workspace list is explicit", "core/new/package.json", "{}", ": is not in the workspace list"],
  [
    "the workspace list is explicit",
    "package.json",
    manifestWith({ workspaces: [...Object.keys(ROOMS), "tools/*"] }),
    ": tools/* is a glob",
  ],
  [
    "every dependency is pinned",
    "package.json",
    manifestWith({ devDependencies: { vitest: "^5.1.1" } }),
    ": vitest: ^5.1.1 is not one version",
  ],
  [
    "imports point down",
    "core/words/src/up.ts",
    'import "@sampan/plan";',
    ":1: core/words may not import core/plan",
  ],
  [
    "imports point down",
    "parts/runtime/src/aside.ts",
    'import "@sampan/hold";',
    ":1: parts/runtime may not import parts/hold",
  ],
  [
    "imports point down",
    "parts/runtime/src/aside.ts",
    'type A = import("@sampan/hold").A;',
    ":1: parts/runtime may not import parts/hold",
  ],
  [
    "imports point down",
    "parts/hold/src/up.ts",
    '\nexport { x } from "@sampan/delivery";',
    ":2: parts/hold may not import delivery",
  ],
  [
    "imports point down",
    "core/plan/src/up.ts",
    'await import("@sampan/hold");',
    ":1: core/plan may not import parts/hold",
  ],
  [
    "a room is entered by its door",
    "core/plan/src/by.ts",
    'import "../../words/src/index.ts";',
    ":1: ../../words/src/index.ts leaves the room: import @sampan/words",
  ],
  [
    "a room is entered by its door",
    "parts/runtime/docker/src/by.ts",
    'import "../../src/index.ts";',
    ":1: ../../src/index.ts leaves the room: import @sampan/runtime",
  ],
  [
    "a room is entered by its door",
    "core/plan/src/by.ts",
    'import "@sampan/words/src/index.ts";',
    ":1: @sampan/words/src/index.ts is no door of core/words",
  ],
  [
    "every package that is imported is declared",
    "core/words/src/by.ts",
    'import "yaml";',
    ":1: yaml is not in core/words/package.json",
  ],
  [
    "every package that is imported is declared",
    "core/words/src/by.ts",
    'import "vitest";',
    ":1: vitest is not in core/words/package.json",
  ],
  [
    "every package that is imported is declared",
    "tools/bootstrap/by.mjs",
    'import "vitest";',
    ":1: vitest: this runs before anything is installed",
  ],
  [
    "only apps/server names a concrete driver",
    "delivery/src/by.ts",
    'import type { D } from "@sampan/runtime-docker";',
    ":1: @sampan/runtime-docker is a concrete driver",
  ],
  [
    "delivery imports parts with `import type` only",
    "delivery/src/by.ts",
    'import { type Hold } from "@sampan/hold";',
    ":1: @sampan/hold is imported as a value",
  ],
  [
    "the clients import core only",
    "apps/cli/src/by.ts",
    'import "@sampan/hold";',
    ":1: apps/cli may not import parts/hold",
  ],
  [
    "core never reads a clock",
    "core/words/src/now.ts",
    "export const now = () => Date.now();",
    ":1: Date.now is not pure",
  ],
  [
    "core never reads a clock",
    "core/words/src/now.ts",
    "export const now = () => new Date();",
    ":1: Date without a time is not pure",
  ],
  [
    "core never reads a clock",
    "core/words/src/dice.ts",
    "export const dice = () => Math.random();",
    ":1: Math.random is not pure",
  ],
  [
    "core never reads a clock",
    "core/words/src/env.ts",
    "export const { HOME } = process.env;",
    ":1: process is not pure",
  ],
  [
    "core never reads a clock",
    "core/words/src/net.ts",
    'export const get = () => fetch("x");',
    ":1: fetch is not pure",
  ],
  ["core never reads a clock", "core/words/src/file.ts", 'import "node:fs";', ":1: node:fs is not pure"],
  [
    "only the command line, tools and journeys print",
    "delivery/src/say.ts",
    "console.log(1);",
    ":1: console.log prints",
  ],
  ["no test is skipped", "core/words/src/a.test.ts", 'test.skip("a", () => {});', ":1: test.skip"],
  ["no test is skipped", "core/words/src/a.test.ts", 'describe.only("a", () => {});', ":1: describe.only"],
  [
    "no test is skipped",
    "core/words/src/a.test.ts",
    'test.for([1]).skip("a", () => {});',
    ":1: test.for.skip",
  ],
  [
    "a door names what it exports",
    "core/words/src/all.ts",
    'export * from "./index.ts";',
    ":1: export * hides what is exported",
  ],
  ["a file has at most 400 lines", "core/words/src/long.ts", "here();\n".repeat(401), ":1: 401 lines"],
  ["a function has at most 60 lines", "core/words/src/long.ts", longFunction, ":1: 61 lines"],
  ["a file is in kebab-case", "core/words/src/PlanStore.ts", "", ": PlanStore.ts is not in kebab-case"],
  ["a file is in kebab-case", "core/words/src/plan-utils.ts", "", ": utils says nothing"],
  ["a file is in kebab-case", "core/words/src/common/plan.ts", "", ": common says nothing"],
  ["no Manager, Impl", "core/words/src/a.ts", "class StateManager {}", ":1: StateManager: say what it does"],
  [
    "no Manager, Impl",
    "core/words/src/a.ts",
    "interface IPlan {}",
    ":1: IPlan: an interface has the plain name",
  ],
  ["no comment says", "core/words/src/a.ts", "\n// TO" + "DO: later", ":2: TO" + "DO"],
  ["no comment says", "core/words/src/a.ts", "// @ts-ig" + "nore", ":1: @ts-ig" + "nore"],
  ["no host name", "docs/guide.md", "docker pull ghcr" + ".io/a/b", ":1: ghcr" + ".io"],
  ["no host name", "docs/guide.md", "cd /home" + "/ann/sampan", ":1: /home" + "/ann/"],
];

test.for(violations)("%s: found in %s", ([rule, path, text, finding]) => {
  const found = findingsIn({ [path]: text }).filter((line) => line.startsWith(rule));
  expect(found).toEqual([expect.stringContaining(`${path}${finding}`)]);
});

/** What looks like a violation and is none. */
const allowed: readonly (readonly [string, string, string])[] = [
  ["a child imports its parent", "parts/runtime/docker/src/a.ts", 'import "@sampan/runtime";'],
  ["delivery takes types from parts", "delivery/src/a.ts", 'import type { Hold } from "@sampan/hold";'],
  ["a test in delivery takes a real part", "delivery/src/a.test.ts", 'import { hold } from "@sampan/hold";'],
  ["the server names a driver", "apps/server/src/a.ts", 'import "@sampan/runtime-docker";'],
  ["a test imports what the root brings", "core/words/src/a.test.ts", 'import { test } from "vitest";'],
  [
    "core gets fetch passed in",
    "core/plan/src/a.ts",
    "export const get = (fetch: typeof globalThis.fetch) => fetch('x');",
  ],
  [
    "core makes a date of a given time",
    "core/plan/src/a.ts",
    "export const at = (ms: number) => new Date(ms);",
  ],
  [
    "a member has the name of a global",
    "core/plan/src/a.ts",
    "export const f = (a: { process: 1 }) => ({ process: a.process });",
  ],
  ["a text names a global", "core/plan/src/a.ts", 'export const f = "process.env and Date.now()";'],
  ["a long suite of short tests", "core/words/src/a.test.ts", suiteOf(100)],
  ["a function of sixty lines", "core/words/src/a.ts", longFunction.replace("  here();\n", "")],
  ["a name begins with I", "core/words/src/a.ts", "export interface Image {}\nexport class IdMap {}\n"],
];

test.for(allowed)("nothing is found when %s", ([, path, text]) => {
  expect(findingsIn({ [path]: text })).toEqual([]);
});

test("the workspace list has the floors in order", () => {
  const workspaces = Object.keys(ROOMS).reverse();
  expect(findingsIn({ "package.json": JSON.stringify({ workspaces }) }).join("\n")).toContain(
    "the floors are not in the order",
  );
});

test("every rule is broken by some planted violation", () => {
  const broken = (name: string) => violations.some(([rule]) => name.startsWith(rule));
  expect(RULES.map((rule) => rule.name).filter((name) => !broken(name))).toEqual([]);
});
