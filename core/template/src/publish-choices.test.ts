// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the values under test hold such references.
import { expect, test } from "vitest";
import {
  type AppBody,
  applyPublishChoices,
  type EnvValue,
  type Parameter,
  type PublishChoice,
} from "./index.ts";

const MODE: Parameter = { type: "enum", options: ["a", "b"] };

function appWith(value: EnvValue, parameters?: Record<string, Parameter>): AppBody {
  const components = { web: { kind: "stateless" as const, image: "x", env: { MODE: value } } };
  return parameters === undefined ? { components } : { components, parameters };
}

interface Row {
  readonly what: string;
  readonly value: EnvValue;
  readonly choice: PublishChoice;
  readonly parameters?: Record<string, Parameter>;
  readonly becomes: EnvValue;
  readonly asked?: Record<string, Parameter>;
  readonly fault?: string;
}

const ROWS: readonly Row[] = [
  { what: "fixed as it is", value: "a", choice: { kind: "fixed" }, becomes: "a" },
  {
    what: "fixed to something else",
    value: { secret: "x" },
    choice: { kind: "fixed", value: "b" },
    becomes: "b",
  },
  { what: "random", value: "a", choice: { kind: "random" }, becomes: { generate: {} } },
  {
    what: "random by a rule",
    value: "a",
    choice: { kind: "random", length: 40, alphabet: "hex" },
    becomes: { generate: { length: 40, alphabet: "hex" } },
  },
  {
    what: "asked, with the value as default",
    value: "costs $$5",
    choice: { kind: "ask" },
    becomes: { parameter: "web_mode" },
    asked: { web_mode: { type: "string", title: "MODE", default: "costs $5" } },
  },
  {
    what: "asked, without a secret as default",
    value: { secret: "hunter2" },
    choice: { kind: "ask", parameter: "pass" },
    becomes: { parameter: "pass" },
    asked: { pass: { type: "password", title: "MODE", required: true } },
  },
  {
    what: "asked as the publisher says",
    value: "a",
    choice: { kind: "ask", parameter: "mode", definition: MODE },
    becomes: { parameter: "mode" },
    asked: { mode: MODE },
  },
  {
    what: "asked already",
    value: { parameter: "mode" },
    choice: { kind: "ask" },
    parameters: { mode: MODE },
    becomes: { parameter: "mode" },
    asked: { mode: MODE },
  },
  {
    what: "asked by a parameter that exists",
    value: "a",
    choice: { kind: "ask", parameter: "mode" },
    parameters: { mode: MODE },
    becomes: { parameter: "mode" },
    asked: { mode: MODE },
  },
  {
    what: "asked by a name that is taken",
    value: "a",
    choice: { kind: "ask", parameter: "mode", definition: { type: "int" } },
    parameters: { mode: MODE },
    becomes: "a",
    asked: { mode: MODE },
    fault: "exists already",
  },
  {
    what: "made of other variables",
    value: "x${HOST}",
    choice: { kind: "ask" },
    becomes: "x${HOST}",
    fault: "made of other variables",
  },
];

test.each(ROWS)("a value that is to be $what", ({ value, choice, parameters, becomes, asked, fault }) => {
  const { app, faults } = applyPublishChoices(appWith(value, parameters), { web: { env: { MODE: choice } } });
  expect(app.components.web?.env?.MODE).toEqual(becomes);
  expect(app.parameters).toEqual(asked);
  const wanted = { path: "components.web.env.MODE", message: expect.stringContaining(fault ?? "") };
  expect(faults).toEqual(fault === undefined ? [] : [wanted]);
});

test("choices for what is not there are faults", () => {
  const { faults } = applyPublishChoices(appWith("a"), { web: { env: { NO: { kind: "random" } } }, wbe: {} });
  expect(faults.map(({ path }) => path)).toEqual(["components.web.env.NO", "components.wbe"]);
});
