import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { digestHex } from "@sampan/content";
import { expect, test } from "vitest";
import { digestOf } from "./hold-files.ts";
import { capture, formOf, load, type TestCargo, unload } from "./test-cargo.ts";
import {
  crashImages,
  crashVolume,
  gather,
  imageOf,
  inChunks,
  noise,
  TestHolds,
  tarOf,
} from "./test-images.ts";

const WORKER = join(import.meta.dirname, "crash-worker.ts");

/** Runs the worker until it kills itself at its n-th step. Returns its steps. */
async function killAt(folder: string, step: number, ...cargo: readonly string[]): Promise<string[]> {
  const worker = spawn(process.execPath, [WORKER, folder, String(step), ...cargo], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(worker, "exit");
  const steps: string[] = [];
  for await (const text of createInterface({ input: worker.stdout })) steps.push(text);
  await gone;
  return steps;
}

test.each([5, 19, 31, 48, 52, 54, 56, 58, 60, 64, 66, 69, 70, 72])(
  "killed at durable step %i, a hold opens sound, keeps what was referred to, and goes on",
  async (step) => {
    await using holds = new TestHolds();
    await holds.close(await holds.fresh());
    const folder = holds.folders[0]!;
    const steps = await killAt(folder, step);
    expect(steps).toHaveLength(step);
    const hold = await holds.open({ folder });
    const { images, saves } = await crashImages();
    const [kept, both] = images;
    expect((await hold.check()).damage).toEqual([]);
    await expect.poll(() => readdir(join(folder, "temp"))).toEqual([]);
    if ((await hold.getReference("kept")) !== undefined)
      expect((await gather(hold.read(kept!.diffIds[0]!))).equals(kept!.layers[0]!)).toBe(true);
    const volume = await crashVolume();
    const volumeId = digestOf(volume);
    if ((await hold.stat(volumeId)) !== undefined)
      expect((await gather(hold.read(volumeId))).equals(volume)).toBe(true);
    expect(await hold.captureLayer(inChunks(volume))).toEqual({ diffId: volumeId, size: volume.length });
    for (const save of saves) await hold.captureImages(inChunks(save));
    expect((await gather(hold.read(both!.diffIds[0]!))).equals(both!.layers[0]!)).toBe(true);
    await hold.executePrune(
      await hold.planPrune({ protect: [], now: Date.now() + 10, keepYoungerThanMs: 0 }),
    );
    expect((await hold.check()).damage).toEqual([]);
  },
);

/** Writes cargo as the worker reads it. */
async function writeCargo(folder: string, { packs, recipes }: TestCargo): Promise<void> {
  const files = [
    ...packs.map(({ digest, bytes }) => ({ name: `pack-${digestHex(digest)}`, bytes })),
    ...recipes.map(({ diffId, bytes }) => ({ name: `recipe-${digestHex(diffId)}`, bytes })),
  ];
  for (const [number, { name, bytes }] of files.entries())
    await writeFile(join(folder, `${String(number).padStart(3, "0")}-${name}`), bytes);
}

test.each(Array.from({ length: 10 }, (_, index) => index + 1))(
  "killed at durable step %i of an increment, an import goes on and ends with the same",
  async (step) => {
    await using holds = new TestHolds();
    const files = (mark: number) =>
      Array.from({ length: 10 }, (_, n) => {
        const body = noise(15_000, n);
        if (n % 2 === 0) body[20]! ^= mark;
        return { name: `file-${n}`, body };
      });
    const [old, fresh] = [imageOf([await tarOf(files(0))]), imageOf([await tarOf(files(1))])];
    const vendor = await holds.fresh();
    await capture(vendor, old, fresh);
    const increment = await load(vendor, fresh.diffIds, { base: [old.diffIds] });
    expect([...increment.packs, ...increment.recipes].map(formOf)).toEqual([2, 2]);
    const site = await holds.fresh();
    await capture(site, old);
    await holds.close(site);
    const cargoFolder = await holds.folder();
    await writeCargo(cargoFolder, increment);
    const folder = holds.folders[1]!;
    expect(await killAt(folder, step, cargoFolder)).toHaveLength(step);
    const hold = await holds.open({ folder });
    expect((await hold.check()).damage).toEqual([]);
    await unload(hold, increment);
    expect(await load(hold, fresh.diffIds)).toEqual(await load(vendor, fresh.diffIds));
    expect((await hold.check()).damage).toEqual([]);
  },
);
