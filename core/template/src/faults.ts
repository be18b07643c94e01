import type { Fault } from "@sampan/problem";

export type PathKey = string | number;
export type Path = readonly PathKey[];

/** A fault before its path is written with dots and its line is known. */
export interface PlacedFault {
  readonly path: Path;
  readonly message: string;
  /** Where it is known without a path: faults of spelling. */
  readonly line?: number;
}

/** 1-based line of what stands at a path, or of the nearest thing around it; undefined for values that came without text. */
export type Locate = (path: Path) => number | undefined;

const FAULTS_MAX = 1000;

/** Writes paths with dots, adds lines, drops repetitions, and sorts by line; faults of one line stay in order. */
export function finishFaults(placed: readonly PlacedFault[], locate: Locate): Fault[] {
  const seen = new Set<string>();
  const faults: Fault[] = [];
  for (const { path, message, line: ownLine } of placed) {
    const dotted = path.join(".");
    const line = ownLine ?? locate(path);
    const key = JSON.stringify([dotted, message, line]);
    if (seen.has(key)) continue;
    seen.add(key);
    faults.push(line === undefined ? { path: dotted, message } : { path: dotted, line, message });
  }
  faults.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const more = faults.length - FAULTS_MAX;
  return more <= 0
    ? faults
    : [...faults.slice(0, FAULTS_MAX), { path: "", message: `and ${more} more faults` }];
}

/** Own property of a record whose keys outsiders chose: `constructor` is a fine component name. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Names in order, as people write them: `a`, `b` or `c`. */
export function alternatives(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``);
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}

/** What stands at a path of a value that may have any form; undefined when nothing does. */
export function at(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PathKey, unknown>)[key];
  }
  return value;
}
