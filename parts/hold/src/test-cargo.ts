/** What crosses from hold to hold, gathered, for the tests of this room. */
import type { CargoBase, CargoSource, Digest, PackFile, RecipeFile } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import { expect } from "vitest";
import type { Hold } from "./hold.ts";
import { classicSave, inChunks, type TestImage } from "./test-images.ts";

export const PACK_SIZE = 200_000;

export interface TestCargo {
  readonly packs: PackFile[];
  readonly recipes: RecipeFile[];
}

export async function load(
  source: CargoSource,
  diffIds: readonly Digest[],
  options: { readonly base?: CargoBase; readonly level?: number } = {},
): Promise<TestCargo> {
  const cargo: TestCargo = { packs: [], recipes: [] };
  for await (const recipe of source.recipes(diffIds, options)) cargo.recipes.push(recipe);
  const packing = { level: 3, packSizeBytes: PACK_SIZE, ...options };
  for await (const pack of source.packs(diffIds, packing)) cargo.packs.push(pack);
  return cargo;
}

export async function unload(hold: Hold, cargo: TestCargo): Promise<void> {
  for (const pack of cargo.packs) await hold.addPack(pack);
  for (const { diffId, bytes } of cargo.recipes) await hold.addLayer({ diffId, recipe: bytes });
}

/** Each in a save stream of its own. */
export async function capture(hold: Hold, ...images: readonly TestImage[]): Promise<void> {
  for (const image of images) await hold.captureImages(inChunks(await classicSave([image])));
}

export async function rejects(act: Promise<unknown>, ...codes: string[]): Promise<void> {
  const result = await act.catch((error: unknown) => (isProblem(error) ? error.code : error));
  expect(codes).toContain(result);
}

export const layersOf = (...images: readonly TestImage[]) => [
  ...new Set(images.flatMap(({ diffIds }) => diffIds)),
];

/** Layers that some base lacks: these need recipes. */
export const layersBeyond = (fresh: TestImage, ...bases: readonly TestImage[]) =>
  fresh.diffIds.filter((diffId) => !bases.every(({ diffIds }) => diffIds.includes(diffId)));

export const sizeOf = ({ packs, recipes }: TestCargo) =>
  [...packs, ...recipes].reduce((sum, { bytes }) => sum + bytes.length, 0);

/** The codec of a pack, the coding of a recipe. */
export const formOf = ({ bytes }: { readonly bytes: Uint8Array }) => bytes[10];
