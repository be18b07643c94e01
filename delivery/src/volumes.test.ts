import { createCipheriv } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderRepairRequest, repairRequest, writeRepair } from "@sampan/bundle";
import { makeImage } from "@sampan/runtime";
import { expect, test } from "vitest";
import { exportBundle } from "./export.ts";
import { planExport } from "./export-plan.ts";
import { type Imported, importRelease } from "./import.ts";
import { installAt } from "./test-loop.ts";
import { publishShop, runShop, shop } from "./test-shop.ts";
import { ann, quiet, running, type TestSite, testSite } from "./test-site.ts";

const MIB = 1024 ** 2;
const VOLUME_BYTES = 16 * MIB;

/** Bytes that do not compress, so that there is something to be divided. */
function noise(sizeBytes: number): Buffer {
  return createCipheriv("aes-256-ctr", Buffer.alloc(32), Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

async function vendorOfLargeShop() {
  const vendor = await testSite();
  const image = makeImage({ name: "large:1", layers: [[{ name: "opt/large", bytes: noise(36 * MIB) }]] });
  vendor.engine.images.set(image.id, image);
  const app = shop();
  const web = { ...app.components.web!, image: "large:1" };
  await runShop(vendor, { ...app, components: { ...app.components, web } });
  const { digest } = await publishShop(vendor, "shop", "2.9");
  return { vendor, digest };
}

/** A release in three volumes that a vendor sealed, and a site that trusts the vendor. */
async function inVolumes() {
  const { vendor, digest } = await vendorOfLargeShop();
  const wish = { releases: [digest], level: 3, unsigned: false, volumeSizeBytes: VOLUME_BYTES };
  const exported = await exportBundle(vendor.parts, vendor.files, { ...wish, fileId: "bdl_1" }, quiet);
  const paths = exported.files.map(({ id, name }) => vendor.files.contentPath(id, name));
  expect(paths).toHaveLength(3);
  const site = await testSite();
  const { publicKeyPem, signer } = vendor.parts.site;
  await site.parts.store.trustedKeys.put({
    keyId: signer.keyId,
    name: "vendor",
    publicKeyPem,
    addedBy: "ann",
  });
  return { vendor, digest, wish, ...exported, paths: paths as [string, string, string], site };
}

async function take(site: TestSite, path: string, onStep?: (name: string) => void): Promise<Imported> {
  const { teamId } = site;
  const wish = {
    path,
    fileName: "shop.sampan",
    scope: "team" as const,
    teamId,
    allowUnsigned: false,
    by: ann,
  };
  return await importRelease(site.parts, wish, { ...quiet, ...(onStep && { onStep }) });
}

async function library(site: TestSite) {
  const releases = await site.parts.store.releases.list();
  const imports = await site.parts.store.imports.list();
  const kept = await site.parts.hold.listReferences("import/", { limit: 10 });
  return { releases: releases.items.length, imports: imports.items.length, kept: kept.length };
}

test("volumes come on different days in any order, one of them twice, and the last makes the release", async () => {
  const { site: first, paths, manifestDigest, files, digest } = await inVolumes();
  expect(files.map(({ id, name, state }) => [id, name, state])).toEqual([
    ["bdl_1", "Shop-2.9.vol01.sampan", "whole"],
    ["bdl_1-v02", "Shop-2.9.vol02.sampan", "whole"],
    ["bdl_1-v03", "Shop-2.9.vol03.sampan", "whole"],
  ]);
  expect(files.every(({ sizeBytes, sha256 }) => sizeBytes <= VOLUME_BYTES && sha256 !== undefined)).toBe(
    true,
  );
  const part = (number: number) => ({ kind: "volume", number, volumes: 3 });
  expect(await take(first, paths[2])).toMatchObject({
    complete: false,
    missing: [1, 2],
    part: part(3),
    manifestDigest,
    releases: [],
  });
  let site = await first.restart();
  expect(await take(site, paths[0])).toMatchObject({ complete: false, missing: [2], part: part(1) });
  expect(await take(site, paths[0])).toMatchObject({ complete: false, missing: [2], copiedBytes: 0 });
  expect(await library(site)).toEqual({ releases: 0, imports: 0, kept: 1 });
  site = await site.restart();
  expect(await take(site, paths[1])).toMatchObject({
    complete: true,
    missing: [],
    releases: [{ digest, templateName: "Shop", version: "2.9" }],
  });
  expect(await library(site)).toEqual({ releases: 1, imports: 1, kept: 0 });
  const [imported] = (await site.parts.store.imports.list()).items;
  expect(imported?.sizeBytes).toBe(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  await installAt(site, digest);
  expect(await running(site, (await site.app("shop")).id)).toContain("web 1 ready");
  expect(await take(site, paths[0])).toMatchObject({ complete: true, copiedBytes: 0 });
  expect(await library(site)).toMatchObject({ releases: 1, kept: 0 });
}, 60_000);

test("a volume whose import was stopped goes on where it was", async () => {
  const { site: first, paths } = await inVolumes();
  const stopAt = (wanted: number) => {
    let packs = 0;
    return (name: string) => {
      if (name.startsWith("pack ") && ++packs === wanted) throw new Error("stopped");
    };
  };
  await expect(take(first, paths[1], stopAt(3))).rejects.toThrow("stopped");
  let site = await first.restart();
  const second = await take(site, paths[1]);
  expect([second.complete, second.skippedBytes > 0, second.copiedBytes > 0]).toEqual([false, true, true]);
  await take(site, paths[2]);
  const atLibrary = (name: string) => {
    if (name === "library") throw new Error("stopped");
  };
  await expect(take(site, paths[0], atLibrary)).rejects.toThrow("stopped");
  expect(await library(site)).toEqual({ releases: 0, imports: 0, kept: 1 });
  site = await site.restart();
  expect((await take(site, paths[0])).complete).toBe(true);
  expect(await library(site)).toEqual({ releases: 1, imports: 1, kept: 0 });
}, 60_000);

test("a damaged volume is named with what heals it, and the repair heals it", async () => {
  const { site, paths } = await inVolumes();
  const damaged = join(site.folder, "second.sampan");
  const bytes = await readFile(paths[1]);
  const at = Math.floor(bytes.length * 0.7);
  bytes[at] = bytes[at]! ^ 1;
  await writeFile(damaged, bytes);
  await take(site, paths[0]);
  await take(site, paths[2]);
  await expect(take(site, damaged)).rejects.toMatchObject({
    code: "BUNDLE_DAMAGED",
    message: "volume 2 of 3 is damaged",
    why: expect.stringContaining("in volume 2"),
    hint: expect.stringContaining("sampan bundle repair-request"),
  });
  expect(await library(site)).toEqual({ releases: 0, imports: 0, kept: 1 });
  const { missing } = await repairRequest([damaged], undefined);
  const hit = missing.filter(({ volume }) => volume === 2);
  expect(hit).toHaveLength(1);
  const repair = join(site.folder, "repair.sampan");
  const { manifestDigest } = await site.parts.bundles.verifyBundle(paths[0]);
  const request = renderRepairRequest(
    manifestDigest,
    hit.map(({ number }) => number),
  );
  await writeRepair([paths[1]], request, repair);
  expect(await take(site, repair)).toMatchObject({ complete: false, missing: [2], part: { kind: "repair" } });
  expect((await take(site, damaged)).complete).toBe(true);
  expect(await library(site)).toEqual({ releases: 1, imports: 1, kept: 0 });
}, 60_000);

test("an export in volumes that is begun again begins anew; one that fails leaves nothing", async () => {
  const { vendor, digest } = await vendorOfLargeShop();
  const wish = { releases: [digest], level: 3, unsigned: false, volumeSizeBytes: VOLUME_BYTES };
  const plan = await planExport(vendor.parts, wish);
  expect([plan.volumeCount, plan.sizeBytes > 2 * VOLUME_BYTES]).toEqual([3, true]);
  const named = { ...wish, fileId: "bdl_1" };
  const first = await exportBundle(vendor.parts, vendor.files, named, quiet);
  const again = await exportBundle(vendor.parts, vendor.files, named, quiet);
  expect(again.files.map(({ id, sha256 }) => [id, sha256])).toEqual(
    first.files.map(({ id, sha256 }) => [id, sha256]),
  );
  expect(await vendor.files.list()).toHaveLength(3);
  const stop = new AbortController();
  let checked = 0;
  const onProgress = ({ stage, done }: { readonly stage: string; readonly done: number }) => {
    // In the middle of the second volume's checksum.
    if (stage === "checksum" && done <= MIB && ++checked === 2) stop.abort(new Error("stopped"));
  };
  const stopped = exportBundle(vendor.parts, vendor.files, named, { signal: stop.signal, onProgress });
  await expect(stopped).rejects.toThrow("stopped");
  expect(await vendor.files.list()).toEqual([]);
  const small = { ...named, volumeSizeBytes: MIB };
  await expect(exportBundle(vendor.parts, vendor.files, small, quiet)).rejects.toMatchObject({
    code: "BUNDLE_TOO_LARGE",
  });
  expect(await vendor.files.list()).toEqual([]);
}, 60_000);
