import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isProblem } from "@sampan/problem";
import { extract } from "tar-stream";
import { describe, expect, test } from "vitest";
import { openBundle } from "./bundle.ts";
import { keyId, signerOf } from "./keys.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import { digestOf } from "./root.ts";
import { inFolder, packed, sampleBytes, sampleCargo, sampleKey, sampleRelease } from "./sample-bundle.ts";
import { verifyBundle } from "./verify-bundle.ts";
import { type WriteOptions, writeBundle } from "./write-bundle.ts";

const vendor = sampleKey("vendor");

describe("writing", () => {
  test("a written bundle verifies, and its document tells what is in it", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const path = join(folder, "shop.sampan");
      const written = await writeBundle(cargo, path, options);
      const read = await verifyBundle(path, { trust: { keys: [vendor.publicKey], accept: "signed" } });
      expect(read.document).toEqual(written.document);
      expect(read.manifestDigest).toBe(written.digest);
      expect(read.sizeBytes).toBe(written.sizeBytes);
      expect((await readFile(path)).length).toBe(written.sizeBytes);
      expect(read.signatures).toEqual({ state: "trusted", trusted: [keyId(vendor.publicKey)], unknown: [] });
      expect(read.document.releases.map((release) => release.version).sort()).toEqual(["2.9", "3.0"]);
      expect(read.document.images).toHaveLength(3);
      expect(read.document.layers).toHaveLength(5);
      expect(read.document.packs.length).toBeGreaterThan(1);
      expect(read.document.sizes.pieces).toBe(5200 + 2100 + 1300 + 700);
    }));

  test("equal inputs give equal bytes, in whatever order they are named", async () => {
    const { cargo, options } = await sampleCargo();
    const first = await packed(cargo, options);
    const again = await sampleCargo();
    const releases = again.options.releases.map((release) => ({
      ...release,
      imageIds: [...release.imageIds, ...release.imageIds].reverse(),
    }));
    const second = await packed(again.cargo, { ...again.options, releases: releases.reverse() });
    expect(second.equals(first)).toBe(true);
  });

  test("what callers pass beyond the format does not get into a bundle", async () => {
    const { cargo, options } = await sampleCargo();
    const more = {
      ...options,
      blobs: options.blobs.map((blob) => ({ ...blob, more: "x" })),
      releases: options.releases.map((release) => ({ ...release, more: "x" })),
    };
    expect((await packed(cargo, more)).equals(await packed(cargo, options))).toBe(true);
  });

  test("another tar reader finds the entries of an OCI image layout, root first", async () => {
    const { cargo, options } = await sampleCargo();
    const names: string[] = [];
    const tar = extract();
    tar.end(await packed(cargo, options));
    for await (const entry of tar) {
      names.push(entry.header.name);
      expect(entry.header.type).toBe("file");
      const parts: Uint8Array[] = [];
      for await (const part of entry) parts.push(part as Uint8Array);
      const bytes = Buffer.concat(parts);
      expect(bytes.length).toBe(entry.header.size);
      if (entry.header.name.startsWith("blobs/"))
        expect(entry.header.name).toBe(`blobs/${digestOf(bytes).replace(":", "/")}`);
    }
    expect(names.slice(0, 2)).toEqual(["oci-layout", "index.json"]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("a bundle without content, and one whose blob is {}, hold", async () => {
    const cargo = new MemoryCargo();
    const empty = Buffer.from("{}");
    await cargo.writeBlob(digestOf(empty), empty);
    const { options } = await sampleCargo();
    const blobs = [
      { digest: digestOf(empty), mediaType: "application/json", role: "a", size: 2 },
      { digest: digestOf(empty), mediaType: "application/json", role: "b", size: 2 },
    ];
    for (const some of [[], blobs]) {
      const bytes = await packed(cargo, { ...options, releases: [], blobs: some, signers: [] });
      expect(bytes.length % 512).toBe(0);
    }
  });

  test("several signers sign, in the order of their key IDs", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const keys = ["a", "b", "c"].map(sampleKey);
      const path = join(folder, "it.sampan");
      await writeBundle(cargo, path, { ...options, signers: keys.map((key) => signerOf(key.privateKey)) });
      await using bundle = await openBundle(path);
      expect(bundle.signedBy).toEqual(keys.map((key) => keyId(key.publicKey)).sort());
    }));

  test("many packs fit the gap that was left for them", async () => {
    const cargo = new MemoryCargo();
    const image = await cargo.hold([sampleBytes("many", 300_000)]);
    const { options } = await sampleCargo();
    for (const packSizeBytes of [1000, 1001, 1999, 2000, 7777])
      await packed(cargo, { ...options, packSizeBytes, releases: [sampleRelease("1", [image])], blobs: [] });
  });
});

