import type { Digest } from "@sampan/content";
import fc from "fast-check";
import { expect, test } from "vitest";
import { capture, formOf, layersBeyond, layersOf, load, PACK_SIZE, sizeOf, unload } from "./test-cargo.ts";
import { gather, imageOf, noise, type TestEntry, TestHolds, type TestImage, tarOf } from "./test-images.ts";

/** The same bytes with a little of them changed. */
function edited(bytes: Buffer, seed: number): Buffer {
  const copy = Buffer.from(bytes);
  noise(20, seed).copy(copy, Math.floor(copy.length / 3));
  return copy;
}

/** A hundred files and a large one; in the second a tenth of them is changed, one is new, and all are of another time. */
async function twoVersions(): Promise<{ readonly old: TestImage; readonly fresh: TestImage }> {
  const versionOf = async (edit: (body: Buffer, number: number) => Buffer, mtime: Date) => {
    const files: TestEntry[] = Array.from({ length: 100 }, (_, number) => ({
      name: `srv/app/node_modules/package-${number}/index.js`,
      body: edit(noise(5000 + 10 * number, number), number),
      mtime,
    }));
    return [...files, { name: "srv/data", body: edit(noise(900_000, 1000), 1000), mtime }];
  };
  const base = await tarOf([{ name: "lib/base", body: noise(50_000, 500) }]);
  const oldFiles = await versionOf((body) => body, new Date(1_700_000_000_000));
  const edit = (body: Buffer, number: number) => (number % 10 === 0 ? edited(body, number) : body);
  const newFiles = await versionOf(edit, new Date(1_710_000_000_000));
  const old = imageOf([base, await tarOf(oldFiles)]);
  const fresh = imageOf([base, await tarOf([...newFiles, { name: "srv/added", body: noise(3000, 2000) }])]);
  return { old, fresh };
}

async function pruneAllBut(hold: Awaited<ReturnType<TestHolds["fresh"]>>, imageId: Digest): Promise<void> {
  const inputs = { protect: [imageId], now: Date.now() + 10, keepYoungerThanMs: 0 };
  await hold.executePrune(await hold.planPrune(inputs));
}

test.each([3, 9, 19])(
  "an increment at level %i carries what changed, and nothing that is kept needs the base any more",
  async (level) => {
    await using holds = new TestHolds();
    const { old, fresh } = await twoVersions();
    const vendor = await holds.fresh({ packSizeBytes: PACK_SIZE });
    await capture(vendor, old, fresh);
    const site = await holds.fresh();
    await unload(site, await load(vendor, layersOf(old)));
    const increment = await load(vendor, layersBeyond(fresh, old), { base: [old.diffIds], level });
    expect(increment.packs.map(formOf)).toContain(2);
    expect(increment.recipes.map(formOf)).toEqual([2]);
    expect(sizeOf(increment)).toBeLessThan(8000);
    await unload(site, increment);
    await site.addImage(fresh);
    expect(await load(site, layersOf(fresh))).toEqual(await load(vendor, layersOf(fresh)));
    await pruneAllBut(site, fresh.imageId);
    expect(await site.hasLayer(old.diffIds[1]!)).toBe(false);
    expect((await site.check()).damage).toEqual([]);
    expect((await gather(site.read(fresh.diffIds[1]!))).equals(fresh.layers[1]!)).toBe(true);
  },
);

test("a rebuilt image with the same content and new times is next to nothing", async () => {
  await using holds = new TestHolds();
  const build = (mtime: Date) =>
    tarOf(Array.from({ length: 500 }, (_, n) => ({ name: `lib/file-${n}`, body: noise(3000, n), mtime })));
  const old = imageOf([await build(new Date(1_700_000_000_000))]);
  const fresh = imageOf([await build(new Date(1_710_000_000_000))]);
  const vendor = await holds.fresh();
  await capture(vendor, old, fresh);
  const increment = await load(vendor, fresh.diffIds, { base: [old.diffIds] });
  expect(increment.packs).toEqual([]);
  expect(sizeOf(increment)).toBeLessThan(1000);
  const site = await holds.fresh();
  await capture(site, old);
  await unload(site, increment);
  expect((await gather(site.read(fresh.diffIds[0]!))).equals(fresh.layers[0]!)).toBe(true);
});

