import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ProblemKind, ProblemTable } from "@sampan/problem";
import type { GeneratedFile, Generator } from "./generator.ts";

/** docs/reference/problems.md: every code that Sampan can show, from the tables of all rooms. */
export const problemsReference: Generator = {
  name: "problems reference",
  async generate({ root, workspaces }): Promise<readonly GeneratedFile[]> {
    const rooms: RoomProblems[] = [];
    for (const room of workspaces) {
      const path = join(root, room, "src", "problems.ts");
      if (existsSync(path)) rooms.push({ room, table: problemTableOf(await import(path)) });
    }
    return [{ path: "docs/reference/problems.md", text: renderReference(rooms) }];
  },
};

export interface RoomProblems {
  readonly room: string;
  readonly table: ProblemTable;
}

/** All tables that a `problems.ts` exports, as one. */
export function problemTableOf(module: Readonly<Record<string, unknown>>): ProblemTable {
  const tables = Object.values(module).filter(isProblemTable);
  return Object.assign({}, ...tables);
}

function isProblemTable(value: unknown): value is ProblemTable {
  if (typeof value !== "object" || value === null) return false;
  const rows = Object.values(value);
  return rows.length > 0 && rows.every(isProblemKind);
}

function isProblemKind(value: unknown): value is ProblemKind {
  return (
    typeof value === "object" && value !== null && "status" in value && "exit" in value && "doc" in value
  );
}

/** Rooms in the order of the floors, codes by name. A code in two rooms is refused: it could not be looked up. */
export function renderReference(rooms: readonly RoomProblems[]): string {
  const owners = new Map<string, string>();
  const sections = rooms.map(({ room, table }) => {
    const rows = Object.entries(table).sort(([left], [right]) => (left < right ? -1 : 1));
    for (const [code] of rows) {
      const owner = owners.get(code);
      if (owner !== undefined) throw new Error(`${code} stands in the tables of ${owner} and ${room}`);
      owners.set(code, room);
    }
    return [`## ${room}`, "", "| Code | HTTP | Exit | When, and what mends it |", "|---|---|---|---|"]
      .concat(
        rows.map(([code, kind]) => `| \`${code}\` | ${kind.status} | ${kind.exit} | ${cell(kind.doc)} |`),
      )
      .join("\n");
  });
  return `${[INTRODUCTION, ...sections].join("\n\n")}\n`;
}

function cell(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|");
}

const INTRODUCTION = `# Problems

Every problem that Sampan reports has one of these codes. They are stable: scripts may rely on them. The command line shows a
problem as three lines (what, why, fix) and ends with the exit code; the API answers with the HTTP status and
\`application/problem+json\`, where \`code\` is the code.

This page is generated from the \`problems.ts\` of each room: \`npm run generate\`.`;
