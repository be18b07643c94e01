import { expect, test } from "vitest";
import { commandsBelow, examplesOf } from "./command-options.ts";
import { cliReference, programWithoutOutside } from "./reference.ts";

test.for(["en", "zh"] as const)("the reference (%s) has every command, option and example", (language) => {
  const text = cliReference(language);
  for (const command of commandsBelow(programWithoutOutside())) {
    for (const { flags } of command.options) expect(text).toContain(`| \`${flags.replace("|", "\\|")}\``);
    for (const example of examplesOf(command)) expect(text).toContain(`\n${example}\n`);
  }
  expect(text).toMatch(/^# .*\n\n\[.*\]\(.*\)/);
  expect(cliReference(language)).toBe(text);
});