test("one increment serves two starting points with what both of them have", async () => {
  await using holds = new TestHolds();
  const files = (numbers: readonly number[], mark = 0) =>
    tarOf(numbers.map((n) => ({ name: `lib/file-${n}`, body: edited(noise(9000, n), mark) })));
  const [older, old, fresh] = [
    imageOf([await files([1, 2, 3, 4])]),
    imageOf([await files([3, 4, 5, 6])]),
    imageOf([await files([1, 3, 4, 5, 7]), await files([3, 4], 9)]),
  ];
  const vendor = await holds.fresh();
  await capture(vendor, older, old, fresh);
  const base = [older.diffIds, old.diffIds];
  const measured = await vendor.measure(fresh.diffIds, { base });
  expect(measured).toMatchObject({
    pieceCount: 5,
    increment: { reusedPieceCount: 2, unknownLayers: [0, 0] },
  });
  const increment = await load(vendor, fresh.diffIds, { base });
  for (const start of [older, old]) {
    const site = await holds.fresh();
    await capture(site, start);
    await unload(site, increment);
    expect(await load(site, fresh.diffIds)).toEqual(await load(vendor, fresh.diffIds));
    expect((await site.check()).damage).toEqual([]);
  }
});

test("what the vendor does not hold of a base is not counted on, and is told", async () => {
  await using holds = new TestHolds();
  const { old, fresh } = await twoVersions();
  const vendor = await holds.fresh();
  await capture(vendor, fresh);
  const base = [old.diffIds, fresh.diffIds];
  const { increment } = await vendor.measure(fresh.diffIds, { base });
  expect(increment).toMatchObject({ unknownLayers: [1, 0], reusedPieceCount: 1 });
  const stranger = [[old.diffIds[1]!]];
  expect(await load(vendor, fresh.diffIds, { base: stranger })).toEqual(await load(vendor, fresh.diffIds));
  expect(await load(vendor, fresh.diffIds, { base: [] })).toEqual(await load(vendor, fresh.diffIds));
});

test("a measure tells what is new and why, and how many packs of what size there will be", async () => {
  await using holds = new TestHolds();
  const { old, fresh } = await twoVersions();
  const vendor = await holds.fresh();
  await capture(vendor, old, fresh);
  const base = [old.diffIds];
  const packing = { level: 3, packSizeBytes: PACK_SIZE };
  const measured = await vendor.measure(fresh.diffIds, { base, packing });
  const cargo = await load(vendor, fresh.diffIds, { base });
  const bytes = (files: readonly { readonly bytes: Uint8Array }[]) =>
    files.reduce((sum, file) => sum + file.bytes.length, 0);
  expect(measured.packCount).toBe(cargo.packs.length);
  expect(measured.packBytes).toBe(bytes(cargo.packs));
  expect(measured.recipeBytes).toBe(bytes(cargo.recipes));
  const news = measured.increment?.layers.get(fresh.diffIds[1]!);
  expect(measured.increment?.layers.size).toBe(1);
  expect(news).toMatchObject({ newFiles: 1, changedFiles: 11, newBytes: measured.pieceBytes });
  expect(news?.largest[0]).toMatchObject({ path: "srv/data", kind: "changed" });
  expect(news?.largest).toContainEqual({ path: "srv/added", kind: "new", newBytes: 3000 });
  const full = await vendor.measure(fresh.diffIds, { packing });
  const whole = await load(vendor, fresh.diffIds);
  expect([full.packCount, full.packBytes]).toEqual([whole.packs.length, bytes(whole.packs)]);
  expect(full.increment).toBeUndefined();
});

