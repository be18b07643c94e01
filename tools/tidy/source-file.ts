import { parseSync, visitorKeys } from "oxc-parser";
import type { Repository, Room } from "./repository.ts";
import { roomOfFile } from "./repository.ts";

/** A parsed source of a room. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly room: Room;
  /** Tests, and the suites and journeys that run like them. */
  readonly isTest: boolean;
  readonly program: Node;
  readonly imports: readonly ImportUse[];
  readonly comments: readonly { readonly text: string; readonly start: number }[];
}

export interface ImportUse {
  readonly specifier: string;
  /** The whole statement vanishes when types are stripped: `import type`, `export type`, a type's `import()`. */
  readonly typeOnly: boolean;
  readonly start: number;
}

/** A node of the syntax tree (ESTree with TypeScript), as far as tidy looks into it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const SOURCES = /\.(ts|tsx|mjs)$/;
const TESTS =
  /\.(test|journey)\.tsx?$|(^|\/)(test-[a-z-]+|arbitrary|[a-z-]*conformance[a-z-]*)\.ts$|\/(testing|test)\//;

const parsed = new WeakMap<Repository, readonly SourceFile[]>();

/** The sources of all rooms, parsed once per repository. */
export function sourcesOf(repository: Repository): readonly SourceFile[] {
  const known = parsed.get(repository);
  if (known !== undefined) return known;
  const sources = [...repository.texts].flatMap(([path, text]) => {
    const room = roomOfFile(repository, path);
    return room === undefined || !SOURCES.test(path) || path.endsWith(".gen.ts")
      ? []
      : [parse(path, text, room)];
  });
  parsed.set(repository, sources);
  return sources;
}

function parse(path: string, text: string, room: Room): SourceFile {
  const result = parseSync(path, text);
  const [error] = result.errors;
  if (error !== undefined) throw new Error(`${path} does not parse: ${error.message}`);
  const program = result.program as unknown as Node;
  const statements = [...result.module.staticImports, ...result.module.staticExports].flatMap((statement) => {
    const request =
      "moduleRequest" in statement ? statement.moduleRequest : statement.entries[0]?.moduleRequest;
    if (!request) return [];
    const typeOnly = /^(import|export)\s+type\b/.test(text.slice(statement.start, statement.end));
    return [{ specifier: request.value, typeOnly, start: statement.start }];
  });
  const dynamic = result.module.dynamicImports.flatMap(({ moduleRequest, start }) => {
    const literal = /^(["'])(.*)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end));
    return literal?.[2] === undefined ? [] : [{ specifier: literal[2], typeOnly: false, start }];
  });
  return {
    path,
    text,
    room,
    isTest: TESTS.test(path),
    program,
    imports: [...statements, ...dynamic, ...typeImports(program)],
    comments: result.comments.map((comment) => ({ text: comment.value, start: comment.start })),
  };
}

function typeImports(program: Node): ImportUse[] {
  const found: ImportUse[] = [];
  walk(program, (node) => {
    if (node.type !== "TSImportType") return;
    const source = node.source as { readonly value?: unknown } | undefined;
    if (typeof source?.value === "string")
      found.push({ specifier: source.value, typeOnly: true, start: node.start });
  });
  return found;
}

/** Visits every node below `root`, outer before inner. `visit` answers false to stay out of a node. */
export function walk(root: Node, visit: (node: Node, parent: Node | undefined) => boolean | undefined): void {
  const step = (node: Node, parent: Node | undefined): void => {
    if (visit(node, parent) === false) return;
    for (const child of childrenOf(node)) step(child, node);
  };
  step(root, undefined);
}

export function childrenOf(node: Node): readonly Node[] {
  const keys: readonly string[] = visitorKeys[node.type as keyof typeof visitorKeys] ?? [];
  return keys.flatMap((key) => node[key]).filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** 1-based. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}
