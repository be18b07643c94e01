import { VOLUME_BYTES_MIN } from "@sampan/bundle";
import { InvalidArgumentError } from "commander";
import { humanBytes } from "./amounts.ts";

const UNITS: Readonly<Record<string, number>> = {
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
/** FAT32 is what most sticks come with: its files are smaller than 4 GiB. */
const PRESETS: Readonly<Record<string, number>> = {
  fat32: 4 * 1024 ** 3 - 1,
  dvd: 4_700_000_000,
  cd: 700_000_000,
};

/** What an option of commander calls: bytes of `650MiB`, `4.7GB`, `fat32`, `dvd` or `cd`. */
export function volumeSize(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6}(?:\.\d{1,3})?)([MGT]i?B)$/.exec(text) ?? [];
  const preset = Object.hasOwn(PRESETS, text) ? PRESETS[text] : undefined;
  const bytes = preset ?? Math.floor(Number(count) * (UNITS[unit] ?? Number.NaN));
  if (bytes >= VOLUME_BYTES_MIN && Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError(
    `Give a size such as 650MiB or 4GiB, of ${humanBytes(VOLUME_BYTES_MIN)} or more; or fat32, dvd, cd.`,
  );
}
