import { appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Hold } from "./hold.ts";
import { digestOf, HoldFiles } from "./hold-files.ts";
import {
  classicSave,
  gather,
  imageOf,
  inChunks,
  noise,
  ociSave,
  TestHolds,
  type TestImage,
  tarOf,
} from "./test-images.ts";

/** A base layer shared by two images, and a layer of each. */
async function someImages(): Promise<TestImage[]> {
  const base = await tarOf([
    { name: "bin/", type: "directory" },
    { name: "bin/busybox", mode: 0o755, body: noise(700_000, 1) },
    { name: "bin/sh", type: "symlink", linkname: "busybox" },
    { name: "etc/passwd", body: "root:x:0:0::/root:/bin/sh\n" },
  ]);
  const first = await tarOf([{ name: "app/first.js", body: noise(40_000, 2) }]);
  const second = await tarOf([
    { name: "app/second.js", body: noise(50_000, 3) },
    { name: "app/shared.js", body: noise(40_000, 2) },
  ]);
  return [imageOf([base, first]), imageOf([base, second])];
}

async function holdWith(holds: TestHolds, images: readonly TestImage[]): Promise<Hold> {
  const hold = await holds.fresh();
  await hold.captureImages(inChunks(await classicSave(images)));
  return hold;
}

async function rejects(act: Promise<unknown>, code: string): Promise<void> {
  await expect(act.catch((error: unknown) => (isProblem(error) ? error.code : error))).resolves.toBe(code);
}

async function filesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && !file.name.startsWith("index.sqlite"))
    .map((file) => file.name);
}

test("a blob is read back as it was written", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const bytes = noise(600_000, 1);
  const digest = digestOf(bytes);
  expect(await hold.write(inChunks(bytes), { digest, sizeBytesMax: bytes.length })).toEqual({
    size: bytes.length,
  });
  expect(await hold.stat(digest)).toEqual({ size: bytes.length });
  expect((await gather(hold.read(digest))).equals(bytes)).toBe(true);
  const part = await gather(hold.read(digest, { start: 299_999, end: 300_003 }));
  expect(part.equals(bytes.subarray(299_999, 300_003))).toBe(true);
});

test("what is held already is not read again when it is written", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const bytes = Buffer.from("hello");
  const expectation = { digest: digestOf(bytes), sizeBytesMax: 5 };
  await hold.write(inChunks(bytes), expectation);
  const untouchable = { [Symbol.asyncIterator]: () => expect.unreachable() };
  expect(await hold.write(untouchable, expectation)).toEqual({ size: 5 });
});

test.each([
  { what: "another digest", digest: digestOf(Buffer.from("other")), sizeBytesMax: 5 },
  { what: "more bytes than announced", digest: digestOf(Buffer.from("hello")), sizeBytesMax: 4 },
])("bytes with $what are refused, and no file is left", async ({ digest, sizeBytesMax }) => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  await rejects(hold.write(inChunks(Buffer.from("hello"), 2), { digest, sizeBytesMax }), "CONTENT_MISMATCH");
  expect(await hold.stat(digest)).toBeUndefined();
  expect(await filesIn(holds.folders[0]!)).toEqual([]);
});

test("reading what is not held is a problem", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  await rejects(gather(hold.read(digestOf(Buffer.from("x")))), "CONTENT_ABSENT");
});

test("references are set, found by prefix in pages, and removed", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const target = {
    mediaType: "text/plain",
    digest: digestOf(Buffer.from("x")),
    size: 1,
    annotations: { a: "b" },
  };
  for (const name of ["release/b", "release/a", "release/c", "tag/a", "releasf"])
    await hold.setReference(name, target);
  const names = async (page: { after?: string; limit: number }) =>
    (await hold.listReferences("release/", page)).map(({ name }) => name);
  expect(await names({ limit: 2 })).toEqual(["release/a", "release/b"]);
  expect(await names({ after: "release/b", limit: 2 })).toEqual(["release/c"]);
  expect(await hold.getReference("release/a")).toEqual(target);
  expect(await hold.removeReference("release/a")).toBe(true);
  expect(await hold.removeReference("release/a")).toBe(false);
  expect(await hold.getReference("release/a")).toBeUndefined();
  await rejects(hold.setReference("x".repeat(513), target), "CONTENT_INVALID");
});

