import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PackFile } from "@sampan/content";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Hold } from "./hold.ts";
import { digestOf } from "./hold-files.ts";
import { decodePack, readPackFrame } from "./pack.ts";
import { capture, formOf, load, rejects, type TestCargo, unload } from "./test-cargo.ts";
import { imageOf, noise, TestHolds, type TestImage, tarOf } from "./test-images.ts";

interface Increment extends TestCargo {
  readonly old: TestImage;
  readonly fresh: TestImage;
  readonly vendor: Hold;
}

/** One pack of codec 2, one recipe of coding 2. */
async function someIncrement(holds: TestHolds): Promise<Increment> {
  const files = (mark: number) =>
    Array.from({ length: 30 }, (_, number) => {
      const body = noise(6000, number);
      if (number % 4 === 0) body[100]! ^= mark;
      return { name: `lib/file-${number}`, body, mtime: new Date(1_700_000_000_000 + mark * 1e6) };
    });
  const [old, fresh] = [imageOf([await tarOf(files(0))]), imageOf([await tarOf(files(1))])];
  const vendor = await holds.fresh();
  await capture(vendor, old, fresh);
  const cargo = await load(vendor, fresh.diffIds, { base: [old.diffIds] });
  expect([...cargo.packs, ...cargo.recipes].map(formOf)).toEqual([2, 2]);
  return { ...cargo, old, fresh, vendor };
}

const named = (bytes: Buffer): PackFile => ({ digest: digestOf(bytes), bytes });

/** The pack with some bytes of its own start put in place of what was there. */
function patched(pack: PackFile, at: number, write: (field: Buffer) => void): PackFile {
  const bytes = Buffer.from(pack.bytes);
  write(bytes.subarray(at));
  return named(bytes);
}

async function siteWith(holds: TestHolds, ...images: readonly TestImage[]): Promise<Hold> {
  const site = await holds.fresh();
  await capture(site, ...images);
  return site;
}

test("without its base an increment is refused, says what it needs, and leaves nothing", async () => {
  await using holds = new TestHolds();
  const { packs, recipes, fresh, old } = await someIncrement(holds);
  const site = await holds.fresh();
  const folder = holds.folders.at(-1)!;
  await expect(site.addPack(packs[0]!)).rejects.toMatchObject({
    code: "CONTENT_ABSENT",
    message: expect.stringMatching(/needs \d+ pieces of its base/),
  });
  const { diffId, bytes: recipe } = recipes[0]!;
  await expect(site.addLayer({ diffId, recipe })).rejects.toMatchObject({
    code: "CONTENT_ABSENT",
    message: expect.stringContaining(old.diffIds[0]!),
  });
  expect(await site.hasPack(packs[0]!.digest)).toBe(false);
  expect(await site.hasLayer(fresh.diffIds[0]!)).toBe(false);
  expect(await site.stats()).toMatchObject({ pieces: { count: 0 }, layers: { count: 0 } });
  await expect.poll(() => readdir(join(folder, "temp"))).toEqual([]);
  expect(await readdir(join(folder, "packs"))).toEqual([]);
});

test("one piece of the base that is lacking is enough to refuse a pack, and the pack comes in once it is there", async () => {
  await using holds = new TestHolds();
  const { packs, recipes, old, vendor } = await someIncrement(holds);
  const missing = readPackFrame(packs[0]!.bytes).dictionary!.idPrefixes[0]!;
  const site = await holds.fresh();
  const { packs: basePacks, recipes: baseRecipes } = await load(vendor, old.diffIds);
  expect(basePacks).toHaveLength(1);
  const run = await decodePack(basePacks[0]!.bytes);
  const lost = run.ids.findIndex((id) => Buffer.compare(id.subarray(0, 16), missing) === 0);
  expect(lost).toBeGreaterThanOrEqual(0);
  const pieces = run.lengths.map((length, at) => run.raw.subarray(6000 * at, 6000 * at + length));
  const others = imageOf([
    await tarOf(pieces.filter((_, at) => at !== lost).map((body, at) => ({ name: `${at}`, body }))),
  ]);
  await capture(site, others);
  await expect(site.addPack(packs[0]!)).rejects.toMatchObject({
    code: "CONTENT_ABSENT",
    message: expect.stringContaining("needs 1 pieces"),
  });
  await unload(site, { packs: basePacks, recipes: baseRecipes });
  await unload(site, { packs, recipes });
  expect((await site.check()).damage).toEqual([]);
});

test("damage in the base is as if it were not held", async () => {
  await using holds = new TestHolds();
  const { packs, old } = await someIncrement(holds);
  const site = await siteWith(holds, old);
  const folder = join(holds.folders.at(-1)!, "packs");
  await rm(folder, { recursive: true });
  await site.check();
  await rejects(site.addPack(packs[0]!), "CONTENT_ABSENT");
});

const spoiling = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bit: fc.nat(7),
  cut: fc.boolean(),
});

function spoil(bytes: Uint8Array, { at, bit, cut }: { at: number; bit: number; cut: boolean }): Buffer {
  const place = Math.floor(at * bytes.length);
  const copy = Buffer.from(cut ? bytes.subarray(0, place) : bytes);
  if (!cut) copy[place]! ^= 1 << bit;
  return copy;
}

