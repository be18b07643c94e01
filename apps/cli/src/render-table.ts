import { oneLine, textWidth } from "./text-width.ts";

export type Row = Readonly<Record<string, string | number>>;

/** Columns aligned, headed; the same for people and for pipes. An empty list gives the `empty` line. */
export function renderTable(rows: readonly Row[], empty: string): string {
  const first = rows[0];
  if (first === undefined) return empty;
  const heads = Object.keys(first);
  const cells = [
    heads.map((head) => head.toUpperCase()),
    ...rows.map((row) => heads.map((head) => oneLine(String(row[head] ?? "")))),
  ];
  const widths = heads.map((_, column) => Math.max(...cells.map((line) => textWidth(line[column] ?? ""))));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - textWidth(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
