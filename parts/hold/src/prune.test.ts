import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { MEDIA_TYPE, type PackFile } from "@sampan/content";
import { expect, test } from "vitest";
import type { Hold } from "./hold.ts";
import { digestOf } from "./hold-files.ts";
import type { PruneInputs } from "./prune-plan.ts";
import {
  classicSave,
  gather,
  imageOf,
  inChunks,
  noise,
  TestHolds,
  type TestImage,
  tarOf,
} from "./test-images.ts";

const NOW = 1_000_000;
const clock = () => NOW;
const inputs = (more: Partial<PruneInputs> = {}): PruneInputs => ({
  protect: [],
  now: NOW + 10,
  keepYoungerThanMs: 5,
  ...more,
});

/** Three images: files of the second and third are in one pack, of which the second has little. */
async function someImages(): Promise<[TestImage, TestImage, TestImage]> {
  const layer = (from: number, count: number) =>
    tarOf(
      Array.from({ length: count }, (_, number) => ({
        name: `f-${from + number}`,
        body: noise(20_000, from + number),
      })),
    );
  return [
    imageOf([await layer(0, 12)]),
    imageOf([await layer(0, 12), await layer(20, 3)]),
    imageOf([await layer(40, 12)]),
  ];
}

async function holdWith(holds: TestHolds, images: readonly TestImage[]): Promise<Hold> {
  const hold = await holds.fresh({ now: clock, packSizeBytes: 4_000_000 });
  await hold.captureImages(inChunks(await classicSave(images)));
  return hold;
}

async function storedBytes(holds: TestHolds): Promise<number> {
  const folder = holds.folders.at(-1)!;
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile() && !file.name.startsWith("index.sqlite"))
    .map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function isWhole(hold: Hold, image: TestImage): Promise<boolean> {
  for (const [at, diffId] of image.diffIds.entries()) {
    if ((await hold.stat(diffId)) === undefined) return false;
    if (!(await gather(hold.read(diffId))).equals(image.layers[at]!)) return false;
  }
  return (await hold.image(image.imageId)) !== undefined && (await hold.stat(image.imageId)) !== undefined;
}

test("what nothing protects goes, and frees what the plan said", async () => {
  await using holds = new TestHolds();
  const hold = await holdWith(holds, await someImages());
  const before = await storedBytes(holds);
  const plan = await hold.planPrune(inputs());
  expect(plan.keeps).toEqual([]);
  expect(await storedBytes(holds)).toBe(before);
  const result = await hold.executePrune(plan);
  expect(result).toMatchObject({ images: 3, layers: 3, packsRewritten: 0, bytesFreed: plan.bytesFreed });
  expect(await storedBytes(holds)).toBe(before - plan.bytesFreed);
  expect(await hold.stats()).toMatchObject({ images: 0, packs: { count: 0 }, pieces: { count: 0 } });
});

test("protected and referred images stay whole; a pack that is mostly dead is written anew", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holdWith(holds, images);
  const before = await storedBytes(holds);
  const plan = await hold.planPrune(inputs({ protect: [images[2].imageId] }));
  expect(plan.keeps).toEqual([{ imageId: images[2].imageId, because: "its release is in use" }]);
  expect(plan.goes.images.toSorted()).toEqual([images[0].imageId, images[1].imageId].toSorted());
  expect(plan.goes.rewrites).toHaveLength(1);
  const result = await hold.executePrune(plan);
  expect(result.packsRewritten).toBe(1);
  expect(await storedBytes(holds)).toBe(before - result.bytesFreed);
  expect(Math.abs(result.bytesFreed - plan.bytesFreed)).toBeLessThan(plan.bytesFreed / 20);
  expect(await isWhole(hold, images[2])).toBe(true);
  expect(await hold.image(images[0].imageId)).toBeUndefined();
  const again = await holds.reopen(hold);
  expect(await isWhole(again, images[2])).toBe(true);
  expect((await again.check()).damage).toEqual([]);
  await again.captureImages(inChunks(await classicSave(images)));
  expect(await isWhole(again, images[1])).toBe(true);
});

test("a reference to a manifest, an index or an image ID protects the image, and says so", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holdWith(holds, images);
  const held = await hold.image(images[1].imageId);
  const index = Buffer.from(JSON.stringify({ manifests: [{ digest: held!.manifest.digest }] }));
  await hold.writeBlob(digestOf(index), index);
  const targets = [
    held!.manifest,
    { mediaType: MEDIA_TYPE.ociIndex, digest: digestOf(index), size: index.length },
    held!.config,
  ];
  for (const target of targets) {
    await hold.setReference("registry/tag", target);
    const plan = await hold.planPrune(inputs());
    expect(plan.keeps).toEqual([{ imageId: images[1].imageId, because: "reference registry/tag" }]);
    expect(plan.goes.layers.map(({ diffId }) => diffId)).toEqual(images[2].diffIds);
    expect(plan.goes.blobs.map(({ digest }) => digest)).not.toContain(target.digest);
  }
  await hold.executePrune(await hold.planPrune(inputs()));
  expect(await isWhole(hold, images[1])).toBe(true);
});

test("what is young stays", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holdWith(holds, images);
  const plan = await hold.planPrune(inputs({ keepYoungerThanMs: 11 }));
  expect(plan.goes).toEqual({ images: [], layers: [], blobs: [], packs: [], rewrites: [] });
  expect(plan.keeps).toHaveLength(3);
});

test("what came into use after the plan was made is not taken", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holdWith(holds, images);
  const plan = await hold.planPrune(inputs());
  const held = await hold.image(images[0].imageId);
  await hold.setReference("release/late", held!.config);
  await hold.executePrune(plan);
  expect(await isWhole(hold, images[0])).toBe(true);
  expect(await hold.image(images[2].imageId)).toBeUndefined();
});

test("a reader that began before a pack was written anew goes on", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holds.reopen(await holdWith(holds, images));
  const reading = hold.read(images[2].diffIds[0]!);
  const chunks = [(await reading.next()).value as Uint8Array];
  await hold.executePrune(
    await hold.planPrune({ protect: [images[2].imageId], now: Date.now() + 10, keepYoungerThanMs: 5 }),
  );
  for await (const chunk of reading) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(images[2].layers[0]!)).toBe(true);
});

test("packs of a bundle that is still arriving stay as long as its manifest is referred to", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const vendor = await holdWith(holds, images);
  const wanted = [...new Set(images.flatMap(({ diffIds }) => diffIds))];
  const site = await holds.fresh({ now: clock });
  const packs: PackFile[] = [];
  for await (const pack of vendor.packs(wanted, { level: 3, packSizeBytes: 200_000 })) packs.push(pack);
  for (const pack of packs) await site.addPack(pack);
  const layers = packs.map(({ digest, bytes }) => ({
    mediaType: MEDIA_TYPE.pack,
    digest,
    size: bytes.length,
  }));
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, layers }),
  );
  const target = { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(manifest), size: manifest.length };
  await site.writeBlob(target.digest, manifest);
  await site.setReference("import/one", target);
  await site.executePrune(await site.planPrune(inputs()));
  for (const { digest } of packs) expect(await site.hasPack(digest)).toBe(true);
  await site.removeReference("import/one");
  await site.executePrune(await site.planPrune(inputs()));
  for (const { digest } of packs) expect(await site.hasPack(digest)).toBe(false);
});
