import { createHash } from "node:crypto";

/**
 * Content-defined cutting (FastCDC with a normalised 32-bit gear hash): where bytes are inserted or removed, only the
 * pieces around them change. Sizes, table and masks are part of splitter version 1 and never change (SPEC.md, "Cutting").
 */
export const PIECE_SIZE = { min: 16 * 1024, average: 64 * 1024, max: 256 * 1024 } as const;

/** Before the average size 18 bits must be zero, after it 14: sizes gather around the average. */
const MASK_BEFORE = 0xffffc000 | 0;
const MASK_AFTER = 0xfffc0000 | 0;

const GEAR = Int32Array.from({ length: 256 }, (_, byte) =>
  createHash("sha256").update("sampan gear 1").update(Uint8Array.of(byte)).digest().readInt32BE(0),
);

/** Length of the first piece of `bytes` from `start` to `end`. The caller gives at least `PIECE_SIZE.max` bytes, or all that are left. */
export function cutLength(bytes: Uint8Array, start: number, end: number): number {
  const size = end - start;
  if (size <= PIECE_SIZE.min) return size;
  const stop = start + Math.min(size, PIECE_SIZE.max);
  const middle = start + Math.min(size, PIECE_SIZE.average);
  let hash = 0;
  let at = start + PIECE_SIZE.min;
  for (; at < middle; at += 1) {
    hash = ((hash << 1) + GEAR[bytes[at]!]!) | 0;
    if ((hash & MASK_BEFORE) === 0) return at + 1 - start;
  }
  for (; at < stop; at += 1) {
    hash = ((hash << 1) + GEAR[bytes[at]!]!) | 0;
    if ((hash & MASK_AFTER) === 0) return at + 1 - start;
  }
  return stop - start;
}
