import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openBundle, openBundleFrom } from "./bundle.ts";
import { importBundle } from "./import-bundle.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { repairRequest, writeRepair } from "./repair.ts";
import { parseRepairRequest, renderRepairRequest } from "./repair-request.ts";
import { digestOf } from "./root.ts";
import {
  inFolder,
  memorySource,
  sampleBytes,
  sampleCargo,
  sampleKey,
  sampleRelease,
} from "./sample-bundle.ts";
import { verifyBundle } from "./verify-bundle.ts";
import { type WriteOptions, writeFiles } from "./write-bundle.ts";

const trust = { keys: [sampleKey("vendor").publicKey], accept: "signed" } as const;

/** Files of one bundle in a folder: one, or volumes. */
async function withFiles(
  options: Pick<WriteOptions, "volumeSizeBytes">,
  act: (paths: readonly string[], folder: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const cargo = new MemoryCargo();
    const image = await cargo.hold([sampleBytes("one", 60_000), sampleBytes("two", 40_000)]);
    const { options: sample } = await sampleCargo();
    const releases = [sampleRelease("1", [image])];
    const given = { ...sample, ...options, releases, blobs: [], packSizeBytes: 8000 };
    const { files } = await writeFiles(cargo, join(folder, "shop.sampan"), given);
    await act(
      files.map((file) => file.path),
      folder,
    );
  });
}

/** A copy in which entries are damaged, by their place in the file. */
async function damagedCopy(path: string, places: readonly number[]): Promise<string> {
  await using bundle = await openBundle(path);
  const bytes = await readFile(path);
  for (const place of places) bytes[bundle.content[place]!.offset + 512]! ^= 1;
  await writeFile(`${path}.bad`, bytes);
  return `${path}.bad`;
}

async function take(path: string, sink: MemoryCargo) {
  await using bundle = await openBundle(path);
  return await importBundle(bundle, sink, { trust });
}

