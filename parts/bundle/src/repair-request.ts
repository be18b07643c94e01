import type { Digest } from "@sampan/content";
import { digestHex } from "@sampan/content";
import { LIMIT } from "./limits.ts";
import { bundleProblem } from "./problems.ts";

/** Names entries of a bundle that somebody lacks (SPEC.md section 10). Short enough to be read out. */
export interface RepairRequest {
  /** The first hex digits of the manifest's digest, 16 or more. */
  readonly bundle: string;
  /** Numbers of entries of the content, ascending. */
  readonly entries: readonly number[];
}

const BUNDLE_DIGITS = 16;
const FORM = /^sampan-repair 1 ([0-9a-f]{16,64}) ([0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*)$/;

/** One line: `sampan-repair 1 7c3e… 4,8-11`. */
export function renderRepairRequest(manifestDigest: Digest, entries: readonly number[]): string {
  const ranges: { start: number; end: number }[] = [];
  for (const number of entries) {
    const last = ranges.at(-1);
    if (last !== undefined && last.end + 1 === number) last.end = number;
    else ranges.push({ start: number, end: number });
  }
  const numbers = ranges.map(({ start, end }) => (start === end ? `${start}` : `${start}-${end}`));
  return `sampan-repair 1 ${digestHex(manifestDigest).slice(0, BUNDLE_DIGITS)} ${numbers.join(",")}`;
}

/** Reads what was sent or read out; capitals and spaces around it do not matter. Throws BUNDLE_REQUEST_INVALID. */
export function parseRepairRequest(text: string): RepairRequest {
  if (text.length > LIMIT.repairRequestChars)
    throw invalid(`it has ${text.length} characters, at most ${LIMIT.repairRequestChars} are allowed`);
  const [, bundle, numbers] = FORM.exec(text.trim().toLowerCase().replaceAll(/\s+/g, " ")) ?? [];
  if (bundle === undefined || numbers === undefined)
    throw invalid("it is not of the form `sampan-repair 1 7c3e04b1a9d2f586 4,8-11`");
  const entries: number[] = [];
  for (const range of numbers.split(",")) {
    const [start = 0, end = start] = range.split("-").map(Number);
    const after = entries.at(-1) ?? 0;
    if (start <= after || end < start || end > LIMIT.entries)
      throw invalid(`${range} is out of order, or more than ${LIMIT.entries}`);
    for (let number = start; number <= end; number++) entries.push(number);
  }
  return { bundle, entries };
}

function invalid(why: string) {
  return bundleProblem("BUNDLE_REQUEST_INVALID", "this is no repair request", {
    why,
    hint: "take the whole line as the site gave it",
  });
}
