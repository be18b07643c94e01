import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes, Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import { expect, test } from "vitest";
import type { Hold } from "./hold.ts";
import { digestOf } from "./hold-files.ts";
import { gather, imageOf, inChunks, noise, type TestEntry, TestHolds, tarOf } from "./test-images.ts";

const NOW = 1_000_000;
const MIB = 1024 * 1024;

/** What is in a volume of a small shop. */
function volumeFiles(seed: number): TestEntry[] {
  return [
    { name: "./", type: "directory", mode: 0o700, uid: 999, gid: 999 },
    { name: "./base/", type: "directory" },
    { name: "./base/table", uid: 999, body: noise(900_000, seed) },
    { name: "./base/again", type: "link", linkname: "base/table" },
    { name: "./current", type: "symlink", linkname: "base/table" },
    { name: `./${"long-".repeat(50)}name`, body: "text" },
    { name: "./书店", body: noise(300, seed + 1) },
    { name: "./empty", body: "" },
  ];
}

async function rejects(act: Promise<unknown>, code: string): Promise<void> {
  await expect(act.catch((error: unknown) => (isProblem(error) ? error.code : error))).resolves.toBe(code);
}

/** Takes volumes as a snapshot: an image with a layer for each, named by a reference. */
async function takeSnapshot(hold: Hold, name: string, tars: readonly Buffer[]): Promise<Digest> {
  const diffIds: Digest[] = [];
  for (const tar of tars) diffIds.push((await hold.captureLayer(inChunks(tar))).diffId);
  const { imageId, config } = imageOf(tars, { config: { Labels: { app: "shop" } } });
  const image = await hold.addImage({ imageId, config });
  expect(image.layers).toEqual(tars.map((tar, at) => ({ diffId: diffIds[at], size: tar.length })));
  await hold.setReference(name, image.config);
  return imageId;
}

async function prune(hold: Hold): Promise<void> {
  const inputs = { protect: [], now: NOW + 10, keepYoungerThanMs: 5 };
  await hold.executePrune(await hold.planPrune(inputs));
}

const noEnd = async () => (await tarOf(volumeFiles(1))).subarray(0, -1024);
const kept: readonly (readonly [string, () => Promise<Buffer>])[] = [
  ["a volume with links, long names and owners", () => tarOf(volumeFiles(1))],
  ["an empty volume", () => tarOf([])],
  [
    "a tar padded to ten kilobytes",
    async () => Buffer.concat([await tarOf(volumeFiles(1)), Buffer.alloc(10_240)]),
  ],
  ["a tar with bytes after its end", async () => Buffer.concat([await tarOf(volumeFiles(1)), noise(700, 3)])],
  [
    "two tars, one after the other",
    async () => Buffer.concat([await tarOf([]), await tarOf(volumeFiles(1))]),
  ],
  ["what is no tar", async () => noise(900_000, 7)],
  ["a tar that goes wrong in the middle", async () => Buffer.concat([await noEnd(), noise(5000, 4)])],
];
test.each(kept)("%s is kept to the byte", async (_, make) => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const tar = await make();
  const layer = { diffId: digestOf(tar), size: tar.length };
  for (const size of [65_536, 777]) expect(await hold.captureLayer(inChunks(tar, size))).toEqual(layer);
  const again = await holds.reopen(hold);
  expect(await again.stat(layer.diffId)).toEqual({ size: tar.length });
  expect((await gather(again.read(layer.diffId))).equals(tar)).toBe(true);
  const range = { start: 500, end: 1030 };
  expect((await gather(again.read(layer.diffId, range))).equals(tar.subarray(500, 1030))).toBe(true);
  expect((await again.check()).damage).toEqual([]);
});

