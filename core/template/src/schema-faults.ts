import type { z } from "zod";
import { at, type Path, type PathKey, type PlacedFault } from "./faults.ts";
import { IssueWords } from "./issue-words.ts";

type Issue = z.core.$ZodIssue;

const ROUNDS_MAX = 70;

export interface Checked<T> {
  readonly faults: PlacedFault[];
  /** There when nothing is at fault. */
  readonly value?: T;
  /** What is right in itself, so that the rest can be checked too. */
  readonly remainder: Partial<T>;
}

/** Checks a value against a schema and says what is wrong in words. Parts at fault are cut off a copy of the value. */
export function checkSchema<S extends z.ZodObject>(schema: S, value: unknown): Checked<z.output<S>> {
  const whole = schema.safeParse(value);
  if (whole.success) return { faults: [], value: whole.data, remainder: whole.data };
  const faults = new IssueWords(schema, value).faults(whole.error.issues);
  const remainder: unknown = structuredClone(value);
  const parts = schema.partial();
  // Cutting can leave a mapping without what it must have; then that is cut in the next round. Depth bounds the rounds.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const result = parts.safeParse(remainder);
    if (result.success) return { faults, remainder: result.data as Partial<z.output<S>> };
    if (!cutAll(remainder, result.error.issues.flatMap(pathsAtFault))) break;
  }
  return { faults, remainder: {} };
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
