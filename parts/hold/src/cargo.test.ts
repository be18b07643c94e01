import { hash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Hold } from "./hold.ts";
import { digestOf } from "./hold-files.ts";
import { encodePack } from "./pack.ts";
import { capture, layersOf, load, PACK_SIZE, rejects, unload } from "./test-cargo.ts";
import { gather, imageOf, noise, TestHolds, type TestImage, tarOf } from "./test-images.ts";

async function someImages(): Promise<TestImage[]> {
  const files = (from: number, count: number) =>
    Array.from({ length: count }, (_, number) => ({
      name: `srv/file-${from + number}`,
      body: noise(30_000 + 100 * number, from + number),
    }));
  const base = await tarOf(files(0, 20));
  return [imageOf([base, await tarOf(files(10, 15))]), imageOf([base, await tarOf(files(100, 5))])];
}

async function holdWith(holds: TestHolds, images: readonly TestImage[]): Promise<Hold> {
  const hold = await holds.fresh({ packSizeBytes: PACK_SIZE });
  await capture(hold, ...images);
  return hold;
}

test("an image crosses from one hold to another with its image ID", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const vendor = await holdWith(holds, images);
  const site = await holds.fresh();
  const cargo = await load(vendor, layersOf(...images), { level: 9 });
  await unload(site, cargo);
  for (const { imageId, config } of images) {
    expect(await site.addImage({ imageId, config })).toEqual(await vendor.image(imageId));
    expect(await site.image(imageId)).toEqual(await vendor.image(imageId));
  }
  const layer = images[0]!.layers[1]!;
  expect((await gather(site.read(images[0]!.diffIds[1]!))).equals(layer)).toBe(true);
  expect((await site.check()).damage).toEqual([]);
});

test("equal images give equal cargo, however they came into the hold", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const wanted = layersOf(...images);
  const first = await holdWith(holds, images);
  const second = await holdWith(holds, images.toReversed());
  const third = await holds.fresh();
  const cargo = await load(first, wanted);
  await unload(third, await load(first, wanted, { level: 9 }));
  expect(await load(second, wanted)).toEqual(cargo);
  expect(await load(third, wanted)).toEqual(cargo);
  expect(await load(third, wanted, { level: 9 })).toEqual(await load(first, wanted, { level: 9 }));
});

test("what is measured beforehand is what the packs hold", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holdWith(holds, images);
  const wanted = layersOf(...images);
  const { packs } = await load(hold, wanted);
  const measured = await hold.measure(wanted);
  const site = await holds.fresh();
  for (const pack of packs) await site.addPack(pack);
  const { pieces } = await site.stats();
  expect({ count: measured.pieceCount, bytes: measured.pieceBytes }).toEqual(pieces);
});

test("doing it again changes nothing, and what is held already takes no room", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const cargo = await load(await holdWith(holds, images), layersOf(...images));
  const site = await holds.fresh();
  await unload(site, cargo);
  const before = await site.stats();
  await unload(site, cargo);
  await unload(site, await load(await holdWith(holds, images), layersOf(...images), { level: 9 }));
  expect(await site.stats()).toEqual(before);
  for (const { digest } of cargo.packs) expect(await site.hasPack(digest)).toBe(true);
});

test("a layer needs its pieces, and an image its layers", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const cargo = await load(await holdWith(holds, images), layersOf(...images));
  const site = await holds.fresh();
  const { diffId, bytes: recipe } = cargo.recipes[0]!;
  await rejects(site.addLayer({ diffId, recipe }), "CONTENT_ABSENT");
  expect(await site.hasLayer(diffId)).toBe(false);
  const { imageId, config } = images[0]!;
  await rejects(site.addImage({ imageId, config }), "CONTENT_ABSENT");
  await rejects(site.addImage({ imageId: images[1]!.imageId, config }), "CONTENT_MISMATCH");
  await rejects(load(site, [diffId]), "CONTENT_ABSENT");
});