const cutOff: readonly (readonly [string, (tar: Buffer) => Buffer])[] = [
  ["in a file", (tar) => tar.subarray(0, 300_000)],
  ["in a header", (tar) => tar.subarray(0, 700)],
  ["in the padding of a file", (tar) => tar.subarray(0, tar.length - 1024 - 100)],
  ["between two files", (tar) => tar.subarray(0, 1024)],
  ["before the mark at the end", (tar) => tar.subarray(0, -1024)],
  ["in the mark at the end", (tar) => tar.subarray(0, -512)],
  ["before its first byte", () => Buffer.alloc(0)],
];
test.each(cutOff)("a stream that ends %s is refused, and leaves nothing", async (_, cut) => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const bytes = cut(await tarOf([...volumeFiles(1), { name: "./last", body: noise(300, 9) }]));
  await rejects(hold.captureLayer(inChunks(bytes)), "CONTENT_INVALID");
  expect(await hold.stat(digestOf(bytes))).toBeUndefined();
  expect(await readdir(join(holds.folders[0]!, "temp"))).toEqual([]);
  expect(await hold.stats()).toMatchObject({ layers: { count: 0 } });
});

async function* failing(tar: Buffer): AsyncGenerator<Uint8Array> {
  yield* inChunks(tar.subarray(0, 400_000));
  throw new Error("the engine went away");
}

test("a stream that fails leaves nothing but pieces, which the next pruning frees", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh({ now: () => NOW, packSizeBytes: 100_000 });
  const tar = await tarOf(volumeFiles(1));
  await expect(hold.captureLayer(failing(tar))).rejects.toThrow("the engine went away");
  expect(await hold.stats()).toMatchObject({ layers: { count: 0 }, images: 0 });
  expect(await readdir(join(holds.folders[0]!, "temp"))).toEqual([]);
  await prune(hold);
  expect(await hold.stats()).toMatchObject({ packs: { count: 0 }, pieces: { count: 0 } });
  expect(await hold.captureLayer(inChunks(tar))).toMatchObject({ diffId: digestOf(tar) });
});

test("it tells how far it is, and an abort stops it in the reading as in the checking", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const tar = await tarOf(volumeFiles(1));
  for (const stage of ["read", "verify"]) {
    const stop = new AbortController();
    const capture = hold.captureLayer(inChunks(tar), {
      signal: stop.signal,
      onProgress: (progress) => progress.stage === stage && stop.abort(new Error("enough")),
    });
    await expect(capture).rejects.toThrow("enough");
    expect(await hold.stat(digestOf(tar))).toBeUndefined();
  }
  const told: unknown[] = [];
  await hold.captureLayer(inChunks(tar), { onProgress: (progress) => told.push(progress) });
  expect(told).toContainEqual({ stage: "read", done: tar.length });
  expect(told.at(-1)).toEqual({ stage: "verify", done: tar.length, total: tar.length });
});

test("volumes captured side by side share what they have in common", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const tars = await Promise.all([1, 2, 1].map((seed) => tarOf(volumeFiles(seed))));
  const layers = await Promise.all(tars.map((tar) => hold.captureLayer(inChunks(tar))));
  expect(layers.map(({ diffId }) => diffId)).toEqual(tars.map(digestOf));
  for (const [at, tar] of tars.entries())
    expect((await gather(hold.read(layers[at]!.diffId))).equals(tar)).toBe(true);
  expect((await hold.stats()).layers.count).toBe(2);
});

test("a snapshot stays while it is named, and what it alone needs goes when it is not", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh({ now: () => NOW, packSizeBytes: 2 * MIB });
  const [data, logs, other] = await Promise.all([1, 20, 40].map((seed) => tarOf(volumeFiles(seed))));
  const first = await takeSnapshot(hold, "data/first", [data!, logs!]);
  const second = await takeSnapshot(hold, "data/second", [data!, other!]);
  await prune(hold);
  for (const tar of [data!, logs!, other!])
    expect((await gather(hold.read(digestOf(tar)))).equals(tar)).toBe(true);
  expect(await hold.removeReference("data/first")).toBe(true);
  await prune(hold);
  expect(await hold.image(first)).toBeUndefined();
  expect(await hold.stat(digestOf(logs!))).toBeUndefined();
  expect((await hold.image(second))?.layers).toHaveLength(2);
  for (const tar of [data!, other!]) expect((await gather(hold.read(digestOf(tar)))).equals(tar)).toBe(true);
  expect((await hold.check()).damage).toEqual([]);
  await hold.removeReference("data/second");
  await prune(hold);
  expect(await hold.stats()).toMatchObject({ layers: { count: 0 }, images: 0, packs: { count: 0 } });
});

