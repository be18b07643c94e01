import { Bug } from "@sampan/problem";

/**
 * The one text of a JSON value, whose SHA-256 (of its UTF-8 bytes) identifies it: keys sorted by UTF-16 code units, no spaces, strings
 * and numbers as JSON.stringify writes them (RFC 8785). Keys with undefined are left out. What has no exact text is a bug of the
 * caller: numbers that are not finite, integers beyond 2^53 - 1, half surrogate pairs, anything that is not JSON.
 */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case "string":
      if (PLAIN.test(value)) return `"${value}"`;
      if (!value.isWellFormed()) throw new Bug("canonical text of a string that is not well-formed Unicode");
      return JSON.stringify(value);
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
        throw new Bug(`canonical text of the number ${value}, which has no exact one`);
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : canonicalCollection(value);
    default:
      throw new Bug(`canonical text of a ${typeof value}`);
  }
}

/** ASCII in which JSON escapes nothing: most texts, and no call is needed for them. */
const PLAIN = /^[ !#-[\]-~]*$/;

function canonicalCollection(value: object): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new Bug("canonical text of something that is not plain data");
  let members = "";
  for (const key of sortKeys(Object.keys(value))) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${canonicalText(key)}:${canonicalText(member)}`;
  }
  return `{${members}}`;
}

/** By UTF-16 code units, as texts compare. Most objects are small, and half sorted already: those are sorted in place. */
function sortKeys(keys: string[]): readonly string[] {
  if (keys.length > SMALL) return keys.sort();
  for (let end = 1; end < keys.length; end += 1) {
    const key = keys[end] as string;
    let at = end;
    for (; at > 0 && key < (keys[at - 1] as string); at -= 1) keys[at] = keys[at - 1] as string;
    keys[at] = key;
  }
  return keys;
}

const SMALL = 24;
