import { type Change, COMPONENT } from "./change.ts";
import { diffLines } from "./diff-lines.ts";

const SIGN: Readonly<Record<Change["action"], string>> = { add: "+", change: "~", remove: "-", keep: "=" };
const VALUE_LENGTH_MAX = 60;

/** Changes as text: what happens by component, with values, reasons, and file text line by line. Ends with a line end. */
export function renderChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return "no change\n";
  const groups = Map.groupBy(changes, (change) => change.component ?? "app");
  const lines: string[] = [];
  for (const [name, members] of groups) {
    lines.push(name);
    const rows = members.map((change) => [change.what, valuesOf(change)] as const);
    const width = Math.max(...rows.map(([what]) => what.length));
    const valueWidth = Math.max(...rows.map(([, values]) => values.length));
    for (const [at, change] of members.entries()) {
      const [what = "", values = ""] = rows[at] ?? [];
      const lost = change.laterEdit === true ? "  (!)" : "";
      const text = `  ${SIGN[change.action]} ${what.padEnd(width)}  ${values.padEnd(valueWidth)}  ${change.why}${lost}`;
      lines.push(text.trimEnd());
      lines.push(...textDiff(change).map((line) => `      ${line}`));
    }
  }
  return `${lines.join("\n")}\n`;
}

function valuesOf(change: Change): string {
  if (change.what === COMPONENT) return "";
  const { before, offered, after } = change;
  const mark = (value: unknown) => (value === undefined ? "none" : shortText(value));
  switch (change.action) {
    case "add":
      return shortText(after);
    case "remove":
      return mark(before);
    case "change":
      return `${mark(before)} → ${mark(after)}`;
    case "keep":
      return change.secret ? mark(before) : `${mark(before)} (offered: ${mark(offered)})`;
  }
}

/** A value in one short line: images by name, secrets and files as such, all else as JSON. */
function shortText(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return cut(JSON.stringify(value).slice(1, -1));
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return cut(JSON.stringify(value) ?? "");
  if ("id" in value && "name" in value && typeof value.id === "string")
    return `${value.name} (${value.id.slice("sha256:".length, "sha256:".length + 12)})`;
  if ("secret" in value && typeof value.secret === "string") return value.secret;
  if ("generate" in value) return "generated";
  if ("parameter" in value) return `parameter ${value.parameter}`;
  if ("content" in value) return `${String(value.content).split("\n").length} lines`;
  return cut(JSON.stringify(value));
}

function cut(text: string): string {
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX - 1)}…` : text;
}

function textDiff({ action, before, after, offered, secret }: Change): readonly string[] {
  const [from, to] = [fileText(before), fileText(action === "keep" ? offered : after)];
  return secret || from === undefined || to === undefined ? [] : diffLines(from, to);
}

function fileText(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("content" in value)) return undefined;
  return String(value.content);
}
