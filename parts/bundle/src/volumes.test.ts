import { isProblem } from "@sampan/problem";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openBundleFrom } from "./bundle.ts";
import { type ImportOptions, importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { planBundle } from "./plan-bundle.ts";
import { previewBundle } from "./preview-bundle.ts";
import { digestOf } from "./root.ts";
import {
  inFolder,
  memorySource,
  packed,
  packedVolumes,
  sampleBytes,
  sampleCargo,
  sampleKey,
  sampleRelease,
  vendorOf,
} from "./sample-bundle.ts";
import { verifyContent } from "./verify-bundle.ts";
import { type WriteOptions, writeBundle } from "./write-bundle.ts";

const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;
const VOLUME_BYTES = 64 * 1024;

/** Three volumes of at most 64 KiB. */
async function sample() {
  const cargo = new MemoryCargo();
  const image = await cargo.hold([sampleBytes("one", 60_000), sampleBytes("two", 40_000)]);
  const { options } = await sampleCargo();
  const given: WriteOptions = {
    ...options,
    releases: [sampleRelease("1", [image])],
    blobs: [],
    packSizeBytes: 8000,
    volumeSizeBytes: VOLUME_BYTES,
  };
  const volumes = await packedVolumes(cargo, given);
  return { cargo, image, given, volumes };
}

const open = (bytes: Uint8Array) => openBundleFrom(memorySource(bytes));
const take = async (bytes: Uint8Array, sink: MemoryCargo, options: Partial<ImportOptions> = {}) =>
  importBundle(await open(bytes), sink, { trust, ...options });

describe("volumes", () => {
  test("each is verified alone, has the same digest, is no larger than asked, and none has what another has", async () => {
    const { volumes } = await sample();
    const seen = new Set<string>();
    const digests = new Set<string>();
    for (const [index, bytes] of volumes.entries()) {
      const bundle = await open(bytes);
      await verifyContent(bundle);
      expect(bundle.part).toEqual({ kind: "volume", number: index + 1 });
      expect(bytes.length).toBeLessThanOrEqual(VOLUME_BYTES);
      expect(bundle.document.volumes?.[index]).toEqual({
        entries: bundle.content.length,
        size: bytes.length,
      });
      digests.add(bundle.manifestDigest);
      for (const { digest } of bundle.content) expect(seen.size).toBeLessThan(seen.add(digest).size);
    }
    expect(volumes.length).toBeGreaterThanOrEqual(3);
    expect(digests.size).toBe(1);
    expect(seen.size).toBe((await open(volumes[0]!)).document.packs.length + 4);
  });

  test("the first has all but packs, which fill the others in order", async () => {
    const { volumes } = await sample();
    const first = await open(volumes[0]!);
    expect(first.content.slice(0, 4).map((entry) => entry.label.replace(/ \d.*/, ""))).toEqual([
      "recipe",
      "recipe",
      "image config",
      "release",
    ]);
    const packs = first.document.packs.map((pack) => pack.digest);
    const order = [];
    for (const bytes of volumes) order.push(...(await open(bytes)).content.map((entry) => entry.digest));
    expect(order.slice(4)).toEqual(packs);
  });

  test("they come in any order, and only the last makes the import complete", async () => {
    const { volumes, cargo, image } = await sample();
    for (const turned of [volumes, volumes.toReversed()]) {
      const sink = new MemoryCargo();
      for (const [index, bytes] of turned.entries()) {
        const isLast = index === turned.length - 1;
        const taken = await take(bytes, sink);
        expect(taken.complete).toBe(isLast);
        expect(taken.images).toHaveLength(isLast ? 1 : 0);
        expect(taken.releases).toHaveLength(isLast ? 1 : 0);
        expect(taken.missing).toHaveLength(turned.length - 1 - index);
        expect(await sink.image(image)).toEqual(isLast ? await cargo.image(image) : undefined);
      }
    }
  });

  test("a volume that is missing is named", async () => {
    const { volumes } = await sample();
    const sink = new MemoryCargo();
    await take(volumes[0]!, sink);
    const last = await take(volumes.at(-1)!, sink);
    expect(last.missing).toEqual(volumes.slice(1, -1).map((_, index) => index + 2));
  });

  test("the manifest is there to be protected before anything else is kept", async () => {
    const { volumes } = await sample();
    const sink = new MemoryCargo();
    const protectedAt: number[] = [];
    const bundle = await open(volumes[1]!);
    await importBundle(bundle, sink, {
      trust,
      protect: async (manifest) => {
        protectedAt.push(sink.packsHeld.size + sink.blobs.size);
        expect(manifest.digest).toBe(bundle.manifestDigest);
        expect(sink.blobs.get(manifest.digest)?.length).toBe(manifest.size);
        const { layers } = JSON.parse(Buffer.from(sink.blobs.get(manifest.digest)!).toString());
        for (const { digest } of bundle.document.packs)
          expect(layers).toContainEqual(expect.objectContaining({ digest }));
      },
    });
    expect(protectedAt).toEqual([1]);
  });

  test("a volume that comes again copies nothing, also when all is complete", async () => {
    const { volumes } = await sample();
    const sink = new MemoryCargo();
    for (const bytes of [...volumes, ...volumes]) await take(bytes, sink);
    const again = await take(volumes[1]!, sink);
    expect(again).toMatchObject({ complete: true, copiedBytes: 0 });
  });

  test("once all layers are held, packs and recipes need not be", async () => {
    const { volumes } = await sample();
    const sink = new MemoryCargo();
    for (const bytes of volumes) await take(bytes, sink);
    sink.packsHeld.clear();
    for (const { recipe } of (await open(volumes[0]!)).document.layers) sink.blobs.delete(recipe.digest);
    expect(await take(volumes[1]!, sink)).toMatchObject({ complete: true });
  });

  test("the names of the files count up to the last", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const path = `${folder}/shop.sampan`;
      const written = await writeBundle(cargo, path, { ...options, volumeSizeBytes: 16 * 1024 * 1024 });
      expect(written.files).toEqual([{ path: `${folder}/shop.vol01.sampan`, sizeBytes: written.sizeBytes }]);
    }));

  test("equal inputs give equal volumes, and a bundle in one file is as it was", async () => {
    const { cargo, given, volumes } = await sample();
    const again = await packedVolumes(cargo, given);
    expect(again.every((bytes, index) => bytes.equals(volumes[index]!))).toBe(true);
    const { volumeSizeBytes, ...whole } = given;
    const { document } = await open(await packed(cargo, whole));
    expect(document.volumes).toBeUndefined();
    expect(document.policy.minReader).toBe(1);
  });

  test("a preview tells how many there will be", async () => {
    const { cargo, options } = await sampleCargo();
    const seen = await previewBundle(cargo, { ...options, volumeSizeBytes: 16 * 1024 * 1024 });
    expect(seen.volumeCount).toBe(1);
  });
});

