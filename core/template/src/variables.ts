/** A text of which parts stand for variables: `${NAME}`, and `$$` for a dollar sign. A dollar sign before anything else is itself. */
export type TextPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  /** `${` without an end, or with something inside that is no name. */
  | { readonly kind: "broken"; readonly text: string };

const PART = /\$\$|\$\{([^}\n]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

export function splitText(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(PART)) {
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    end = match.index + match[0].length;
    const name = match[1];
    if (name === undefined) parts.push({ kind: "text", text: "$" });
    else if (match[2] === "}" && NAME.test(name)) parts.push({ kind: "variable", name });
    else parts.push({ kind: "broken", text: match[0] });
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

/** Names of variables that a text refers to, in order, with repetitions. */
export function variablesIn(text: string): string[] {
  return splitText(text).flatMap((part) => (part.kind === "variable" ? [part.name] : []));
}

/** Characters that a text may have once its variables are replaced: references to references must not grow without end. */
export const EXPANDED_LENGTH_MAX = 4 * 1024 * 1024;

/** Replaces variables by their values; what is broken, or unknown to `lookUp`, becomes nothing. Undefined when it gets too long. */
export function expandText(
  text: string,
  lookUp: (name: string) => string | undefined,
  lengthMax = EXPANDED_LENGTH_MAX,
): string | undefined {
  let expanded = "";
  for (const part of splitText(text)) {
    if (part.kind === "text") expanded += part.text;
    else if (part.kind === "variable") expanded += lookUp(part.name) ?? "";
    if (expanded.length > lengthMax) return undefined;
  }
  return expanded;
}

/** Writes a text so that it stands for itself. */
export function quoteText(text: string): string {
  return text.replaceAll(/\$(?=[${])/g, "$$$$");
}
