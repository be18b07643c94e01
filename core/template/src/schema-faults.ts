import type { z } from "zod";
import { at, type Path, type PathKey, type PlacedFault } from "./faults.ts";
import { IssueWords } from "./issue-words.ts";

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

const ROUNDS_MAX = 70;

export interface Checked {
  readonly faults: PlacedFault[];
  /** The value without what is at fault, so that the rest can be checked too; undefined when nothing of it could be used. */
  readonly remainder: unknown;
}

/** Checks a value against a schema and says what is wrong in words. The value must be a private copy: parts at fault are cut off. */
export function checkSchema(schema: Schema & z.ZodType, value: unknown): Checked {
  let result = schema.safeParse(value);
  if (result.success) return { faults: [], remainder: result.data };
  const words = new IssueWords(schema, value);
  const faults = words.faults(result.error.issues);
  // Cutting can leave a mapping without what it must have; then that is cut in the next round. Depth bounds the rounds.
  let remainder: unknown = structuredClone(value);
  for (let round = 0; round < ROUNDS_MAX && !result.success; round++) {
    if (!cutAll(remainder, result.error.issues.flatMap(pathsAtFault))) break;
    result = schema.safeParse(remainder);
  }
  if (result.success) remainder = result.data;
  return { faults, remainder: result.success ? remainder : undefined };
}

function pathsAtFault(issue: Issue): Path[] {
  const path = issue.path as PathKey[];
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
}

/** Cuts all paths, later list items first, so that the indices of earlier ones stay right. */
function cutAll(root: unknown, paths: readonly Path[]): boolean {
  const texts = new Map(paths.map((path) => [JSON.stringify(path), path]));
  return [...texts.values()].sort(laterFirst).every((path) => cut(root, path));
}

function laterFirst(a: Path, b: Path): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [left, right] = [a[index], b[index]];
    if (typeof left === "number" && typeof right === "number" && left !== right) return right - left;
  }
  return b.length - a.length;
}

/** Removes what is at the path; where nothing is there, what should have held it. False when that is the whole. */
function cut(root: unknown, path: Path): boolean {
  const key = path.at(-1);
  if (key === undefined) return false;
  const parent = at(root, path.slice(0, -1));
  if (typeof parent !== "object" || parent === null) return true;
  if (!Object.hasOwn(parent, key)) return cut(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete (parent as Record<PathKey, unknown>)[key];
  return true;
}
