import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CargoSink } from "@sampan/content";
import { expect, test } from "vitest";
import type { Hold } from "../../hold/src/index.ts";
import { importBundle, openBundle, previewBundle, writeBundle } from "../src/index.ts";
import { inFolder, sampleKey } from "../src/sample-bundle.ts";
import { writeFiles } from "../src/write-bundle.ts";
import { captureShop, withHold } from "./hold-shop.ts";

const FOLDER = join(import.meta.dirname, "v1");
const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

async function take(path: string, sink: CargoSink) {
  await using bundle = await openBundle(path);
  return await importBundle(bundle, sink, { trust });
}

async function expectWhole(hold: Hold): Promise<void> {
  expect((await hold.check()).damage).toEqual([]);
}

test("the samples that a hold made import into a hold: whole, volumes from the last to the first, an increment on them", () =>
  withHold(async (hold) => {
    expect((await take(join(FOLDER, "hold.sampan"), hold)).images).toHaveLength(2);
    const volumes = (await readdir(FOLDER)).filter((name) => name.startsWith("hold-volumes")).sort();
    const missing: (readonly number[])[] = [];
    for (const name of volumes.toReversed()) missing.push((await take(join(FOLDER, name), hold)).missing);
    expect(missing).toEqual([[1, 2, 3], [1, 2], [1], []]);
    const increment = await take(join(FOLDER, "hold-increment.sampan"), hold);
    expect(increment.images).toHaveLength(2);
    await expectWhole(hold);
  }));

test("an increment of a hold gives another hold the same images, in one file and in volumes, and is previewed to 5 per cent", () =>
  inFolder((folder) =>
    withHold(async (vendor) => {
      const old = await captureShop(vendor, "2.0");
      const fresh = await captureShop(vendor, "3.0");
      const options = { ...fresh.options, bases: [old.base] };
      await writeBundle(vendor, join(folder, "old.sampan"), old.options);
      const whole = await writeBundle(vendor, join(folder, "it.sampan"), options);
      const seen = await previewBundle(vendor, options);
      expect(Math.abs(seen.sizeBytes / whole.sizeBytes - 1)).toBeLessThan(0.05);
      expect(seen.pieces.newBytes).toBe(whole.document.sizes.pieces);
      const inVolumes = { ...options, volumeSizeBytes: 36_000, packSizeBytes: 2000 };
      const { files } = await writeFiles(vendor, join(folder, "parts.sampan"), inVolumes);
      for (const paths of [[join(folder, "it.sampan")], files.map((file) => file.path).reverse()])
        await withHold(async (site) => {
          await expect(take(paths[0]!, site)).rejects.toMatchObject({ code: "BUNDLE_BASE_MISSING" });
          expect((await site.stats()).pieces.count).toBe(0);
          await take(join(folder, "old.sampan"), site);
          let last: Awaited<ReturnType<typeof take>> | undefined;
          for (const path of paths) last = await take(path, site);
          expect(last?.images).toEqual(fresh.images.toSorted((a, b) => (a.imageId < b.imageId ? -1 : 1)));
          await expectWhole(site);
        });
    }),
  ));
