import { expect, test } from "vitest";
import {
  compressAgainst,
  compressFrame,
  DICTIONARY_LIMITS,
  decompressFrame,
  dictionaryReach,
} from "./frame.ts";
import { noise } from "./test-images.ts";

const KIB = 1024;

test.each([
  { level: 3, rawSize: 64 * KIB },
  { level: 3, rawSize: 4096 * KIB },
  { level: 9, rawSize: 64 * KIB },
  { level: 9, rawSize: 4096 * KIB },
  { level: 19, rawSize: 64 * KIB },
])(
  "a frame of $rawSize bytes at level $level reaches both ends of the largest dictionary",
  async ({ level, rawSize }) => {
    const dictionary = noise(dictionaryReach(level), 1);
    dictionary[0] = 0;
    const half = rawSize / 2;
    const raw = Buffer.concat([dictionary.subarray(1, 1 + half), dictionary.subarray(-half)]);
    const frame = await compressAgainst(dictionary, raw, level);
    expect(frame.length).toBeLessThan(rawSize / 100);
    expect(Buffer.compare(await decompressFrame(frame, raw.length, dictionary), raw)).toBe(0);
  },
);

test("the reach of a level is what a reader takes, or less", () => {
  for (const level of [1, 3, 9, 19])
    expect(dictionaryReach(level)).toBeLessThanOrEqual(DICTIONARY_LIMITS.sizeMax);
});

test("a frame that was made against another dictionary, or none, does not decode in silence", async () => {
  const dictionary = noise(10_000, 1);
  const frame = await compressAgainst(dictionary, dictionary.subarray(100), 3);
  const other = noise(10_000, 2);
  await expect(decompressFrame(frame, 9900, other)).rejects.toMatchObject({ code: "CONTENT_INVALID" });
  await expect(decompressFrame(frame, 9900)).rejects.toMatchObject({ code: "CONTENT_INVALID" });
  const plain = await compressFrame(other, 3);
  await expect(decompressFrame(plain, 9999)).rejects.toMatchObject({ code: "CONTENT_INVALID" });
});