describe("volumes that cannot be", () => {
  test("smaller ones than 16 MiB are refused", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const writing = writeBundle(cargo, `${folder}/it.sampan`, {
        ...options,
        volumeSizeBytes: 16 * 1024 * 1024 - 1,
      });
      await expect(writing).rejects.toMatchObject({ code: "BUNDLE_TOO_LARGE" });
    }));

  test("ones that the root half fills are refused before anything is written", async () => {
    const { cargo, options } = await sampleCargo();
    const writing = packedVolumes(cargo, { ...options, volumeSizeBytes: 8000 });
    await expect(writing).rejects.toMatchObject({ code: "BUNDLE_TOO_LARGE", hint: "take larger volumes" });
  });

  test("a blob larger than a volume is refused, with the numbers", async () => {
    const { cargo, given } = await sample();
    const large = sampleBytes("large", 70_000);
    await cargo.writeBlob(digestOf(large), large);
    const blobs = [{ digest: digestOf(large), mediaType: "text/plain", role: "doc/a", size: large.length }];
    await expect(packedVolumes(cargo, { ...given, blobs })).rejects.toMatchObject({
      code: "BUNDLE_TOO_LARGE",
      why: expect.stringMatching(/and a volume has 65536$/),
    });
  });
});

describe("damage in volumes", () => {
  test("the volume and the part are named, and another copy of the volume heals it", async () => {
    const { volumes } = await sample();
    const bad = Buffer.from(volumes[1]!);
    const bundle = await open(bad);
    bad[bundle.content[1]!.offset + 600]! ^= 4;
    const expected = {
      code: "BUNDLE_DAMAGED",
      message: `volume 2 of ${volumes.length} is damaged`,
      why: expect.stringMatching(/^pack \d+ of \d+ in volume 2 /),
    };
    await expect(verifyContent(bundle)).rejects.toMatchObject(expected);
    const sink = new MemoryCargo();
    for (const [index, bytes] of volumes.entries()) if (index !== 1) await take(bytes, sink);
    await expect(take(bad, sink)).rejects.toMatchObject(expected);
    const healed = await take(volumes[1]!, sink);
    expect(healed.complete).toBe(true);
    expect(healed.copiedBytes).toBe(bundle.content[1]!.size);
  });

  test("any flipped bit in any volume is a problem", async () => {
    const { volumes } = await sample();
    await fc.assert(
      fc.asyncProperty(fc.nat(volumes.length - 1), fc.nat(), async (volume, at) => {
        const bytes = Buffer.from(volumes[volume]!);
        const bit = at % (bytes.length * 8);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const error = await open(bytes)
          .then((bundle) => verifyContent(bundle))
          .catch((error) => error);
        if (!isProblem(error)) throw error ?? new Error("it passed");
        const root = (await open(volumes[volume]!)).document.sizes.root;
        if (bit >> 3 >= root) expect(error.message).toContain(`volume ${volume + 1} of ${volumes.length}`);
      }),
      { numRuns: 300 },
    );
  });

  test("any flipped bit in a header after the root is damage, and named", async () => {
    const { volumes } = await sample();
    const { content } = await open(volumes[1]!);
    for (let at = content[1]!.offset; at < content[1]!.offset + 512; at++) {
      const bytes = Buffer.from(volumes[1]!);
      bytes[at]! ^= 1 << (at & 7);
      const verifying = open(bytes).then((bundle) => verifyContent(bundle));
      await expect(verifying).rejects.toMatchObject({
        code: "BUNDLE_DAMAGED",
        message: `volume 2 of ${volumes.length} is damaged`,
      });
    }
  });

  test("a volume cut off anywhere is a problem, and named when its root is whole", async () => {
    const { volumes } = await sample();
    const bytes = volumes[1]!;
    const { root } = (await open(bytes)).document.sizes;
    for (let length = 0; length < bytes.length; length += 509) {
      const error = await open(bytes.subarray(0, length)).catch((error) => error);
      if (!isProblem(error)) throw error;
      if (length >= root)
        expect(error).toMatchObject({ message: `volume 2 of ${volumes.length} is cut off` });
    }
  });

  const rows: [string, (parts: Buffer[]) => Buffer | Promise<Buffer>][] = [
    ["says that it is another volume", ([one]) => marked(one!, "volume 1", "volume 2")],
    ["says that it is beyond the last", ([one]) => marked(one!, "volume 1", "volume 9")],
    ["says that it is a repair", ([one]) => marked(one!, '"volume 1"', '"repair"  ')],
    ["says something else", ([one]) => marked(one!, "volume 1", "volume 0")],
    [
      "has the root of another volume",
      async ([one, two]) => {
        const { root } = (await open(one!)).document.sizes;
        return Buffer.concat([one!.subarray(0, root), two!.subarray(root)]);
      },
    ],
    ["has bytes at its end", ([one]) => Buffer.concat([one!, Buffer.alloc(512)])],
  ];
  for (const [what, alter] of rows)
    test(`a volume that ${what} is refused`, async () => {
      const { volumes } = await sample();
      const bytes = await alter(volumes);
      const error = await open(bytes)
        .then((bundle) => verifyContent(bundle))
        .catch((error) => error);
      expect(error.code).toMatch(/^BUNDLE_(INVALID|TRUNCATED)$/);
    });
});

