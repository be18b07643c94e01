import type { AppBody } from "./app.ts";
import { alternatives, at, type Path, type PlacedFault } from "./faults.ts";
import { nearest } from "./nearest.ts";

/** An app under check: what was written, the part of it that is right in itself, and what was found. */
export interface Subject {
  /** As written: what exists is looked up here, so that a fault inside something does not make all that names it wrong too. */
  readonly written: unknown;
  readonly app: AppBody;
  /** Nothing was cut off: `app` is all that was written. */
  readonly isWhole: boolean;
  readonly faults: PlacedFault[];
  readonly warnings: PlacedFault[];
}

const SUGGESTIONS_MAX = 200;

/** The name that was meant. Not for ever more: comparing names takes time, and nobody reads that many faults. */
export function suggest({ faults }: Subject, word: string, names: Iterable<string>): string | undefined {
  return faults.length < SUGGESTIONS_MAX ? nearest(word, names) : undefined;
}

export function exists({ written }: Subject, path: Path): boolean {
  return at(written, path) !== undefined;
}

/** Names in a section such as `components`, as written. */
export function namesIn({ written }: Subject, path: Path): string[] {
  const section = at(written, path);
  return typeof section === "object" && section !== null ? Object.keys(section) : [];
}

/** Texts of a list as written, each with its index. */
export function listedIn({ written }: Subject, path: Path): [number, string][] {
  const list = at(written, path);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item, index): [number, string][] => (typeof item === "string" ? [[index, item]] : []));
}

/** Notes a fault at `path` unless `section` holds `name`. */
export function mustExist(
  subject: Subject,
  { path, noun, section, name }: { path: Path; noun: string; section: Path; name: unknown },
): boolean {
  if (typeof name !== "string" || exists(subject, [...section, name])) return true;
  const names = namesIn(subject, section);
  const word = suggest(subject, name, names);
  const few =
    names.length > 0 && names.length <= 5
      ? `; there ${names.length === 1 ? "is" : "are"} ${alternatives(names)}`
      : "";
  subject.faults.push({
    path,
    message: `there is no ${noun} \`${name}\`${word === undefined ? few.replace(" or ", " and ") : `, did you mean \`${word}\`?`}`,
  });
  return false;
}
