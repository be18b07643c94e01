import type { BenchRow } from "./bench.ts";

type Column = readonly [title: string, cell: (row: BenchRow) => string];

const COLUMNS: readonly Column[] = [
  ["set", (row) => row.set],
  ["method", (row) => row.method],
  ["size", (row) => megabytes(row.sizeBytes)],
  ["wall", (row) => seconds(row.wallSeconds)],
  ["cpu", (row) => seconds(row.cpuSeconds)],
  ["peak memory", (row) => megabytes(row.peakRssBytes)],
];

/** The rows for people: decimal megabytes and seconds, figures to the right; a column that nothing fills is left out. */
export function renderTable(rows: readonly BenchRow[]): string {
  const columns = COLUMNS.map(([title, cell]) => [title, ...rows.map(cell)]).filter(([, ...cells]) =>
    cells.some((cell) => cell !== ""),
  );
  const widths = columns.map((cells) => Math.max(...cells.map((cell) => cell.length)));
  const lines = Array.from({ length: rows.length + 1 }, (_, line) =>
    columns.map((cells, index) => {
      const cell = cells[line] ?? "";
      const width = widths[index] ?? 0;
      return index < 2 ? cell.padEnd(width) : cell.padStart(width);
    }),
  );
  return lines.map((cells) => cells.join("  ").trimEnd()).join("\n");
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : `${(bytes / 1e6).toFixed(1)} MB`;
}

function seconds(value: number | undefined): string {
  return value === undefined ? "" : `${value.toFixed(2)} s`;
}
