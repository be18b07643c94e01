import { join } from "node:path";
import { expect, test } from "vitest";
import { readRepository } from "./tidy/repository.ts";
import { renderFinding } from "./tidy/rule.ts";
import { RULES } from "./tidy/rules.ts";

const repository = readRepository(join(import.meta.dirname, ".."));

test.for(RULES.map((rule) => [rule.name, rule] as const))("%s", ([, rule]) => {
  expect(rule.check(repository).map(renderFinding), rule.why).toEqual([]);
});
