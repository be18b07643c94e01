import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBundle } from "./bundle.ts";
import { importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { packed, sampleCargo, sampleKey } from "./sample-bundle.ts";
import { verifyBundle } from "./verify-bundle.ts";

const FOLDER = join(import.meta.dirname, "../testdata/v1");
const OPAQUE = join(FOLDER, "opaque.sampan");
const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

/** Manifest digests as they were when the files were written. A row is never changed; a new file gets a new row. */
const SAMPLES = {
  "hold.sampan": "sha256:83d922bc82546224ba7c791f9aba85bdd52d736da7d59eb1b72bcd163c7cde35",
  "opaque.sampan": "sha256:884de3f7411a87694d487f1ea7fc930cecf5a0a3a5e24239528ef37c008dfd5f",
};

test("every bundle of format 1 that was ever checked in verifies, under the digest it always had", async () => {
  expect((await readdir(FOLDER)).sort()).toEqual(Object.keys(SAMPLES));
  for (const [name, digest] of Object.entries(SAMPLES))
    expect((await verifyBundle(join(FOLDER, name), { trust })).manifestDigest).toBe(digest);
});

test("the opaque sample of format 1 imports", async () => {
  await using bundle = await openBundle(OPAQUE);
  const imported = await importBundle(bundle, new MemoryCargo(), { trust });
  expect(imported.images).toHaveLength(3);
  expect(imported.releases.map((release) => release.version).sort()).toEqual(["2.9", "3.0"]);
});

test("this version writes the sample byte for byte as it was written then", async () => {
  const { cargo, options } = await sampleCargo();
  expect((await packed(cargo, options)).equals(await readFile(OPAQUE))).toBe(true);
});
