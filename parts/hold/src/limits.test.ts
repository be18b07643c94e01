import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isProblem } from "@sampan/problem";
import { afterEach, expect, test, vi } from "vitest";
import { digestOf } from "./hold-files.ts";
import { classicSave, imageOf, inChunks, noise, TestHolds, tarOf } from "./test-images.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** From the n-th write on, the disk is full. */
async function fillDiskAt(write: number): Promise<void> {
  const handle = await open(import.meta.filename, "r");
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const real = prototype.write;
  let writes = 0;
  vi.spyOn(prototype, "write").mockImplementation(function (this: typeof handle, ...args: unknown[]) {
    writes += 1;
    if (writes < write) return Reflect.apply(real, this, args);
    return Promise.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
  } as typeof real);
}

test.each([1, 2, 3, 4, 5])(
  "a disk that is full at write %i is a problem, and leaves no file",
  async (write) => {
    await using holds = new TestHolds();
    const hold = await holds.fresh({ packSizeBytes: 50_000 });
    const layer = await tarOf(
      [1, 2, 3, 4].map((seed) => ({ name: `file-${seed}`, body: noise(40_000, seed) })),
    );
    const image = imageOf([layer]);
    const save = await classicSave([image]);
    await fillDiskAt(write);
    const outcome = await hold.captureImages(inChunks(save)).catch((error: unknown) => error);
    expect(isProblem(outcome, "CONTENT_NO_SPACE")).toBe(true);
    const bytes = noise(1000, 1);
    const expectation = { digest: digestOf(bytes), sizeBytesMax: 1000 };
    const written = await hold.write(inChunks(bytes), expectation).catch((error: unknown) => error);
    expect(isProblem(written, "CONTENT_NO_SPACE")).toBe(true);
    vi.restoreAllMocks();
    expect(await hold.image(image.imageId)).toBeUndefined();
    await expect.poll(() => readdir(join(holds.folders[0]!, "temp"))).toEqual([]);
    await hold.captureImages(inChunks(save));
    expect((await hold.check()).damage).toEqual([]);
  },
);

/** A save stream with one layer of one large file, made as it is read. */
async function* largeSave(fileSize: number): AsyncGenerator<Uint8Array> {
  const block = noise(1 << 20, 1);
  const small = await tarOf([{ name: "large", body: block }]);
  const header = Buffer.from(small.subarray(0, 512));
  const layerSize = 512 + fileSize + 1024;
  yield sized(await tarHeader("a/layer.tar"), layerSize);
  yield sized(header, fileSize);
  for (let at = 0; at < fileSize; at += block.length) {
    block.writeUInt32LE(at, 0);
    yield Buffer.from(block);
  }
  yield Buffer.alloc(1024 + ((512 - (layerSize % 512)) % 512));
  yield await tarOf([{ name: "manifest.json", body: "[]" }]);
}

async function tarHeader(name: string): Promise<Buffer> {
  return Buffer.from((await tarOf([{ name }])).subarray(0, 512));
}

function sized(block: Buffer, size: number): Buffer {
  block.write(`${size.toString(8).padStart(11, "0")} `, 124);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")} \0`, 148);
  return block;
}

test("memory does not grow with the layer", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh({ packSizeBytes: 1 << 20, cacheBytesMax: 4 << 20 });
  const peakOf = async (fileSize: number) => {
    let peak = 0;
    const onProgress = () => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    };
    const before = process.memoryUsage().arrayBuffers;
    expect(await hold.captureImages(largeSave(fileSize), { onProgress })).toEqual([]);
    return peak - before;
  };
  expect(await peakOf(192 << 20)).toBeLessThan(96 << 20);
});