test("a recipe that makes another layer is refused", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const cargo = await load(await holdWith(holds, images), layersOf(...images));
  const site = await holds.fresh();
  for (const pack of cargo.packs) await site.addPack(pack);
  const [first, second] = cargo.recipes;
  await rejects(site.addLayer({ diffId: first!.diffId, recipe: second!.bytes }), "CONTENT_MISMATCH");
  const renamed = Buffer.from(second!.bytes);
  renamed.write(first!.diffId.slice(7), renamed.length - 48, "hex");
  await rejects(site.addLayer({ diffId: first!.diffId, recipe: renamed }), "CONTENT_MISMATCH");
  expect((await site.stats()).layers.count).toBe(0);
  // What reading spills loses its name a moment after it got it.
  await expect.poll(() => readdir(join(holds.folders.at(-1)!, "temp"))).toEqual([]);
});

/** A copy with something wrong in it. */
function spoil(bytes: Uint8Array, how: { at: number; bit: number; cut: boolean }): Buffer {
  const place = Math.floor(how.at * bytes.length);
  if (how.cut) return Buffer.from(bytes.subarray(0, place));
  const copy = Buffer.from(bytes);
  copy[place]! ^= 1 << how.bit;
  return copy;
}

const spoiling = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bit: fc.nat(7),
  cut: fc.boolean(),
});

test("a spoilt pack or recipe is refused with a problem wherever it is spoilt, even under the digest of what it became", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const vendor = await holdWith(holds, images);
  const cargo = await load(vendor, layersOf(...images));
  const site = await holds.fresh();
  for (const pack of cargo.packs.slice(1)) await site.addPack(pack);
  const refusals = ["CONTENT_INVALID", "CONTENT_MISMATCH", "CONTENT_DAMAGED", "CONTENT_ABSENT"];
  await fc.assert(
    fc.asyncProperty(spoiling, async (how) => {
      const bytes = spoil(cargo.packs[0]!.bytes, how);
      await rejects(site.addPack({ digest: cargo.packs[0]!.digest, bytes }), "CONTENT_MISMATCH");
      await rejects(site.addPack({ digest: digestOf(bytes), bytes }), "CONTENT_INVALID");
    }),
    { numRuns: 40 },
  );
  await site.addPack(cargo.packs[0]!);
  const { diffId, bytes } = cargo.recipes[0]!;
  await fc.assert(
    fc.asyncProperty(spoiling, async (how) => {
      const recipe = spoil(bytes, how);
      // The number of the splitter says nothing that a reader needs.
      const isSilent = recipe.length === bytes.length && recipe[11] !== bytes[11];
      if (!isSilent) await rejects(site.addLayer({ diffId, recipe }), ...refusals);
    }),
    { numRuns: 80 },
  );
  expect((await site.stats()).layers.count).toBe(0);
});

test("a pack whose pieces are not those it was made of is refused", async () => {
  await using holds = new TestHolds();
  const site = await holds.fresh();
  const raw = noise(1000, 1);
  const lying = await encodePack(
    { raw, lengths: [1000], ids: [hash("sha256", noise(1000, 2), "buffer")] },
    3,
  );
  await rejects(site.addPack(lying), "CONTENT_INVALID");
  const honest = await encodePack({ raw, lengths: [1000], ids: [hash("sha256", raw, "buffer")] }, 3);
  await site.addPack(honest);
  expect(await site.hasPack(honest.digest)).toBe(true);
});

test("packs that were lost to damage are asked for again, and mend the layers", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const cargo = await load(await holdWith(holds, images), layersOf(...images));
  const site = await holds.fresh();
  await unload(site, cargo);
  const folder = join(holds.folders.at(-1)!, "packs");
  const victim = cargo.packs[1]!.digest.slice(7);
  await rm(join(folder, victim.slice(0, 2), victim));
  const { damage } = await site.check();
  expect(damage[0]).toMatchObject({ kind: "pack", digest: cargo.packs[1]!.digest });
  expect(await site.hasPack(cargo.packs[1]!.digest)).toBe(false);
  expect(await site.hasLayer(images[0]!.diffIds[0]!)).toBe(false);
  await unload(site, cargo);
  expect(await site.hasLayer(images[0]!.diffIds[0]!)).toBe(true);
  expect((await site.check()).damage).toEqual([]);
});
