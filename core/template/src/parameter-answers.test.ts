import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  type App,
  checkParameters,
  type Parameter,
  parameterForm,
  parseApp,
  selectModules,
} from "./index.ts";

const sample: App = parseApp(readFileSync(new URL("../testdata/sample-shop.yaml", import.meta.url), "utf8"))
  .value!;

/** A parameter, what was answered, and the value that comes of it; or a part of the fault. */
interface Row {
  readonly parameter: Parameter;
  readonly answer: unknown;
  readonly value: unknown;
  readonly fault: string | undefined;
}

const ROWS: readonly Row[] = rows([
  [{ type: "int" }, "8080", 8080],
  [{ type: "int" }, " -5 ", -5],
  [{ type: "int" }, 7, 7],
  [{ type: "int" }, "-0", 0],
  [{ type: "int" }, "", undefined],
  [{ type: "int", default: 3 }, "", 3],
  [{ type: "int" }, "8080x", undefined, "must be a whole number"],
  [{ type: "int" }, "1e3", undefined, "must be a whole number"],
  [{ type: "int" }, 1.5, undefined, "must be a whole number"],
  [{ type: "int" }, "9999999999999999", undefined, "must be a whole number"],
  [{ type: "int", min: 10 }, "9", undefined, "is 9; at least 10"],
  [{ type: "int", max: 10 }, 11, undefined, "is 11; at most 10"],
  [{ type: "bool" }, "yes", true],
  [{ type: "bool" }, "OFF", false],
  [{ type: "bool" }, false, false],
  [{ type: "bool" }, "maybe", undefined, "must be true or false"],
  [{ type: "bool", default: true }, undefined, true],
  [{ type: "enum", options: ["a", "b"] }, "b", "b"],
  [{ type: "enum", options: ["a", "b"] }, "c", undefined, "must be one of a, b"],
  [{ type: "string" }, "", ""],
  [{ type: "string", minLength: 3, pattern: "x+" }, "", ""],
  [{ type: "string", required: true }, "", undefined, "must be given"],
  [{ type: "string", required: true, default: "d" }, undefined, "d"],
  [{ type: "string", minLength: 3 }, "ab", undefined, "at least 3"],
  [{ type: "string", maxLength: 3 }, "abcd", undefined, "at most 3"],
  [{ type: "string" }, "x".repeat(4097), undefined, "at most 4096"],
  [{ type: "string", pattern: "a|bc" }, "bc", "bc"],
  [{ type: "string", pattern: "a|bc" }, "abc", undefined, "must match a|bc"],
  [{ type: "string" }, "a\0", undefined, "no process can receive"],
  [{ type: "string" }, 5, undefined, "must be text"],
  [{ type: "string", title: "Mail", required: true }, null, undefined, "Mail must be given"],
  [{ type: "password", minLength: 8 }, "hunter2", undefined, "7 characters"],
  [{ type: "password", minLength: 8 }, "correct horse", "correct horse"],
  [{ type: "size" }, "2GiB", "2GiB"],
  [{ type: "size" }, "2GB", undefined, "such as 128MiB"],
  [{ type: "size", min: "1GiB" }, "1023MiB", undefined, "at least 1GiB"],
  [{ type: "size", max: "1GiB" }, "1025MiB", undefined, "at most 1GiB"],
]);

function rows(list: readonly (readonly [Parameter, unknown, unknown, string?])[]): Row[] {
  return list.map(([parameter, answer, value, fault]) => ({ parameter, answer, value, fault }));
}

test.each(ROWS)("$parameter answered with $answer gives $value", ({ parameter, answer, value, fault }) => {
  const { values, faults } = checkParameters({ p: parameter }, answer === undefined ? {} : { p: answer });
  expect(values.p).toBe(value);
  expect(faults).toEqual(
    fault === undefined ? [] : [{ path: "parameters.p", message: expect.stringContaining(fault) }],
  );
});

test("a password is in no fault", () => {
  const { faults } = checkParameters({ p: { type: "password", minLength: 20 } }, { p: "hunter2hunter2" });
  expect(JSON.stringify(faults)).not.toContain("hunter2");
});

test("an answer to nothing is a fault, with the name that was meant", () => {
  const { faults } = checkParameters({ web_port: { type: "int" } }, { web_prot: "1", constructor: "x" });
  expect(faults.map(({ message }) => message)).toEqual([
    "there is no parameter `web_prot`, did you mean `web_port`?",
    "there is no parameter `constructor`",
  ]);
});

test("values that were checked are right when they are checked again", () => {
  const first = checkParameters(sample.parameters!, {
    mail_from: "a@b",
    mail_password: "12345678",
    debug: "on",
  });
  expect(first.faults).toEqual([]);
  expect(checkParameters(sample.parameters!, first.values)).toEqual(first);
});

test("only what is on is asked, and only what is asked is required", () => {
  const names = (on: readonly string[]) =>
    parameterForm(sample, selectModules(sample, { on, off: [] }).components).groups.map(
      ({ title, fields }) => [title, ...fields.map(({ name }) => name)],
    );
  expect(names([])).toEqual([
    [undefined, "theme", "debug", "cache_size"],
    ["Network", "web_port"],
  ]);
  expect(names(["mail"])).toContainEqual(["Mail", "mail_from", "mail_password"]);
  expect(checkParameters(sample.parameters!, {}, { asked: ["theme"] }).faults).toEqual([]);
  expect(checkParameters(sample.parameters!, {}).faults).toHaveLength(1);
});

test("a field of the form holds its rules", () => {
  const { groups } = parameterForm(sample, ["web"]);
  expect(groups[1]?.fields[0]).toEqual({
    name: "web_port",
    type: "int",
    title: "Port of the shop",
    required: false,
    default: 8080,
    min: 1024,
    max: 65535,
  });
});
