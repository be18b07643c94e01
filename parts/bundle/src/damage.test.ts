import { isProblem } from "@sampan/problem";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openBundleFrom } from "./bundle.ts";
import { importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { memorySource, packed, sampleBytes, sampleCargo, sampleKey, sampleRelease } from "./sample-bundle.ts";
import { verifyContent } from "./verify-bundle.ts";

const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

async function smallBundle(): Promise<Buffer> {
  const cargo = new MemoryCargo();
  const image = await cargo.hold([sampleBytes("small", 1100)]);
  const { options } = await sampleCargo();
  return packed(cargo, {
    ...options,
    packSizeBytes: 1000,
    releases: [sampleRelease("1", [image])],
    blobs: [],
  });
}

/** The problem that verifying these bytes reports; undefined when they pass. Anything but a Problem fails the test. */
async function problemOf(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const bundle = await openBundleFrom(memorySource(bytes));
    await verifyContent(bundle);
    return undefined;
  } catch (error) {
    if (!isProblem(error)) throw error;
    return error.code;
  }
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

const BAD = /^BUNDLE_(INVALID|DAMAGED|TRUNCATED|TOO_NEW)$/;

describe("damage", () => {
  test("the bundle of these tests is whole before it is damaged", async () => {
    expect(await problemOf(await smallBundle())).toBeUndefined();
  });

  test("a flipped bit in any byte is a problem", async () => {
    const bytes = await smallBundle();
    const passed: number[] = [];
    for (let at = 0; at < bytes.length; at++)
      if (!BAD.test((await problemOf(flipped(bytes, at * 8 + ((at * 5) & 7)))) ?? "")) passed.push(at);
    expect(passed).toEqual([]);
  });

  test("any flipped bit is a problem", async () => {
    const bytes = await smallBundle();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        expect(await problemOf(flipped(bytes, bit))).toMatch(BAD);
      }),
      { numRuns: 2000 },
    );
  });

  test("a bundle cut off at any byte is a problem", async () => {
    const bytes = await smallBundle();
    const passed: number[] = [];
    for (let length = 0; length < bytes.length; length++)
      if (!BAD.test((await problemOf(bytes.subarray(0, length))) ?? "")) passed.push(length);
    expect(passed).toEqual([]);
    expect(await problemOf(bytes.subarray(0, bytes.length - 1))).toBe("BUNDLE_TRUNCATED");
  });

  test("bytes behind the end are a problem", async () => {
    expect(await problemOf(Buffer.concat([await smallBundle(), Buffer.alloc(512)]))).toBe("BUNDLE_INVALID");
  });

  test("any stretch of other bytes is a problem, and an import of it keeps nothing that does not verify", async () => {
    const bytes = await smallBundle();
    const stretch = fc.record({
      at: fc.nat(bytes.length - 1),
      with: fc.uint8Array({ minLength: 1, maxLength: 2000 }),
    });
    await fc.assert(
      fc.asyncProperty(stretch, async (change) => {
        const copy = Buffer.from(bytes);
        copy.set(change.with.subarray(0, bytes.length - change.at), change.at);
        if (copy.equals(bytes)) return;
        expect(await problemOf(copy)).toMatch(BAD);
        const sink = new MemoryCargo();
        const imported = await openBundleFrom(memorySource(copy))
          .then((bundle) => importBundle(bundle, sink, { trust }))
          .catch((error) => error);
        if (imported instanceof Error) expect(isProblem(imported)).toBe(true);
        else expect(imported.images).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });

  test("every damaged part is named", async () => {
    const { cargo, options } = await sampleCargo();
    const bytes = await packed(cargo, options);
    const bundle = await openBundleFrom(memorySource(bytes));
    const hit = bundle.content.filter((entry) => entry.label.startsWith("pack ")).slice(0, 2);
    for (const entry of hit) bytes[entry.offset + 600]! ^= 1;
    const error = await verifyContent(bundle).catch((error) => error);
    expect(error.code).toBe("BUNDLE_DAMAGED");
    expect(error.faults.map((fault: { path: string }) => fault.path)).toEqual(
      hit.map((entry) => entry.label),
    );
  });

  test("a file that shrinks while it is read is truncated", async () => {
    const bytes = await smallBundle();
    const source = memorySource(bytes);
    const bundle = await openBundleFrom(source);
    const short = memorySource(bytes.subarray(0, bytes.length - 1500));
    source.read = short.read;
    await expect(verifyContent(bundle)).rejects.toMatchObject({ code: "BUNDLE_TRUNCATED" });
  });
});
