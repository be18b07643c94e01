import type { Digest } from "@sampan/content";
import { describe, expect, test } from "vitest";
import { openBundleFrom } from "./bundle.ts";
import type { BundleDocument } from "./document.ts";
import { forgeBundle } from "./forge-bundle.ts";
import { importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { digestOf } from "./root.ts";
import { memorySource, sampleBytes, sampleKey, sampleRelease } from "./sample-bundle.ts";
import { verifyContent } from "./verify-bundle.ts";

const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

/** Release 3.0 as an increment on 2.9: the image keeps its base layer, and one more comes. Made by hand, of level 1. */
async function increment(
  change?: (document: Omit<BundleDocument, "sizes">) => Omit<BundleDocument, "sizes">,
) {
  const vendor = new MemoryCargo();
  const base = sampleBytes("base", 3000);
  const added = sampleBytes("added", 1500);
  const old = await vendor.hold([base]);
  const imageId = await vendor.hold([base, added]);
  const release = sampleRelease("3.0", [imageId]);
  const blobs = new Map<Digest, Uint8Array>([
    [release.digest, release.bytes],
    [imageId, await vendor.readBlob(imageId)],
  ]);
  const diffId = digestOf(added);
  const layers = [];
  for await (const recipe of vendor.recipes([diffId])) {
    blobs.set(recipe.digest, recipe.bytes);
    layers.push({ diffId, size: added.length, recipe: { digest: recipe.digest, size: recipe.bytes.length } });
  }
  const packs = [];
  for await (const pack of vendor.packs([diffId], { packSizeBytes: 1000 })) {
    blobs.set(pack.digest, pack.bytes);
    packs.push({ digest: pack.digest, size: pack.bytes.length });
  }
  const { bytes, imageIds, ...row } = release;
  const document: Omit<BundleDocument, "sizes"> = {
    formatVersion: 1,
    kind: "increment",
    createdBy: "sampan/0.1.0",
    policy: { minReader: 1 },
    releases: [{ ...row, size: bytes.length, images: imageIds }],
    images: [
      {
        imageId,
        configSize: blobs.get(imageId)!.length,
        diffIds: [digestOf(base), diffId],
        os: "linux",
        architecture: "amd64",
      },
    ],
    layers,
    packs,
    blobs: [],
    requires: [
      {
        release: sampleRelease("2.9", [old]).digest,
        templateId: "shop",
        templateName: "Shop",
        version: "2.9",
        diffIds: [digestOf(base)],
        pieceCount: 3,
        pieceBytes: 3000,
      },
    ],
  };
  const bundle = await openBundleFrom(memorySource(await forgeBundle(change?.(document) ?? document, blobs)));
  return { bundle, base, imageId };
}

describe("an increment", () => {
  test("is read and verified without its base", async () => {
    const { bundle } = await increment();
    await verifyContent(bundle);
    expect(bundle.document.requires?.[0]?.version).toBe("2.9");
  });

  test("is refused where its base is absent, and nothing is copied", async () => {
    const { bundle } = await increment();
    const sink = new MemoryCargo();
    await expect(importBundle(bundle, sink, { trust })).rejects.toMatchObject({
      code: "BUNDLE_BASE_MISSING",
      why: "it builds on one of: Shop 2.9 (lacks 1 of 1 layers)",
      hint: "import Shop 2.9 first; or ask for a full bundle, or for an increment on what is held here",
    });
    expect(sink.packsHeld.size).toBe(0);
  });

  test("is imported where its base is held", async () => {
    const { bundle, base, imageId } = await increment();
    const sink = new MemoryCargo();
    await sink.hold([base]);
    const imported = await importBundle(bundle, sink, { trust });
    expect(imported.images.map((image) => image.imageId)).toEqual([imageId]);
  });

  test("is imported where one of several bases is held", async () => {
    const { bundle, base } = await increment((document) => {
      const [first] = document.requires!;
      const diffIds = [...first!.diffIds, digestOf(Buffer.from("not held"))];
      return { ...document, requires: [{ ...first!, diffIds, version: "2.8" }, first!] };
    });
    const sink = new MemoryCargo();
    await sink.hold([base]);
    expect((await importBundle(bundle, sink, { trust })).images).toHaveLength(1);
  });

  test("is refused when an image needs a layer that neither it nor every base has", async () => {
    const making = increment((document) => {
      const [first] = document.requires!;
      return { ...document, requires: [first!, { ...first!, diffIds: [] }] };
    });
    await expect(making).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
  });

  test("a bundle that asks for a higher reader level is verified, but not imported", async () => {
    const { bundle, base } = await increment((document) => ({ ...document, policy: { minReader: 3 } }));
    await verifyContent(bundle);
    const sink = new MemoryCargo();
    await sink.hold([base]);
    await expect(importBundle(bundle, sink, { trust })).rejects.toMatchObject({ code: "BUNDLE_TOO_NEW" });
    expect(sink.packsHeld.size).toBe(0);
  });
});
