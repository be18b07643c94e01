import type { AppBody, ParameterValue } from "@sampan/template";
import { describe, expect, test } from "vitest";
import {
  type AnswerChangesInput,
  type Answered,
  answerChanges,
  changeHints,
  renderChanges,
} from "./index.ts";

const spec: Pick<AppBody, "parameters" | "modules"> = {
  parameters: {
    domain: { type: "string", default: "shop.local" },
    size: { type: "size", default: "1GiB" },
    tls: { type: "bool" },
    workers: { type: "int" },
    admin: { type: "password" },
  },
  modules: { search: { components: ["search"], default: false }, mail: { components: ["mail"] } },
};

function answered(
  parameters: Readonly<Record<string, ParameterValue>>,
  modules: Readonly<Record<string, boolean>> = {},
): Answered {
  return { spec, parameters, modules };
}

function check(input: Omit<AnswerChangesInput, "by"> & { readonly by?: "returned" }): readonly string[] {
  return answerChanges({ by: "answered", ...input }).map((one) => {
    const values = [one.before, one.after].map((value) => JSON.stringify(value) ?? "none").join(" to ");
    return `${one.action} ${one.path}: ${values} (${one.why}${one.decided ? ", decided" : ""})`;
  });
}

const MASKED = '{"secret":"••••••"}';

const ROWS: readonly [string, Parameters<typeof check>[0], readonly string[]][] = [
  ["nothing", { before: answered({ domain: "a" }), after: answered({ domain: "a" }) }, []],
  [
    "another answer",
    { before: answered({ domain: "a", tls: true }), after: answered({ domain: "b", tls: false }) },
    [
      'change parameters.domain.answer: "a" to "b" (answered for this change, decided)',
      "change parameters.tls.answer: true to false (answered for this change, decided)",
    ],
  ],
  [
    "answers at a first install, but for defaults",
    { after: answered({ domain: "shop.local", size: "2GiB", workers: 0 }, { search: true, mail: true }) },
    [
      'add parameters.size.answer: none to "2GiB" (answered for this change, decided)',
      "add parameters.workers.answer: none to 0 (answered for this change, decided)",
      "add modules.search.on: none to true (turned on, decided)",
    ],
  ],
  [
    "another answer that happens to be the default",
    { before: answered({ domain: "a" }), after: answered({ domain: "shop.local" }) },
    ['change parameters.domain.answer: "a" to "shop.local" (answered for this change, decided)'],
  ],
  [
    "a password, masked on both sides",
    { before: answered({ admin: "old-secret" }), after: answered({ admin: "new-secret" }) },
    [`change parameters.admin.answer: ${MASKED} to ${MASKED} (answered for this change, decided)`],
  ],
  [
    "what returns",
    { by: "returned", before: answered({ domain: "b", tls: true }), after: answered({ domain: "a" }) },
    [
      'change parameters.domain.answer: "b" to "a" (back to what it was)',
      "remove parameters.tls.answer: true to none (there was no answer then)",
    ],
  ],
  [
    "an answer to what is no question any more, as if it were a password",
    { by: "returned", before: answered({ gone: "hunter2" }), after: answered({}) },
    [`remove parameters.gone.answer: ${MASKED} to none (there was no answer then)`],
  ],
  [
    "what was a password and is none any more, masked",
    {
      before: { ...answered({ domain: "hunter2" }), spec: { parameters: { domain: { type: "password" } } } },
      after: answered({ domain: "shop.example" }),
    },
    [`change parameters.domain.answer: ${MASKED} to ${MASKED} (answered for this change, decided)`],
  ],
  [
    "modules turned on and off",
    {
      before: answered({}, { search: false, mail: true }),
      after: answered({}, { search: true, mail: false }),
      pulledIn: [{ name: "mail", because: "never" }],
    },
    [
      "change modules.search.on: false to true (turned on, decided)",
      "change modules.mail.on: true to false (turned off; data always stays, decided)",
    ],
  ],
  [
    "a module that another one requires",
    {
      before: answered({}, { search: false }),
      after: answered({}, { search: true }),
      pulledIn: [{ name: "search", because: "module `shop` requires it" }],
    },
    ["change modules.search.on: false to true (module `shop` requires it)"],
  ],
  [
    "modules that return",
    { by: "returned", before: answered({}, { search: true }), after: answered({}, { search: false }) },
    ["change modules.search.on: true to false (back to what it was)"],
  ],
  [
    "a name that every object has",
    { before: answered({}), after: answered({ constructor: "x" }, { toString: true }) },
    [`add parameters.constructor.answer: none to ${MASKED} (answered for this change, decided)`],
  ],
];

describe("changes of answers", () => {
  test.each(ROWS)("%s", (_, input, rows) => {
    expect(check(input)).toEqual(rows);
  });

  const changes = answerChanges({
    by: "answered",
    before: answered({ domain: "a", admin: "old-secret" }, { search: false }),
    after: answered({ domain: "b", admin: "new-secret" }, { search: true }),
  });

  test("are shown with all others, of the app as a whole, and give no component a reason", () => {
    expect(renderChanges(changes)).toMatchInlineSnapshot(`
      "app
        ~ parameter domain answer  a → b            answered for this change
        ~ parameter admin answer   •••••• → ••••••  answered for this change
        ~ module search on         no → yes         turned on
      "
    `);
    expect(changeHints(changes)).toEqual({});
  });

  test("never hold a password", () => {
    expect(JSON.stringify(changes)).not.toMatch(/(old|new)-secret/);
  });
});