test("images of a save stream are held in its order, and every layer is read back bit for bit", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holds.fresh();
  const held = await hold.captureImages(inChunks(await classicSave(images), 10_007));
  expect(held.map(({ imageId }) => imageId)).toEqual(images.map(({ imageId }) => imageId));
  for (const image of images) {
    expect(image.config.equals(await hold.readBlob(image.imageId))).toBe(true);
    for (const [at, layer] of image.layers.entries())
      expect((await gather(hold.read(image.diffIds[at]!))).equals(layer)).toBe(true);
  }
  const manifest = JSON.parse((await gather(hold.read(held[0]!.manifest.digest))).toString());
  expect(manifest.config.digest).toBe(images[0]!.imageId);
  expect(manifest.layers.map((layer: { digest: Digest }) => layer.digest)).toEqual(images[0]!.diffIds);
});

test("any range of a layer is that slice of it", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holds.fresh({ packSizeBytes: 300_000 });
  await hold.captureImages(inChunks(await classicSave(images)));
  const layer = images[0]!.layers[0]!;
  const bound = fc.nat(layer.length + 10);
  await fc.assert(
    fc.asyncProperty(bound, bound, async (start, end) => {
      const part = await gather(hold.read(images[0]!.diffIds[0]!, { start, end }));
      expect(part.equals(layer.subarray(start, Math.max(start, end)))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test.each([
  { form: "plain", code: (tar: Buffer) => tar },
  { form: "gzip", code: (tar: Buffer) => gzipSync(tar) },
  { form: "zstd", code: (tar: Buffer) => zstdCompressSync(tar) },
])("an OCI layout with $form layers gives the same image", async ({ code }) => {
  await using holds = new TestHolds();
  const images = await someImages();
  const classic = await (await holdWith(holds, images)).image(images[1]!.imageId);
  const hold = await holds.fresh();
  const held = await hold.captureImages(inChunks(await ociSave(images, code)));
  expect(held[1]).toEqual(classic);
});

test.each([
  { form: "gzip", code: (tar: Buffer) => gzipSync(tar) },
  { form: "zstd", code: (tar: Buffer) => zstdCompressSync(tar) },
  { form: "plain", code: (tar: Buffer) => tar },
])("an image pushed with $form layers is held from its blobs", async ({ code }) => {
  await using holds = new TestHolds();
  const image = (await someImages())[0]!;
  const hold = await holds.fresh();
  const put = async (bytes: Buffer) => {
    await hold.writeBlob(digestOf(bytes), bytes);
    return { digest: digestOf(bytes) };
  };
  const layers = await Promise.all(image.layers.map((layer) => put(code(layer))));
  const manifest = Buffer.from(JSON.stringify({ config: await put(image.config), layers }));
  await put(manifest);
  const held = await hold.captureFromBlobs(digestOf(manifest));
  expect(held.imageId).toBe(image.imageId);
  for (const diffId of image.diffIds) expect(await hold.hasLayer(diffId)).toBe(true);
  const swapped = Buffer.from(
    JSON.stringify({ config: await put(image.config), layers: layers.toReversed() }),
  );
  await put(swapped);
  await rejects(hold.captureFromBlobs(digestOf(swapped)), "CONTENT_MISMATCH");
});

test("a save stream that is cut off anywhere records no image and leaves a hold that works", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const save = await classicSave(images);
  const hold = await holds.fresh();
  for (const share of [0, 0.001, 0.2, 0.5, 0.9, 0.999]) {
    const part = save.subarray(0, Math.floor(share * (save.length - 2048)));
    await rejects(hold.captureImages(inChunks(part)), "HOLD_SAVE_INVALID");
    expect(await hold.image(images[0]!.imageId)).toBeUndefined();
  }
  await hold.captureImages(inChunks(save));
  expect((await hold.check()).damage).toEqual([]);
});

test("a save stream whose layers are not those of the config is refused", async () => {
  await using holds = new TestHolds();
  const [first, second] = await someImages();
  const lying = { ...first!, layers: [first!.layers[0]!, second!.layers[1]!] };
  const hold = await holds.fresh();
  await rejects(hold.captureImages(inChunks(await classicSave([lying]))), "CONTENT_MISMATCH");
  await rejects(hold.captureImages(inChunks(noise(5000, 1))), "HOLD_SAVE_INVALID");
  await rejects(hold.captureImages(inChunks(gzipSync(first!.layers[0]!))), "HOLD_SAVE_INVALID");
  expect((await hold.stats()).images).toBe(0);
});

test("an aborted capture throws the reason of its signal", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const reason = new Error("the operator stopped it");
  const save = await classicSave(await someImages());
  const signal = AbortSignal.abort(reason);
  await expect(hold.captureImages(inChunks(save), { signal })).rejects.toBe(reason);
});

test("content that is shared is kept once", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holds.fresh();
  await hold.captureImages(inChunks(await classicSave([images[0]!])));
  const before = (await hold.stats()).pieces.bytes;
  await hold.captureImages(inChunks(await classicSave([images[1]!])));
  expect((await hold.stats()).pieces.bytes - before).toBe(50_000);
});

test("a second opening of the same hold is refused while the first is open", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const folder = holds.folders[0]!;
  await rejects(holds.open({ folder }), "HOLD_BUSY");
  await holds.close(hold);
  await holds.open({ folder });
});

test("what a killed process left is swept when the hold is opened, and nothing held is lost", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holdWith(holds, images);
  const folder = holds.folders[0]!;
  const files = new HoldFiles(folder);
  const kept = (await filesIn(folder)).toSorted();
  const stray = digestOf(Buffer.from("stray"));
  for (const kind of ["packs", "recipes", "blobs"] as const) {
    await mkdir(join(files.path(kind, stray), ".."), { recursive: true });
    await writeFile(files.path(kind, stray), "stray");
  }
  await writeFile(join(folder, "temp", "123-1"), "half");
  const again = await holds.reopen(hold);
  expect((await filesIn(folder)).toSorted()).toEqual(kept);
  expect((await gather(again.read(images[0]!.diffIds[0]!))).equals(images[0]!.layers[0]!)).toBe(true);
});

