const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes for people: 512 MiB, 7.81 GiB. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${toHundredths(value)} ${UNITS[unit]}`;
}

export function coresText(cores: number): string {
  return `${toHundredths(cores)} ${cores === 1 ? "core" : "cores"}`;
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
