import { type Digest, isDigest } from "@sampan/content";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openBundleFrom } from "./bundle.ts";
import { type ImportOptions, importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { memorySource, packed, sampleBytes, sampleCargo, sampleKey, sampleRelease } from "./sample-bundle.ts";
import { verifyContent } from "./verify-bundle.ts";

const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

async function sample() {
  const { cargo, options } = await sampleCargo();
  const bytes = await packed(cargo, options);
  return { cargo, options, bytes, bundle: await openBundleFrom(memorySource(bytes)) };
}

async function checkRefused(code: string, options: Partial<ImportOptions>, sink = new MemoryCargo()) {
  const { bundle } = await sample();
  const error = await importBundle(bundle, sink, { trust, ...options }).catch((error) => error);
  expect(error.code, String(error)).toBe(code);
  expect(sink.packsHeld.size).toBe(0);
  return error;
}

/** Images as the sizes of their layers; layers of one size are the same. */
const anyImages = fc.array(fc.array(fc.nat(6000), { maxLength: 5 }), { minLength: 1, maxLength: 5 });

describe("import", () => {
  test("everything arrives, bit for bit, and the releases are handed back", async () => {
    const { cargo, options, bundle } = await sample();
    const sink = new MemoryCargo();
    const imported = await importBundle(bundle, sink, { trust });
    expect(imported.images.map((image) => image.imageId)).toEqual(
      bundle.document.images.map((image) => image.imageId),
    );
    for (const { diffId } of bundle.document.layers)
      expect(sink.layer(diffId)).toEqual(Buffer.from(cargo.layer(diffId)));
    const sent = new Map(options.releases.map((release) => [release.digest, release.bytes]));
    for (const release of imported.releases)
      expect(Buffer.from(release.bytes)).toEqual(sent.get(release.digest));
    expect(sink.blobs.has(options.blobs[0]!.digest)).toBe(true);
    expect(imported.skippedBytes).toBe(0);
    expect(imported.signatures.state).toBe("trusted");
  });

  test("an import that is repeated copies nothing", async () => {
    const { bundle } = await sample();
    const sink = new MemoryCargo();
    const first = await importBundle(bundle, sink, { trust });
    const second = await importBundle(bundle, sink, { trust });
    expect(second.copiedBytes).toBe(0);
    expect(second.skippedBytes).toBe(first.copiedBytes);
    expect(second.images).toEqual(first.images);
  });

  test("an import stopped before any of its steps goes on with the rest", async () => {
    const { bundle } = await sample();
    const steps: string[] = [];
    const onStep = (name: string) => void steps.push(name);
    const whole = await importBundle(bundle, new MemoryCargo(), { trust, onStep });
    for (const stop of steps) {
      const sink = new MemoryCargo();
      const control = new AbortController();
      const reason = new Error(`stopped before ${stop}`);
      const stopping = importBundle(bundle, sink, {
        trust,
        signal: control.signal,
        onStep: (name) => {
          if (name === stop) throw reason;
        },
      });
      await expect(stopping).rejects.toBe(reason);
      const held = [...sink.packsHeld.values()].reduce((sum, pack) => sum + pack.length, 0);
      const again: string[] = [];
      const rest = await importBundle(bundle, sink, { trust, onStep: (name) => void again.push(name) });
      expect(rest.skippedBytes).toBe(held);
      expect(rest.copiedBytes).toBe(whole.copiedBytes - held);
      expect(rest.images).toEqual(whole.images);
      expect(again.filter((name) => name.startsWith("pack "))).toEqual(
        steps.filter((name) => name.startsWith("pack ")).slice(sink.packsHeld.size - countPacks(again)),
      );
    }
  });

  test("an import that met a damaged pack keeps the others, and goes on from a good copy", async () => {
    const { bundle, bytes } = await sample();
    const [, , third] = bundle.document.packs;
    const place = bundle.content.find((entry) => entry.digest === third!.digest)!;
    const damaged = Buffer.from(bytes);
    damaged[place.offset + 700]! ^= 1;
    const sink = new MemoryCargo();
    const first = importBundle(await openBundleFrom(memorySource(damaged)), sink, { trust });
    await expect(first).rejects.toMatchObject({
      code: "BUNDLE_DAMAGED",
      why: expect.stringMatching(/^pack 3 of \d+ /),
    });
    expect(sink.packsHeld.size).toBe(bundle.document.packs.length - 1);
    const second = await importBundle(bundle, sink, { trust });
    expect(second.images).toHaveLength(3);
    expect(second.copiedBytes).toBe(third!.size);
  });

  test("any cargo arrives as it was", () =>
    fc.assert(
      fc.asyncProperty(anyImages, fc.integer({ min: 500, max: 9000 }), async (images, packSizeBytes) => {
        const { options } = await sampleCargo();
        const cargo = new MemoryCargo();
        const ids: Digest[] = [];
        for (const sizes of images)
          ids.push(await cargo.hold(sizes.map((size) => sampleBytes(`${size}`, size))));
        const releases = [sampleRelease("1", ids.slice(1)), sampleRelease("2", ids.slice(0, 3))];
        const bytes = await packed(cargo, { ...options, releases, packSizeBytes, blobs: [] });
        const sink = new MemoryCargo();
        const bundle = await openBundleFrom(memorySource(bytes));
        await verifyContent(bundle);
        await importBundle(bundle, sink, { trust });
        for (const { diffId } of bundle.document.layers)
          expect(Buffer.from(cargo.layer(diffId)).equals(sink.layer(diffId))).toBe(true);
      }),
      { numRuns: 15 },
    ));

  test("an abort is seen between packs, with its own reason", async () => {
    const { bundle } = await sample();
    const control = new AbortController();
    const reason = new Error("enough");
    const sink = new MemoryCargo();
    const onProgress = () => control.abort(reason);
    await expect(importBundle(bundle, sink, { trust, signal: control.signal, onProgress })).rejects.toBe(
      reason,
    );
    expect(sink.packsHeld.size).toBe(0);
  });

  test("progress reaches its total in every stage", async () => {
    const { bundle } = await sample();
    const last = new Map<string, { done: number; total?: number }>();
    await importBundle(bundle, new MemoryCargo(), {
      trust,
      onProgress: (step) => last.set(step.stage, step),
    });
    expect([...last.keys()]).toEqual(["packs", "layers", "images"]);
    for (const { done, total } of last.values()) expect(done).toBe(total);
  });

  test("the throttle waits as long as the rate asks", async () => {
    const { bundle } = await sample();
    let nowMs = 0;
    const clock = {
      nowMs: () => nowMs,
      sleep: async (durationMs: number) => {
        nowMs += durationMs;
      },
    };
    const done = await importBundle(bundle, new MemoryCargo(), {
      trust,
      clock,
      throttleBytesPerSecond: 1000,
    });
    expect(nowMs).toBeCloseTo(done.copiedBytes);
  });
});

describe("import refuses, and changes nothing", () => {
  test("when nobody signed, unless that is accepted", async () => {
    const { cargo, options } = await sampleCargo();
    const bundle = await openBundleFrom(memorySource(await packed(cargo, { ...options, signers: [] })));
    const sink = new MemoryCargo();
    await expect(importBundle(bundle, sink, { trust })).rejects.toMatchObject({ code: "BUNDLE_UNSIGNED" });
    expect(sink.packsHeld.size).toBe(0);
    const taken = await importBundle(bundle, sink, { trust: { keys: [], accept: "any" } });
    expect(taken.signatures.state).toBe("none");
  });

  test("when the key is not trusted", async () => {
    await checkRefused("BUNDLE_UNTRUSTED", {
      trust: { keys: [sampleKey("other").publicKey], accept: "signed" },
    });
    await checkRefused("BUNDLE_UNTRUSTED", { trust: { keys: [], accept: "signed" } });
  });

  test("when a trusted key is no key", () =>
    checkRefused("BUNDLE_KEY_INVALID", { trust: { keys: ["nonsense"], accept: "signed" } }).then(() => {}));

  test("when the disk has not enough room, with the numbers", async () => {
    const sink = new MemoryCargo();
    sink.free = 50_000_000;
    const error = await checkRefused("BUNDLE_NO_SPACE", {}, sink);
    expect(error.why).toMatch(/^\d+ bytes are needed \(\d+ of packs not yet held\), 50000000 are free$/);
  });

  test("when the bundle tells otherwise of an image than its config", async () => {
    const { bundle } = await sample();
    const sink = new MemoryCargo();
    const add = sink.addImage.bind(sink);
    sink.addImage = async (image) => ({ ...(await add(image)), architecture: "riscv64" });
    await expect(importBundle(bundle, sink, { trust })).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
  });
});

function countPacks(steps: readonly string[]): number {
  return steps.filter((name) => name.startsWith("pack ") && isDigest(name.slice(5) as Digest)).length;
}