describe("writing that cannot be", () => {
  async function check(code: string, change: (options: WriteOptions) => WriteOptions, leaves: string[] = []) {
    await inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const error = await writeBundle(cargo, join(folder, "it.sampan"), change(options)).catch(
        (error) => error,
      );
      expect(isProblem(error, code), String(error)).toBe(true);
      expect(await readdir(folder)).toEqual(leaves);
    });
  }

  test("an image that is not held is refused before anything is written", () =>
    check("CONTENT_ABSENT", (options) => ({
      ...options,
      releases: [sampleRelease("1", [digestOf(Buffer.from("nothing"))])],
    })));

  test("texts and counts beyond the format are refused before anything is written", async () => {
    await check("BUNDLE_TOO_LARGE", (options) => ({ ...options, createdBy: "x".repeat(257) }));
    await check("BUNDLE_TOO_LARGE", (options) => ({ ...options, createdBy: "a\u0007" }));
    const many = Array.from({ length: 65 }, (_, index) => sampleRelease(`1.${index}`, []));
    await check("BUNDLE_TOO_LARGE", (options) => ({ ...options, releases: many }));
    const blobs = Array.from({ length: 24_001 }, (_, index) => ({
      digest: digestOf(Buffer.from([index])),
      mediaType: "text/plain",
      role: `doc/${index}`,
      size: 1,
    }));
    await check("BUNDLE_TOO_LARGE", (options) => ({ ...options, blobs }));
  });

  test("a blob that is not as announced does not become a bundle", () =>
    check("CONTENT_MISMATCH", (options) => ({
      ...options,
      blobs: options.blobs.map((blob) => ({ ...blob, size: 7 })),
    })));

  test("an aborted writer leaves nothing and throws the reason", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const control = new AbortController();
      const reason = new Error("enough");
      const writing = writeBundle(cargo, join(folder, "it.sampan"), {
        ...options,
        signal: control.signal,
        onProgress: ({ stage }) => stage === "packs" && control.abort(reason),
      });
      await expect(writing).rejects.toBe(reason);
      expect(await readdir(folder)).toEqual([]);
    }));

  test("a folder that is not there is told", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const error = await writeBundle(cargo, join(folder, "no/it.sampan"), options).catch((error) => error);
      expect(error.code).toBe("BUNDLE_UNWRITABLE");
    }));

  test("a disk that is full is told, and nothing is left", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      await symlink("/dev/full", join(folder, "it.sampan.part"));
      const error = await writeBundle(cargo, join(folder, "it.sampan"), options).catch((error) => error);
      expect(error.code).toBe("BUNDLE_NO_SPACE");
      expect(await readdir(folder)).toEqual([]);
    }));

  test("what a killed writer left is written over", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      await writeFile(join(folder, "it.sampan.part"), sampleBytes("left", 99_999));
      await writeBundle(cargo, join(folder, "it.sampan"), options);
      expect(await readdir(folder)).toEqual(["it.sampan"]);
    }));

  test("a bundle that stood there stays whole when its replacement fails", () =>
    inFolder(async (folder) => {
      const { cargo, options } = await sampleCargo();
      const path = join(folder, "it.sampan");
      await mkdir(path);
      const error = await writeBundle(cargo, path, options).catch((error) => error);
      expect(error.code).toBe("BUNDLE_UNWRITABLE");
      expect(await readdir(folder)).toEqual(["it.sampan"]);
    }));
});