/** A file as a seed and what became of it in the second version. */
const someFile = fc.record({
  size: fc.oneof(fc.nat(200), fc.nat(20_000), fc.integer({ min: 250_000, max: 700_000 })),
  fate: fc.constantFrom("kept", "edited", "removed", "renamed", "moved", "grown"),
  kind: fc.constantFrom("noise", "text"),
  isIn: fc.nat(1),
});
const someImages = fc.record({
  files: fc.array(someFile, { minLength: 1, maxLength: 12 }),
  added: fc.array(fc.nat(30_000), { maxLength: 3 }),
  isRetimed: fc.boolean(),
  bases: fc.integer({ min: 1, max: 2 }),
  level: fc.constantFrom(3, 9),
});
type SomeFile = typeof someFile extends fc.Arbitrary<infer T> ? T : never;

function bodyOf({ size, kind }: SomeFile, number: number): Buffer {
  const bytes = noise(size, number);
  return kind === "noise" ? bytes : Buffer.from(bytes.toString("hex").slice(0, size));
}

function freshEntry(file: SomeFile, number: number): (TestEntry & { readonly layer: number })[] {
  const body = bodyOf(file, number);
  const entry = { name: `lib/file-${number}.${number % 3}.js`, body, layer: file.isIn };
  if (file.fate === "removed") return [];
  if (file.fate === "edited") return [{ ...entry, body: edited(body, number + 77) }];
  if (file.fate === "grown")
    return [{ ...entry, body: Buffer.concat([body.subarray(0, 50), noise(300, number), body.subarray(50)]) }];
  if (file.fate === "renamed")
    return [{ ...entry, name: `lib/other-${number}.js`, body: edited(body, number) }];
  if (file.fate === "moved") return [{ ...entry, layer: 1 - file.isIn }];
  return [entry];
}

test("any increment applied to its base equals the full bundle, and outlives the base", async () => {
  await fc.assert(
    fc.asyncProperty(someImages, async ({ files, added, isRetimed, bases, level }) => {
      await using holds = new TestHolds();
      const layered = async (entries: readonly (TestEntry & { readonly layer: number })[], mtime: Date) =>
        imageOf(
          await Promise.all(
            [0, 1].map((layer) =>
              tarOf(entries.filter((entry) => entry.layer === layer).map((entry) => ({ ...entry, mtime }))),
            ),
          ),
        );
      const oldTime = new Date(1_700_000_000_000);
      const oldEntries = files.map((file, number) => ({
        name: `lib/file-${number}.${number % 3}.js`,
        body: bodyOf(file, number),
        layer: file.isIn,
      }));
      const old = await layered(oldEntries, oldTime);
      const half = await layered(
        oldEntries.filter((_, number) => number % 2 === 0),
        oldTime,
      );
      const newEntries = added.map((size, number) => ({
        name: `lib/new-${number}`,
        body: noise(size, 900 + number),
        layer: 0,
      }));
      const entries = [...files.flatMap(freshEntry), ...newEntries];
      const fresh = await layered(entries, isRetimed ? new Date(1_710_000_000_000) : oldTime);
      const vendor = await holds.fresh({ packSizeBytes: PACK_SIZE });
      await capture(vendor, old, half, fresh);
      const starts = [old, half].slice(0, bases);
      const base = starts.map(({ diffIds }) => diffIds);
      const increment = await load(vendor, layersBeyond(fresh, ...starts), { base, level });
      const full = await load(vendor, layersOf(fresh));
      expect(sizeOf(increment)).toBeLessThanOrEqual(sizeOf(full) + 2000);
      for (const start of starts) {
        const site = await holds.fresh();
        await unload(site, await load(vendor, layersOf(start)));
        await unload(site, increment);
        expect(await site.addImage(fresh)).toEqual(await vendor.image(fresh.imageId));
        expect(await load(site, layersOf(fresh))).toEqual(full);
        if (bases === 1)
          expect(await load(site, layersBeyond(fresh, ...starts), { base, level })).toEqual(increment);
        expect((await site.check()).damage).toEqual([]);
        await pruneAllBut(site, fresh.imageId);
        expect((await site.check()).damage).toEqual([]);
        expect(await load(site, layersOf(fresh))).toEqual(full);
      }
    }),
    { numRuns: 15 },
  );
});
