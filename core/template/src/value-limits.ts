import type { Path, PlacedFault } from "./faults.ts";

export const DEPTH_MAX = 64;
export const NODES_MAX = 200_000;

/**
 * Copies a value from outside (JSON) while checking what no schema can: depth, number of parts, forbidden keys and characters.
 * With faults that make the rest unreadable the value is undefined.
 */
export function copyWithinLimits(value: unknown): { value: unknown; faults: PlacedFault[] } {
  const faults: PlacedFault[] = [];
  let nodes = 0;
  let broken = false;

  const copy = (part: unknown, path: Path): unknown => {
    if (broken) return undefined;
    nodes += 1;
    if (nodes > NODES_MAX || path.length > DEPTH_MAX) {
      broken = true;
      faults.push({ path: path.slice(0, 8), message: limitMessage(path) });
      return undefined;
    }
    if (typeof part === "string") {
      const message = textFault(part);
      if (message !== undefined) faults.push({ path, message });
      return part;
    }
    if (Array.isArray(part)) return part.map((item, index) => copy(item, [...path, index]));
    if (typeof part !== "object" || part === null) return part;
    const result: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(part)) {
      const message = keyFault(key);
      if (message !== undefined) faults.push({ path: [...path, key], message });
      else if (item !== undefined) result[key] = copy(item, [...path, key]);
    }
    return result;
  };

  const copied = copy(value, []);
  return { value: broken ? undefined : copied, faults };
}

export function limitMessage(path: Path): string {
  return path.length > DEPTH_MAX
    ? `nested deeper than ${DEPTH_MAX} levels`
    : `more than ${NODES_MAX} values; an app is not that large`;
}

/** What is wrong with a text whatever it is used for: it could not be passed to a process, or not be written as UTF-8. */
export function textFault(text: string): string | undefined {
  if (text.includes("\0")) return "contains a NUL character, which no process can receive";
  return text.isWellFormed() ? undefined : "is not well-formed Unicode (half of a surrogate pair)";
}

export function keyFault(key: string): string | undefined {
  return key === "__proto__" ? "the key `__proto__` is not allowed" : textFault(key);
}