/** Changes a text of the same length in the root, which no digest covers. */
function marked(bytes: Buffer, from: string, to: string): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(from);
  expect(at).toBeGreaterThan(0);
  copy.write(to, at, "latin1");
  return copy;
}

const layer = fc.array(fc.nat(40), { maxLength: 12 });
const images = fc.array(fc.array(layer, { maxLength: 3 }), { minLength: 1, maxLength: 3 });

test("any cargo, full or on any base, in volumes of any size, comes in any order and interrupted anywhere", () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        releases: fc.tuple(images, images),
        isIncrement: fc.boolean(),
        moreBytes: fc.nat(30_000),
        packSizeBytes: fc.integer({ min: 1000, max: 4000 }),
        order: fc.array(fc.nat(), { maxLength: 12 }),
        stops: fc.array(fc.nat(30), { maxLength: 12 }),
      }),
      async ({ releases: made, isIncrement, moreBytes, packSizeBytes, order, stops }) => {
        const { cargo, releases, bases } = await vendorOf(made);
        const { options } = await sampleCargo();
        const whole = { ...options, releases: [releases[0]!], blobs: [], packSizeBytes };
        const given = isIncrement ? { ...whole, bases: [bases[1]!] } : whole;
        const plan = await planBundle(
          cargo,
          { ...given, volumeSizeBytes: 32_000_000 },
          { measure: "pieces" },
        );
        const volumeSizeBytes = Math.max(32_000, 2 * plan.rootBytes) + moreBytes;
        const volumes = await packedVolumes(cargo, { ...given, volumeSizeBytes });
        const site = new MemoryCargo();
        if (isIncrement) await take(await packed(cargo, { ...whole, releases: [releases[1]!] }), site);
        for (const [index, pick] of order.entries())
          await interrupted(volumes[pick % volumes.length]!, site, stops[index]);
        const last = await inTurn(volumes, site);
        expect(last).toMatchObject({ complete: true, missing: [] });
        for (const { diffId } of last!.images.flatMap((image) => image.layers))
          expect(Buffer.from(site.layer(diffId)).equals(cargo.layer(diffId))).toBe(true);
        expect(last!.images).toHaveLength(new Set(releases[0]!.imageIds).size);
      },
    ),
    { numRuns: 60 },
  ));

async function interrupted(bytes: Uint8Array, site: MemoryCargo, stop: number | undefined): Promise<void> {
  const reason = new Error("pulled out");
  let step = 0;
  const onStep = () => {
    if (step++ === stop) throw reason;
  };
  await take(bytes, site, { onStep }).catch((error) => {
    if (error !== reason) throw error;
  });
}

async function inTurn(volumes: readonly Buffer[], site: MemoryCargo) {
  let last: Awaited<ReturnType<typeof take>> | undefined;
  for (const bytes of volumes) last = await take(bytes, site);
  return last;
}
