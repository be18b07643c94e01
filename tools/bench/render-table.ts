import type { BenchRow } from "./bench.ts";

type Column = readonly [title: string, cell: (row: BenchRow) => string];

const COLUMNS: readonly Column[] = [
  ["set", (row) => row.set],
  ["method", (row) => row.method],
  ["size", (row) => megabytes(row.sizeBytes)],
  ["wall", (row) => seconds(row.wallSeconds)],
  ["cpu", (row) => seconds(row.cpuSeconds)],
  ["peak memory", (row) => megabytes(row.peakRssBytes)],
  ["heap", (row) => megabytes(row.heapBytes)],
  ["wall each", (row) => milliseconds(each(row.wallSeconds, row))],
  ["heap each", (row) => kilobytes(each(row.heapBytes, row))],
];

/** The rows for people: decimal megabytes, and seconds (milliseconds below a tenth), figures to the right; a column that nothing fills is left out. */
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

function kilobytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : `${(bytes / 1e3).toFixed(1)} kB`;
}

function seconds(value: number | undefined): string {
  if (value === undefined) return "";
  return value < 0.1 ? `${(value * 1000).toFixed(1)} ms` : `${value.toFixed(2)} s`;
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "" : `${(value * 1000).toFixed(3)} ms`;
}

function each(value: number | undefined, { items }: BenchRow): number | undefined {
  return value === undefined || items === undefined ? undefined : value / items;
}
