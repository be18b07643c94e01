/** The acts of a story as aligned lines, each written when it is over. */

export interface ActRow {
  readonly where: string;
  readonly title: string;
  readonly seconds: number;
  readonly bytes?: number;
  readonly says: string;
}

const WIDTHS = { where: 6, title: 38, time: 9, bytes: 10 } as const;

export function renderHead(): string {
  return line({ where: "where", title: "act", time: "time", bytes: "bytes", says: "" });
}

export function renderRow({ where, title, seconds, bytes, says }: ActRow): string {
  return line({
    where,
    title,
    time: renderSeconds(seconds),
    bytes: bytes === undefined ? "" : renderBytes(bytes),
    says,
  });
}

export function renderTotal(rows: readonly ActRow[]): string {
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  const carried = rows.filter(({ where }) => where === "gap").reduce((sum, row) => sum + (row.bytes ?? 0), 0);
  const says = "bytes: what crossed the gap";
  return renderRow({ where: "", title: "the whole story", seconds, bytes: carried, says });
}

function line(cells: Readonly<Record<keyof typeof WIDTHS | "says", string>>): string {
  return [
    cells.where.padEnd(WIDTHS.where),
    cells.title.padEnd(WIDTHS.title),
    cells.time.padStart(WIDTHS.time),
    cells.bytes.padStart(WIDTHS.bytes),
    cells.says,
  ]
    .join("  ")
    .trimEnd();
}

/** Tenths below a minute, whole seconds above. */
function renderSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

function renderBytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
