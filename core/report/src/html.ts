/** Text of HTML in which every value was escaped. Only `html` makes it. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Values that are plain strings are escaped; what is HTML already is taken as it is. */
export function html(
  pieces: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const text = pieces.map((piece, at) => (at === 0 ? piece : `${render(values[at - 1] ?? "")}${piece}`));
  return new Html(text.join(""));
}

function render(value: string | Html | readonly Html[]): string {
  if (typeof value === "string") return escapeText(value);
  return value instanceof Html ? value.toString() : value.join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ESCAPES[sign] ?? "");
}