test("a reference to a layer protects it until its image is there", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh({ now: () => NOW });
  const tar = await tarOf(volumeFiles(1));
  const { diffId, size } = await hold.captureLayer(inChunks(tar));
  await hold.setReference("data/first/0", { mediaType: "application/x-tar", digest: diffId, size });
  await prune(hold);
  expect((await gather(hold.read(diffId))).equals(tar)).toBe(true);
  await hold.removeReference("data/first/0");
  await prune(hold);
  expect(await hold.stat(diffId)).toBeUndefined();
});

test.each([0, 200, 512])("a snapshot of %i volumes is an image like any other", async (count) => {
  await using holds = new TestHolds();
  const hold = await holds.fresh({ now: () => NOW });
  // Few of them differ, for the sake of time: each is synced several times.
  const some = await Promise.all([0, 1, 2].map((at) => tarOf([{ name: `f-${at}`, body: noise(300, at) }])));
  for (const tar of some) await hold.captureLayer(inChunks(tar));
  const image = imageOf(Array.from({ length: count }, (_, at) => some[at % some.length]!));
  const held = await hold.addImage({ imageId: image.imageId, config: image.config });
  expect(held.layers).toHaveLength(count);
  await hold.setReference("data/many", held.config);
  await prune(hold);
  expect(await hold.image(image.imageId)).toEqual(held);
  expect((await hold.check()).damage).toEqual([]);
});

test("an image of 513 volumes, or with one that is not held, is refused", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const tar = await tarOf([]);
  const many = imageOf(Array.from({ length: 513 }, () => tar));
  await rejects(hold.addImage(many), "HOLD_IMAGE_INVALID");
  await rejects(hold.addImage(imageOf([tar])), "CONTENT_ABSENT");
});

test("a snapshot crosses to another hold, and is the same there", async () => {
  await using holds = new TestHolds();
  const [here, there] = [await holds.fresh(), await holds.fresh()];
  const tars = await Promise.all([1, 20].map((seed) => tarOf(volumeFiles(seed))));
  const imageId = await takeSnapshot(here, "data/first", tars);
  const diffIds = tars.map(digestOf);
  for await (const pack of here.packs(diffIds, { level: 9, packSizeBytes: MIB })) await there.addPack(pack);
  for await (const { diffId, bytes } of here.recipes(diffIds))
    await there.addLayer({ diffId, recipe: bytes });
  const config = await here.readBlob(imageId);
  expect(await there.addImage({ imageId, config })).toEqual(await here.image(imageId));
  for (const tar of tars) expect((await gather(there.read(digestOf(tar)))).equals(tar)).toBe(true);
  // What is there already is not stored again.
  const before = (await there.stats()).pieces.count;
  await there.captureLayer(inChunks(tars[0]!));
  expect((await there.stats()).pieces.count).toBe(before);
});

/** Bytes of pieces that the hold gains by a capture. */
async function gain(hold: Hold, tar: Bytes): Promise<number> {
  const before = (await hold.stats()).pieces.bytes;
  await hold.captureLayer(tar);
  return (await hold.stats()).pieces.bytes - before;
}

const changes: readonly (readonly [string, (file: Buffer) => Buffer, number])[] = [
  ["nothing but its time", (file) => file, 0],
  ["one page of 8 KiB", (file) => file.fill(1, 5 * MIB, 5 * MIB + 8192), 512 * 1024],
  ["100 bytes put in at the front", (file) => Buffer.concat([noise(100, 9), file]), 512 * 1024],
  ["100 bytes added at the end", (file) => Buffer.concat([file, noise(100, 9)]), 512 * 1024],
];
test.each(changes)("of a large file in which changed %s, little is stored again", async (_, change, most) => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const file = noise(16 * MIB, 1);
  await hold.captureLayer(inChunks(await tarOf([{ name: "./ibdata1", body: file }])));
  const after = await tarOf([{ name: "./ibdata1", mtime: new Date(1_800_000_000_000), body: change(file) }]);
  expect(await gain(hold, inChunks(after))).toBeLessThanOrEqual(most);
});
