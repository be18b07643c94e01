import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { digestOf } from "./hold-files.ts";
import { crashImages, crashVolume, gather, inChunks, TestHolds } from "./test-images.ts";

const WORKER = join(import.meta.dirname, "crash-worker.ts");

/** Runs the worker until it kills itself at its n-th step. Returns its steps. */
async function killAt(folder: string, step: number): Promise<string[]> {
  const worker = spawn(process.execPath, [WORKER, folder, String(step)], {
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
