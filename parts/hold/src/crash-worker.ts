/** Run by `crash.test.ts` as a process of its own. It says a line at each durable step, and is killed at one of them. */
import { writeSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestFromHex, MEDIA_TYPE } from "@sampan/content";
import { openHold } from "./hold.ts";
import { HoldFiles, TempFile } from "./hold-files.ts";
import { HoldIndex } from "./hold-index.ts";
import { crashImages, crashVolume, inChunks } from "./test-images.ts";

const killAtLine = Number(process.argv[3]);
let lines = 0;
function step(what: string): void {
  lines += 1;
  writeSync(1, `${what}\n`);
  if (lines === killAtLine) process.kill(process.pid, "SIGKILL");
}

const { transaction } = HoldIndex.prototype;
HoldIndex.prototype.transaction = function <T>(this: HoldIndex, act: () => T): T {
  const result = transaction.call(this, () => {
    const value = act();
    step("before a commit");
    return value;
  }) as T;
  step("after a commit");
  return result;
};
const { keep } = TempFile.prototype;
TempFile.prototype.keep = async function (this: TempFile, ...args) {
  step("before a file gets its name");
  await keep.apply(this, args);
  step("after a file got its name");
};
const { remove } = HoldFiles.prototype;
HoldFiles.prototype.remove = async function (this: HoldFiles, ...args) {
  step("before a file is removed");
  await remove.apply(this, args);
};

const [, , folder = "", , cargoFolder] = process.argv;
const hold = await openHold({ folder, packSizeBytes: 100_000 });
if (cargoFolder === undefined) await useHold();
else await importCargo(cargoFolder);
await hold.close();

async function useHold(): Promise<void> {
  const { images, saves } = await crashImages();
  for (const save of saves) await hold.captureImages(inChunks(save, 40_000));
  const { imageId, config } = images[0]!;
  await hold.setReference("kept", { mediaType: MEDIA_TYPE.ociConfig, digest: imageId, size: config.length });
  await hold.executePrune(await hold.planPrune({ protect: [], now: Date.now() + 10, keepYoungerThanMs: 0 }));
  await hold.captureLayer(inChunks(await crashVolume(), 40_000));
}

/** Packs and recipes as files named by digest, in the order of their numbers. */
async function importCargo(from: string): Promise<void> {
  for (const name of (await readdir(from)).sort()) {
    const [, kind, hex = ""] = name.split("-");
    const bytes = await readFile(join(from, name));
    if (kind === "pack") await hold.addPack({ digest: digestFromHex(hex), bytes });
    else await hold.addLayer({ diffId: digestFromHex(hex), recipe: bytes });
  }
}
