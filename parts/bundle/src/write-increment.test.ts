import { isProblem } from "@sampan/problem";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openBundleFrom } from "./bundle.ts";
import { importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import type { CargoRelease, ReleaseCargo } from "./plan-bundle.ts";
import { previewBundle } from "./preview-bundle.ts";
import { inFolder, memorySource, packed, sampleCargo, sampleKey, vendorOf } from "./sample-bundle.ts";
import { verifyBundle, verifyContent } from "./verify-bundle.ts";
import { writeBundle } from "./write-bundle.ts";

const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

/** 1.0 and 2.0 share the layer [1, 2, 3]; 3.0 has it too, and layers that share pieces with both. */
const shop = [
  [
    [
      [1, 2, 3],
      [4, 5, 6, 7],
    ],
  ],
  [
    [
      [1, 2, 3],
      [4, 5, 6, 8],
    ],
  ],
  [
    [
      [1, 2, 3],
      [4, 5, 9, 8],
    ],
    [[1, 2, 3], [10]],
  ],
];

async function increment(
  cargo: MemoryCargo,
  releases: readonly ReleaseCargo[],
  bases: readonly CargoRelease[],
): Promise<Buffer> {
  const { options } = await sampleCargo();
  return packed(cargo, { ...options, packSizeBytes: 2000, releases, bases, blobs: [] });
}

/** A site that imported a release whole. */
async function siteWith(cargo: MemoryCargo, release: ReleaseCargo): Promise<MemoryCargo> {
  const site = new MemoryCargo();
  const { options } = await sampleCargo();
  const bytes = await packed(cargo, { ...options, releases: [release], blobs: [] });
  await importBundle(await openBundleFrom(memorySource(bytes)), site, { trust });
  return site;
}

describe("writing an increment", () => {
  test("it carries what no base has, names its bases and what is taken from them, and asks for reader level 2", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const { document } = await openBundleFrom(
      memorySource(await increment(cargo, [releases[2]!], bases.slice(0, 2))),
    );
    expect(document.kind).toBe("increment");
    expect(document.policy.minReader).toBe(2);
    // [1, 2, 3] is in every base; of the others, only 8, 9 and 10 are in none that both have.
    expect(document.layers.map((layer) => layer.size)).toEqual([4000, 1000]);
    expect(document.requires?.map((base) => base.version).sort()).toEqual(["1.0", "2.0"]);
    expect(document.requires?.[0]?.diffIds).toHaveLength(2);
    // Counted on are whole layers that all bases have: here only [1, 2, 3], of which neither carried layer has a piece.
    expect(document.sizes.pieces).toBe(5000);
    expect(document.requires?.[0]).toMatchObject({ pieceCount: 0, pieceBytes: 0 });
  });

  test("on one base, a layer that changed travels as its new pieces", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const bytes = await increment(cargo, [releases[2]!], [bases[1]!]);
    const { document } = await openBundleFrom(memorySource(bytes));
    expect(document.sizes.pieces).toBe(2000);
    expect(document.requires).toMatchObject([{ version: "2.0", pieceCount: 3, pieceBytes: 3000 }]);
  });

  test("a release that is its own base carries no layer and no pack", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const bytes = await increment(cargo, [releases[2]!], [bases[2]!]);
    const bundle = await openBundleFrom(memorySource(bytes));
    expect(bundle.document.layers).toEqual([]);
    expect(bundle.document.packs).toEqual([]);
    const site = await siteWith(cargo, releases[2]!);
    expect((await importBundle(bundle, site, { trust })).images).toHaveLength(2);
  });

  test("equal inputs give equal bytes, in whatever order bases and their layers are named", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const first = await increment(cargo, [releases[2]!], bases);
    const turned = bases.toReversed().map((base) => ({
      ...base,
      diffIds: [...base.diffIds, ...base.diffIds].reverse(),
    }));
    expect((await increment(cargo, [releases[2]!], turned)).equals(first)).toBe(true);
  });

  test("a full bundle is what it was: reader level 1, no bases", async () => {
    const { cargo, options } = await sampleCargo();
    const full = await packed(cargo, options);
    expect((await packed(cargo, { ...options, bases: [] })).equals(full)).toBe(true);
    const { document } = await openBundleFrom(memorySource(full));
    expect(document).toMatchObject({ kind: "full", policy: { minReader: 1 } });
    expect(document.requires).toBeUndefined();
  });

  test("more bases than the format takes are refused before anything is written", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const many = Array.from({ length: 65 }, (_, index) => ({ ...bases[0]!, version: `${index}` }));
    const writing = increment(cargo, [releases[2]!], many);
    await expect(writing).rejects.toMatchObject({ code: "BUNDLE_TOO_LARGE" });
  });
});

