import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import type { Outside } from "./command-context.ts";
import { CommandContext } from "./command-context.ts";
import { makeProgram } from "./program.ts";
import { renderCompletion } from "./render-completion.ts";

const program = makeProgram(new CommandContext({ terminal: { columns: 100 } } as Outside));

/** What bash offers for the last word of a line. */
function complete(...words: readonly string[]): string[] {
  const line = ["sampan", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${renderCompletion(program, "bash")}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _sampan; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p sampan >&2`;
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  expect([status, stderr.trim()]).toEqual([0, "complete -o default -F _sampan sampan"]);
  return stdout.trim().split("\n");
}

test.for([
  [["exp"], ["export"]],
  [["in"], ["install", "installation"]],
  [
    ["app", "s"],
    ["show", "start", "stop"],
  ],
  [["--server", "http://x", "app", "t"], ["text"]],
  [["--json", "component", "l"], ["logs"]],
  [["upgrade", "shop", "--pl"], ["--plan"]],
  [["upgrade", "--to", "app", "--ke"], ["--keep"]],
  [["component", "logs", "-f", "shop", "--ta"], ["--tail"]],
  [["apply", "-f", "app", "--na"], ["--name"]],
  [
    ["import", "x.sampan", "--scope", ""],
    ["team", "enterprise"],
  ],
  [["team", "member", "ada", "dev"], ["developer"]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["bundle", "verify", "--js"], ["--json"]],
  [["import", ""], [""]],
  [["component", "exec", "shop", "web", "--", "-"], [""]],
] as const)("bash completes %j with %j", ([words, offered]) => {
  expect(complete(...words)).toEqual(offered);
});