test("wherever a pack or recipe of an increment is spoilt, it is refused, and nothing of it is kept", async () => {
  await using holds = new TestHolds();
  const { packs, recipes, old, fresh } = await someIncrement(holds);
  const site = await siteWith(holds, old);
  const before = await site.stats();
  await fc.assert(
    fc.asyncProperty(spoiling, async (how) => {
      const bytes = spoil(packs[0]!.bytes, how);
      await rejects(site.addPack({ digest: packs[0]!.digest, bytes }), "CONTENT_MISMATCH");
      await rejects(site.addPack(named(bytes)), "CONTENT_INVALID", "CONTENT_ABSENT");
    }),
    { numRuns: 150 },
  );
  expect(await site.stats()).toEqual(before);
  await site.addPack(packs[0]!);
  const { diffId, bytes } = recipes[0]!;
  const refusals = ["CONTENT_INVALID", "CONTENT_MISMATCH", "CONTENT_ABSENT"];
  await fc.assert(
    fc.asyncProperty(spoiling, async (how) => {
      const recipe = spoil(bytes, how);
      // The number of the splitter says nothing that a reader needs.
      const isSilent = recipe.length === bytes.length && recipe[11] !== bytes[11];
      if (!isSilent) await rejects(site.addLayer({ diffId, recipe }), ...refusals);
    }),
    { numRuns: 150 },
  );
  expect(await site.hasLayer(fresh.diffIds[0]!)).toBe(false);
});

test.each<{ readonly what: string; readonly at: number; readonly write: (field: Buffer) => void }>([
  { what: "no piece in its dictionary", at: 16, write: (field) => field.writeUInt32LE(0) },
  { what: "more pieces than it may have", at: 16, write: (field) => field.writeUInt32LE(8193) },
  { what: "4 billion pieces", at: 16, write: (field) => field.writeUInt32LE(0xffff_ffff) },
  { what: "a dictionary of 4 GiB", at: 20, write: (field) => field.writeUInt32LE(0xffff_ffff) },
  { what: "a dictionary of one byte too many", at: 20, write: (field) => field.writeUInt32LE((8 << 20) + 1) },
  { what: "another size than its pieces have", at: 20, write: (field) => field.writeUInt32LE(6002) },
  { what: "another digest", at: 24, write: (field) => void field.fill(7, 0, 32) },
  { what: "a codec to come", at: 10, write: (field) => field.writeUInt8(3) },
  {
    what: "two pieces of its dictionary changed over",
    at: 56,
    write: (field) => {
      const first = Buffer.from(field.subarray(0, 16));
      field.copy(field, 0, 16, 32);
      first.copy(field, 16);
    },
  },
])("a pack that announces $what is refused", async ({ at, write }) => {
  await using holds = new TestHolds();
  const { packs, old } = await someIncrement(holds);
  const site = await siteWith(holds, old);
  await rejects(site.addPack(patched(packs[0]!, at, write)), "CONTENT_INVALID");
});

test("a recipe may not ask for segments that are not there, or a recipe that was cut in another way", async () => {
  await using holds = new TestHolds();
  const { packs, recipes, old } = await someIncrement(holds);
  const site = await siteWith(holds, old);
  await site.addPack(packs[0]!);
  const { diffId, bytes } = recipes[0]!;
  const row = bytes.length - 64 - 24;
  const withField = (at: number, value: number) => {
    const recipe = Buffer.from(bytes);
    recipe.writeUInt32LE(value, at);
    return { diffId, recipe };
  };
  await rejects(site.addLayer(withField(row + 16, 1)), "CONTENT_INVALID");
  await rejects(site.addLayer(withField(row + 20, 2)), "CONTENT_INVALID");
  await rejects(site.addLayer(withField(row + 20, 0xffff_ffff)), "CONTENT_INVALID");
  await rejects(site.addLayer(withField(48, 1)), "CONTENT_ABSENT");
  await site.addLayer({ diffId, recipe: bytes });
});

test("a pack whose pieces are all held, or that comes twice, leaves no file", async () => {
  await using holds = new TestHolds();
  const { packs, recipes, old, fresh } = await someIncrement(holds);
  const site = await siteWith(holds, old, fresh);
  const before = await site.stats();
  await unload(site, { packs, recipes });
  expect(await site.stats()).toEqual(before);
  expect(await site.hasPack(packs[0]!.digest)).toBe(true);
  const other = await siteWith(holds, old);
  await unload(other, { packs, recipes });
  const once = await other.stats();
  await unload(other, { packs, recipes });
  expect(await other.stats()).toEqual(once);
});

test("packs of codec 2 are never what a hold itself keeps", async () => {
  await using holds = new TestHolds();
  const { packs, recipes, old } = await someIncrement(holds);
  await rejects(decodePack(packs[0]!.bytes), "CONTENT_INVALID");
  const site = await siteWith(holds, old);
  await unload(site, { packs, recipes });
  const reopened = await holds.reopen(site);
  expect(await reopened.hasPack(packs[0]!.digest)).toBe(true);
  expect((await reopened.check()).damage).toEqual([]);
});

test("a layer that lost a piece at the vendor is not exported in part, and a base that lost its recipe is not counted on", async () => {
  await using holds = new TestHolds();
  const { old, fresh, vendor } = await someIncrement(holds);
  const folder = holds.folders[0]!;
  const pathOf = (diffId: string) => join(folder, "recipes", diffId.slice(7, 9), diffId.slice(7));
  const base = [old.diffIds];
  await rm(pathOf(old.diffIds[0]!));
  const { increment } = await vendor.measure(fresh.diffIds, { base });
  expect(increment).toMatchObject({ unknownLayers: [1], reusedPieceCount: 0 });
  expect(await load(vendor, fresh.diffIds, { base })).toEqual(await load(vendor, fresh.diffIds));
  await rm(pathOf(fresh.diffIds[0]!));
  await rejects(load(vendor, fresh.diffIds, { base }), "CONTENT_DAMAGED");
  await rejects(vendor.measure(fresh.diffIds, { base }), "CONTENT_DAMAGED");
});
