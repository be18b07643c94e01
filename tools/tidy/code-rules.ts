import { isBuiltin } from "node:module";
import { isPureRoom } from "./import-rules.ts";
import { type Rule, sourceRule } from "./rule.ts";
import { childrenOf, lineAt, type Node, type SourceFile, walk } from "./source-file.ts";

/** What the code itself may not say. */

const FUNCTION_LINES_MAX = 60;
const FILE_LINES_MAX = 400;

/** What leads out of a pure room: to the clock, to chance, to the outside. */
const OUTSIDE = new Set([
  "Buffer",
  "crypto",
  "document",
  "fetch",
  "globalThis",
  "localStorage",
  "navigator",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "window",
  "XMLHttpRequest",
  "WebSocket",
]);

const coreIsPure = sourceRule(
  {
    name: "core never reads a clock, a file, the network, or randomness",
    why: "What it decides can then be tested in a table, shown before it is done, and run in the browser.",
  },
  (source, report) => {
    if (!isPureRoom(source)) return;
    for (const { specifier, start } of source.imports)
      if (isBuiltin(specifier)) report(start, `${specifier} is not pure`);
    const own = declaredNames(source);
    walk(source.program, (node, parent) => {
      if (isTypeOnly(node)) return false;
      const outside = outsideName(node, parent);
      if (outside !== undefined && !own.has(outside.split(/[. (]/)[0] ?? ""))
        report(node.start, `${outside} is not pure`);
      return true;
    });
  },
);

/** What vanishes when types are stripped may name anything. */
function isTypeOnly(node: Node): boolean {
  return /^TS(TypeAnnotation|TypeQuery|InterfaceDeclaration|TypeAliasDeclaration|TypeParameterInstantiation)$/.test(
    node.type,
  );
}

/** The free name that reaches outside, judged by a node and the one around it. */
function outsideName(node: Node, parent: Node | undefined): string | undefined {
  if (node.type === "MemberExpression") {
    const path = memberPath(node);
    return path === "Math.random" || path === "Date.now" ? path : undefined;
  }
  if (node.type === "NewExpression" && nameOf(node.callee) === "Date" && listOf(node.arguments).length === 0)
    return "Date without a time";
  const isName = node.type === "Identifier" && OUTSIDE.has(String(node.name));
  return isName && !isLabelOf(node, parent) ? String(node.name) : undefined;
}

/** Whether a name only labels something: a property, a key, a member of a type. */
function isLabelOf(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined || parent.computed === true) return false;
  if (parent.type === "MemberExpression") return parent.property === node;
  return "key" in parent && parent.key === node && parent.shorthand !== true;
}

const consoleIsForPeople = sourceRule(
  {
    name: "only the command line, tools and journeys print",
    why: "The server logs through its logger, which knows levels and what is secret.",
  },
  (source, report) => {
    if (source.isTest || ["apps/cli", "tools", "journeys"].includes(source.room.path)) return;
    walk(source.program, (node) => {
      if (node.type === "MemberExpression" && nameOf(node.object) === "console")
        report(node.start, `${memberPath(node)} prints`);
    });
  },
);

const noTestIsSkipped = sourceRule(
  {
    name: "no test is skipped, singled out or left for later",
    why: "A test that does not run proves nothing and is believed all the same.",
  },
  (source, report) => {
    if (!source.isTest) return;
    walk(source.program, (node) => {
      const path = node.type === "MemberExpression" ? memberPath(node) : "";
      if (/^(test|it|describe|suite)\b.*\.(skip|only|todo|skipIf|runIf|fails)$/.test(path))
        report(node.start, path);
    });
  },
);

const noExportAll = sourceRule(
  {
    name: "a door names what it exports",
    why: "`export *` makes promises that nobody decided on.",
  },
  (source, report) => {
    walk(source.program, (node) => {
      if (node.type === "ExportAllDeclaration") report(node.start, "export * hides what is exported");
      return node.type === "Program";
    });
  },
);

const filesAreShort = sourceRule(
  {
    name: `a file has at most ${FILE_LINES_MAX} lines`,
    why: "A longer one holds two concepts, and the second is not found.",
  },
  (source, report) => {
    const lines = source.text.trimEnd().split("\n").length;
    if (lines > FILE_LINES_MAX) report(0, `${lines} lines`);
  },
);

const functionsAreShort = sourceRule(
  {
    name: `a function has at most ${FUNCTION_LINES_MAX} lines`,
    why: "It is read in one screen, or it is not read. Suites (describe, and what only holds tests) are lists and do not count.",
  },
  (source, report) => {
    walk(source.program, (node) => {
      if (!isFunction(node) || holdsTests(node)) return;
      const lines = lineAt(source.text, node.end) - lineAt(source.text, node.start) + 1;
      if (lines > FUNCTION_LINES_MAX) report(node.start, `${lines} lines`);
    });
  },
);

function isFunction(node: Node): boolean {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}

/** Whether tests or suites are registered directly in a function's body. */
function holdsTests(func: Node): boolean {
  let found = false;
  walk(func, (node) => {
    if (node !== func && isFunction(node)) return false;
    if (node.type === "CallExpression" && /^(test|it|describe)\b/.test(memberPath(node.callee))) found = true;
    return !found;
  });
  return found;
}

/** Every name that a source declares: bindings of any scope, functions, classes, types, imports. */
export function declaredNames(source: SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const addPattern = (value: unknown): void => {
    const pattern = value as Node | null | undefined;
    if (!pattern) return;
    if (pattern.type === "Identifier") names.add(String(pattern.name));
    else if (pattern.type === "Property") addPattern(pattern.value);
    else if (pattern.type === "AssignmentPattern") addPattern(pattern.left);
    else for (const child of childrenOf(pattern)) addPattern(child);
  };
  walk(source.program, (node) => {
    if (node.type === "VariableDeclarator" || isDeclaration(node)) addPattern(node.id);
    if (isFunction(node)) for (const parameter of listOf(node.params)) addPattern(parameter);
    if (node.type.startsWith("Import") && "local" in node) addPattern(node.local);
    if (node.type === "CatchClause") addPattern(node.param);
  });
  return names;
}

export function isDeclaration(node: Node): boolean {
  return /^(Function|Class|TSInterface|TSTypeAlias|TSEnum)(Declaration|Expression)$/.test(node.type);
}

/** `a.b.c` of a chain of members and calls; unnamed parts are `?`. */
function memberPath(value: unknown): string {
  const node = value as Node;
  if (node.type === "Identifier") return String(node.name);
  if (node.type === "MemberExpression")
    return `${memberPath(node.object)}.${node.computed === true ? "?" : memberPath(node.property)}`;
  if (node.type === "CallExpression") return memberPath(node.callee);
  return "?";
}

function nameOf(value: unknown): string | undefined {
  const node = value as Node | undefined;
  return node?.type === "Identifier" ? String(node.name) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return [];
}

export const CODE_RULES: readonly Rule[] = [
  coreIsPure,
  consoleIsForPeople,
  noTestIsSkipped,
  noExportAll,
  filesAreShort,
  functionsAreShort,
];