describe("a repair", () => {
  test("brings just what a damaged volume lacks, and completes the import", () =>
    withFiles({ volumeSizeBytes: 64 * 1024 }, async (paths, folder) => {
      const sink = new MemoryCargo();
      const bad = await damagedCopy(paths[1]!, [0, 2]);
      for (const [index, path] of paths.entries()) {
        const taking = take(index === 1 ? bad : path, sink);
        if (index === 1) await expect(taking).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
        else await taking;
      }
      const needed = await repairRequest([bad], sink);
      expect(needed.missing).toHaveLength(2);
      expect(needed.volumes).toEqual([2]);
      const repair = join(folder, "repair.sampan");
      const written = await writeRepair(paths, needed.text!, repair);
      expect(written.entries).toEqual(needed.missing);
      expect(await verifyBundle(repair, { trust })).toMatchObject({ part: { kind: "repair" } });
      expect(await take(repair, sink)).toMatchObject({ complete: true, missing: [] });
      expect((await repairRequest([bad], sink)).text).toBeUndefined();
    }));

  test("mends a bundle in one file, of which also a recipe and the release are damaged", () =>
    withFiles({}, async ([path], folder) => {
      const sink = new MemoryCargo();
      await using bundle = await openBundle(path!);
      const bad = await damagedCopy(path!, [0, 4, bundle.content.length - 1]);
      await expect(take(bad, sink)).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
      const needed = await repairRequest([bad], sink);
      expect(needed.missing.map((entry) => entry.label.replace(/ \d.*/, ""))).toEqual([
        "recipe",
        "pack",
        "release",
      ]);
      const repair = join(folder, "repair.sampan");
      await writeRepair([path!], needed.text!, repair);
      expect(await take(repair, sink)).toMatchObject({ complete: false, missing: [1] });
      await expect(verifyBundle(bad)).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
      await verifyBundle(bad, { held: sink });
      expect(await take(bad, sink)).toMatchObject({ complete: true });
    }));

  test("can be asked for without a hold, of the files alone", () =>
    withFiles({ volumeSizeBytes: 64 * 1024 }, async (paths) => {
      const bad = await damagedCopy(paths[1]!, [1]);
      expect((await repairRequest(paths, undefined)).missing).toEqual([]);
      const needed = await repairRequest([paths[0]!, bad, ...paths.slice(2)], undefined);
      expect(needed.missing.map((entry) => entry.volume)).toEqual([2]);
      expect((await repairRequest([bad], undefined)).volumes).toEqual(paths.map((_, index) => index + 1));
    }));

  test("a file that cannot be opened is told, and the others are used", () =>
    withFiles({ volumeSizeBytes: 64 * 1024 }, async (paths, folder) => {
      const broken = join(folder, "broken.sampan");
      await writeFile(broken, "nothing");
      const needed = await repairRequest([broken, ...paths], undefined);
      expect(needed.unreadable).toMatchObject([{ path: broken }]);
      expect(needed.text).toBeUndefined();
      await expect(repairRequest([broken], undefined)).rejects.toMatchObject({ code: "BUNDLE_TRUNCATED" });
      await expect(repairRequest([], undefined)).rejects.toMatchObject({ code: "BUNDLE_ABSENT" });
    }));

  test("is refused for another bundle, for entries that do not exist, and where no file has them", () =>
    withFiles({ volumeSizeBytes: 64 * 1024 }, async (paths, folder) => {
      await using bundle = await openBundle(paths[0]!);
      const out = join(folder, "repair.sampan");
      const ask = (entries: number[], digest = bundle.manifestDigest) => renderRepairRequest(digest, entries);
      const check = (given: readonly string[], text: string, code: string) =>
        expect(writeRepair(given, text, out)).rejects.toMatchObject({ code });
      await check(paths, ask([1], digestOf(Buffer.from("other"))), "BUNDLE_REQUEST_INVALID");
      await check(paths, ask([999]), "BUNDLE_REQUEST_INVALID");
      await check(paths, "help", "BUNDLE_REQUEST_INVALID");
      await check([paths[0]!], ask([bundle.document.packs.length + 4]), "BUNDLE_PART_MISSING");
    }));

  test("a repair with entries out of order, twice, cut off, or with none is refused", () =>
    withFiles({}, async ([path], folder) => {
      await using bundle = await openBundle(path!);
      const { root } = bundle.document.sizes;
      const out = join(folder, "repair.sampan");
      await writeRepair([path!], renderRepairRequest(bundle.manifestDigest, [1, 2]), out);
      const bytes = await readFile(out);
      const [first, second] = bundle.content;
      const length = second!.offset - first!.offset;
      const one = bytes.subarray(root, root + length);
      const two = bytes.subarray(root + length, bytes.length - 1024);
      const end = Buffer.alloc(1024);
      const check = async (parts: readonly Uint8Array[], code: string) => {
        const file = Buffer.concat([bytes.subarray(0, root), ...parts]);
        await expect(openBundleFrom(memorySource(file))).rejects.toMatchObject({ code });
      };
      await check([two, one, end], "BUNDLE_INVALID");
      await check([one, one, end], "BUNDLE_INVALID");
      await check([end], "BUNDLE_DAMAGED");
      await check([one, two, end.subarray(512)], "BUNDLE_TRUNCATED");
      await check([one, two.subarray(0, 700)], "BUNDLE_TRUNCATED");
      await check([one, two, end, end], "BUNDLE_INVALID");
    }));
});

describe("a repair request", () => {
  const digest = digestOf(Buffer.from("bundle"));

  test("says any entries, and is read back", () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 24_000 }), { minLength: 1 }), (numbers) => {
        const entries = numbers.toSorted((a, b) => a - b);
        const read = parseRepairRequest(`  ${renderRepairRequest(digest, entries).toUpperCase()}\n`);
        expect(read.entries).toEqual(entries);
        expect(digest.startsWith(`sha256:${read.bundle}`)).toBe(true);
      }),
    ));

  test("is short", () => {
    expect(renderRepairRequest(digest, [4, 8, 9, 10, 11])).toMatch(/^sampan-repair 1 [0-9a-f]{16} 4,8-11$/);
  });

  const rows = [
    "",
    "sampan-repair 2 7c3e04b1a9d2f586 4",
    "sampan-repair 1 7c3e 4",
    "sampan-repair 1 7c3e04b1a9d2f586",
    "sampan-repair 1 7c3e04b1a9d2f586 0",
    "sampan-repair 1 7c3e04b1a9d2f586 5-4",
    "sampan-repair 1 7c3e04b1a9d2f586 4,4",
    "sampan-repair 1 7c3e04b1a9d2f586 1-99999999999",
    "sampan-repair 1 7c3e04b1a9d2f586 4,,5",
    `sampan-repair 1 7c3e04b1a9d2f586 ${"1,".repeat(200_000)}1`,
  ];
  for (const text of rows)
    test(`${JSON.stringify(text.slice(0, 50))} is refused`, () => {
      expect(() => parseRepairRequest(text)).toThrow(
        expect.objectContaining({ code: "BUNDLE_REQUEST_INVALID" }),
      );
    });
});
