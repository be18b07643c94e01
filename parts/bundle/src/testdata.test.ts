import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBundle } from "./bundle.ts";
import { importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { packed, packedVolumes, sampleCargo, sampleIncrement, sampleKey } from "./sample-bundle.ts";
import { verifyBundle } from "./verify-bundle.ts";

const FOLDER = join(import.meta.dirname, "../testdata/v1");
const OPAQUE = join(FOLDER, "opaque.sampan");
const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

/** Manifest digests as they were when the files were written. A row is never changed; a new file gets a new row. Volumes have the digest of their bundle. */
const SAMPLES = {
  "hold-increment.sampan": "sha256:0fb7a2a9c0ceffd9f53bb72ebeb58b7789820574f159ae49ff6593559faaa4f5",
  "hold-volumes.sampan": "sha256:ae46ed284cf961d18caa4c9c085be9b8832ecbff0a7b06844791c48b105a8bd6",
  "hold.sampan": "sha256:83d922bc82546224ba7c791f9aba85bdd52d736da7d59eb1b72bcd163c7cde35",
  "opaque-increment.sampan": "sha256:d841a88ebd7cbf514ba99bde63e04b87cf6297b98d9bc57fcb382b0a6471efbd",
  "opaque-volumes.sampan": "sha256:8370996a413c83762a2dd161c17f68946e0ba7cca9c0df93b9c61e9633f0505e",
  "opaque.sampan": "sha256:884de3f7411a87694d487f1ea7fc930cecf5a0a3a5e24239528ef37c008dfd5f",
};

test("every bundle of format 1 that was ever checked in verifies, under the digest it always had", async () => {
  const names = await readdir(FOLDER);
  for (const name of names) {
    const digest = SAMPLES[name.replace(/\.vol[0-9]+/, "") as keyof typeof SAMPLES];
    expect((await verifyBundle(join(FOLDER, name), { trust })).manifestDigest).toBe(digest);
  }
  const stems = new Set(names.map((name) => name.replace(/\.vol[0-9]+/, "")));
  expect([...stems].sort()).toEqual(Object.keys(SAMPLES));
});

test("the opaque sample of format 1 imports", async () => {
  await using bundle = await openBundle(OPAQUE);
  const imported = await importBundle(bundle, new MemoryCargo(), { trust });
  expect(imported.images).toHaveLength(3);
  expect(imported.releases.map((release) => release.version).sort()).toEqual(["2.9", "3.0"]);
});

test("the opaque volumes of format 1 import, last first", async () => {
  const sink = new MemoryCargo();
  const complete: boolean[] = [];
  for (const name of ["opaque-volumes.vol02.sampan", "opaque-volumes.vol01.sampan"]) {
    await using bundle = await openBundle(join(FOLDER, name));
    complete.push((await importBundle(bundle, sink, { trust })).complete);
  }
  expect(complete).toEqual([false, true]);
});

test("the opaque increment of format 1 imports on its base", async () => {
  const sink = new MemoryCargo();
  for (const name of ["opaque.sampan", "opaque-increment.sampan"]) {
    await using bundle = await openBundle(join(FOLDER, name));
    expect((await importBundle(bundle, sink, { trust })).complete).toBe(true);
  }
});

test("this version writes the samples byte for byte as they were written then", async () => {
  const check = async (bytes: Buffer, name: string) =>
    expect(bytes.equals(await readFile(join(FOLDER, name)))).toBe(true);
  const { cargo, options } = await sampleCargo();
  await check(await packed(cargo, options), "opaque.sampan");
  const increment = await sampleIncrement();
  await check(await packed(increment.cargo, increment.options), "opaque-increment.sampan");
  const volumes = await packedVolumes(cargo, { ...options, volumeSizeBytes: 30_000 });
  expect(volumes).toHaveLength(2);
  for (const [index, bytes] of volumes.entries())
    await check(bytes, `opaque-volumes.vol0${index + 1}.sampan`);
});