test("a flipped bit in any file of the hold is found, with the images that it hits", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holdWith(holds, images);
  const folder = holds.folders[0]!;
  expect((await hold.check()).damage).toEqual([]);
  for (const kind of ["packs", "recipes", "blobs"]) {
    for (const name of await filesIn(join(folder, kind))) {
      const path = join(folder, kind, name.slice(0, 2), name);
      const sound = await readFile(path);
      const bad = Buffer.from(sound);
      bad[Math.floor(bad.length / 2)]! ^= 4;
      await writeFile(path, bad);
      const { damage } = await hold.check();
      expect(damage.map(({ digest }) => digest)).toContain(`sha256:${name}`);
      expect(damage.flatMap((one) => one.images)).not.toEqual([]);
      await writeFile(path, sound);
      expect((await hold.check()).damage).toEqual([]);
    }
  }
});

test("a damaged pack is named when it is read, and taking the image in again mends it", async () => {
  await using holds = new TestHolds();
  const images = await someImages();
  const hold = await holds.reopen(await holdWith(holds, images));
  const folder = join(holds.folders[0]!, "packs");
  const [name] = await filesIn(folder);
  await appendFile(join(folder, name!.slice(0, 2), name!), "x");
  const reading = gather(hold.read(images[0]!.diffIds[0]!));
  await expect(reading).rejects.toThrow(name);
  await hold.check();
  await hold.captureImages(inChunks(await classicSave(images)));
  expect((await gather(hold.read(images[0]!.diffIds[0]!))).equals(images[0]!.layers[0]!)).toBe(true);
  expect((await hold.check()).damage).toEqual([]);
});