describe("importing a written increment", () => {
  test("it gives the images of the full bundle, on each of its bases", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const bytes = await increment(cargo, [releases[2]!], bases.slice(0, 2));
    for (const base of releases.slice(0, 2)) {
      const site = await siteWith(cargo, base);
      const imported = await importBundle(await openBundleFrom(memorySource(bytes)), site, { trust });
      const full = await siteWith(cargo, releases[2]!);
      for (const image of imported.images) expect(await full.image(image.imageId)).toEqual(image);
      expect(imported).toMatchObject({ complete: true, missing: [] });
    }
  });

  test("without a base it changes nothing, reads no content, and says what is missing", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const bytes = await increment(cargo, [releases[2]!], bases.slice(0, 2));
    const source = memorySource(bytes);
    const bundle = await openBundleFrom(source);
    source.read = async () => expect.fail("content was read");
    const site = await siteWith(cargo, releases[2]!);
    const packsHeld = new Map(site.packsHeld);
    const error = await importBundle(bundle, site, { trust }).catch((error) => error);
    if (!isProblem(error)) throw error;
    expect(error.code).toBe("BUNDLE_BASE_MISSING");
    expect(error.why).toContain("1.0 (lacks 1 of 2 layers)");
    expect(error.why).toContain("2.0 (lacks 1 of 2 layers)");
    expect(site.packsHeld).toEqual(packsHeld);
  });

  test("it is verified without a base, and what only a base proves is said", () =>
    inFolder(async (folder) => {
      const { cargo, releases, bases } = await vendorOf(shop);
      const { options } = await sampleCargo();
      const path = `${folder}/it.sampan`;
      const given = { ...options, blobs: [], releases: [releases[2]!], bases: [bases[1]!] };
      await writeBundle(cargo, path, given);
      expect(await verifyBundle(path, { trust })).toMatchObject({
        unproven: { bases: ["商店 Shop 2.0"], layersOfBase: 1, pieceCount: 3, pieceBytes: 3000 },
      });
      await writeBundle(cargo, path, { ...given, bases: [] });
      expect((await verifyBundle(path, { trust })).unproven).toBeUndefined();
    }));

  test("its space is counted by what its packs become without the base", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const bytes = await increment(cargo, [releases[2]!], [bases[1]!]);
    const site = await siteWith(cargo, releases[1]!);
    site.free = 1;
    const bundle = await openBundleFrom(memorySource(bytes));
    await expect(importBundle(bundle, site, { trust })).rejects.toMatchObject({ code: "BUNDLE_NO_SPACE" });
  });
});

const pieces = fc.array(fc.nat(12), { maxLength: 5 });
const release = fc.array(fc.array(pieces, { maxLength: 3 }), { minLength: 1, maxLength: 3 });

test("any release, on any bases, gives what the full bundle gives, and nothing where no base is", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(release, { minLength: 2, maxLength: 4 }),
      fc.nat(),
      fc.integer({ min: 1, max: 3 }),
      async (all, chosen, baseCount) => {
        const { cargo, releases, bases } = await vendorOf(all);
        const target = releases[0]!;
        const given = bases.slice(1, 1 + baseCount);
        const bytes = await increment(cargo, [target], given);
        await verifyContent(await openBundleFrom(memorySource(bytes)));
        const site = await siteWith(cargo, releases[1 + (chosen % given.length)]!);
        const bundle = await openBundleFrom(memorySource(bytes));
        const { images } = await importBundle(bundle, site, { trust });
        expect(images.map((image) => image.imageId).sort()).toEqual([...new Set(target.imageIds)].sort());
        for (const { diffId } of images.flatMap((image) => image.layers))
          expect(Buffer.from(site.layer(diffId)).equals(cargo.layer(diffId))).toBe(true);
        const empty = new MemoryCargo();
        const elsewhere = await importBundle(bundle, empty, { trust }).catch((error) => error);
        const isNeeded = given.every((base) => base.diffIds.length > 0);
        if (isNeeded) expect(elsewhere.code).toBe("BUNDLE_BASE_MISSING");
        if (isNeeded) expect(empty.packsHeld.size + empty.blobs.size).toBe(0);
      },
    ),
    { numRuns: 60 },
  ));

describe("a preview", () => {
  test("tells what the increment then is, and its size within 5 per cent", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const { options } = await sampleCargo();
    const given = {
      ...options,
      packSizeBytes: 2000,
      blobs: [],
      releases: [releases[2]!],
      bases: [bases[1]!],
    };
    const seen = await previewBundle(cargo, given);
    const bytes = await packed(cargo, given);
    const { document } = await openBundleFrom(memorySource(bytes));
    expect(Math.abs(seen.sizeBytes / bytes.length - 1)).toBeLessThan(0.05);
    expect(seen.kind).toBe("increment");
    expect(seen.images).toEqual(document.images);
    expect(seen.releases).toEqual(document.releases);
    expect(seen.layersCarried).toEqual(document.layers.map(({ diffId, size }) => ({ diffId, size })));
    expect(seen.layersLeftOut.map((layer) => layer.size)).toEqual([3000]);
    expect(seen.pieces).toEqual({ newCount: 2, newBytes: 2000, reusedCount: 3, reusedBytes: 3000 });
    expect(seen.bases).toMatchObject([{ version: "2.0", unknownLayers: 0 }]);
    expect([...seen.news.values()].map((news) => news.newBytes)).toEqual([1000, 1000]);
  });

  test("says how many layers of a base are unknown here", async () => {
    const { cargo, releases, bases } = await vendorOf(shop);
    const { options } = await sampleCargo();
    const unknown = { ...bases[1]!, diffIds: [...bases[1]!.diffIds, releases[0]!.digest] };
    const seen = await previewBundle(cargo, { ...options, releases: [releases[2]!], bases: [unknown] });
    expect(seen.bases).toMatchObject([{ unknownLayers: 1 }]);
  });

  test("of a full bundle tells its size too", async () => {
    const { cargo, options } = await sampleCargo();
    const seen = await previewBundle(cargo, options);
    const { length } = await packed(cargo, options);
    expect(seen).toMatchObject({ kind: "full", volumeCount: 1, bases: [], layersLeftOut: [] });
    expect(Math.abs(seen.sizeBytes / length - 1)).toBeLessThan(0.05);
  });
});
