/** Whether two plain values (what JSON can hold, and undefined) are equal, whatever the order of keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, at) => sameValue(item, b[at]))
    );
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys)
    if (
      !Object.hasOwn(b, key) ||
      !sameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
    )
      return false;
  return true;
}

/** Whether both are pinned images with one id, whatever they are called. */
export function isSameImage(a: unknown, b: unknown): boolean {
  return isPinned(a) && isPinned(b) && a.id === b.id;
}

function isPinned(value: unknown): value is { readonly id: string; readonly name: string } {
  return typeof value === "object" && value !== null && "id" in value && "name" in value;
}
