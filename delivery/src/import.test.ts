import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair, signerOf } from "@sampan/bundle";
import type { Digest } from "@sampan/content";
import { expect, test } from "vitest";
import { exportBundle } from "./export.ts";
import { type ImportWish, importRelease } from "./import.ts";
import { publishShop, runShop } from "./test-shop.ts";
import { ann, quiet, type TestSite, testSite } from "./test-site.ts";

/** A bundle that a vendor sealed, and a site that trusts the vendor. */
async function carried(options: { readonly unsigned?: true } = {}) {
  const vendor = await testSite();
  await runShop(vendor);
  const { digest } = await publishShop(vendor, "shop", "2.9");
  const wish = { releases: [digest], level: 3, unsigned: options.unsigned === true, fileId: "bdl_1" };
  const { file } = await exportBundle(vendor.parts, vendor.files, wish, quiet);
  const path = vendor.files.contentPath(file.id, file.name);
  const site = await testSite();
  await trust(site, vendor.parts.site.signer.keyId, vendor.parts.site.publicKeyPem);
  return { vendor, site, path, digest };
}

async function trust(site: TestSite, keyId: string, publicKeyPem: string): Promise<void> {
  await site.parts.store.trustedKeys.put({ keyId, name: "vendor", publicKeyPem, addedBy: "ann" });
}

function wishOf(site: TestSite, path: string, change: Partial<ImportWish> = {}): ImportWish {
  const { teamId } = site;
  return { path, fileName: "shop.sampan", scope: "team", teamId, allowUnsigned: false, by: ann, ...change };
}

/** What the library says, and how many images the hold has. */
async function library(site: TestSite) {
  const templates = await site.parts.store.templates.list({ kind: "all" });
  const releases = await site.parts.store.releases.list();
  const imports = await site.parts.store.imports.list();
  const { images } = await site.parts.hold.stats();
  return [templates.items.length, releases.items.length, imports.items.length, images];
}

const EMPTY = [0, 0, 0, 0];

async function refused(site: TestSite, path: string, code: string, change: Partial<ImportWish> = {}) {
  const before = await library(site);
  await expect(importRelease(site.parts, wishOf(site, path, change), quiet), code).rejects.toMatchObject({
    code,
  });
  expect(await library(site), code).toEqual(before);
}

test("import refuses what is unsigned, signed by nobody known, or revoked, and changes nothing", async () => {
  const unsigned = await carried({ unsigned: true });
  await refused(unsigned.site, unsigned.path, "BUNDLE_UNSIGNED");
  const { site, path, vendor } = await carried();
  const stranger = await testSite();
  await refused(stranger, path, "BUNDLE_UNTRUSTED");
  await site.parts.store.trustedKeys.revoke(vendor.parts.site.signer.keyId);
  await refused(site, path, "BUNDLE_UNTRUSTED");
  expect(await library(site)).toEqual(EMPTY);
  await importRelease(
    unsigned.site.parts,
    wishOf(unsigned.site, unsigned.path, { allowUnsigned: true }),
    quiet,
  );
  expect(await library(unsigned.site)).toEqual([1, 1, 1, 2]);
});

test("import refuses a bundle that is cut off or damaged anywhere, and changes nothing", async () => {
  const { site, path } = await carried();
  const whole = await readFile(path);
  const copy = join(site.folder, "copy.sampan");
  for (const share of [0, 0.1, 0.5, 0.9, 0.999]) {
    await writeFile(copy, whole);
    await truncate(copy, Math.floor(whole.length * share));
    await expect(importRelease(site.parts, wishOf(site, copy), quiet), `${share}`).rejects.toThrow(/./);
  }
  for (const share of [0.2, 0.6, 0.8]) {
    const flipped = Buffer.from(whole);
    const at = Math.floor(whole.length * share);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await writeFile(copy, flipped);
    await expect(importRelease(site.parts, wishOf(site, copy), quiet), `${share}`).rejects.toThrow(/./);
  }
  expect(await library(site)).toEqual(EMPTY);
});

test("import refuses what is no bundle, a folder, and a file that is not there", async () => {
  const site = await testSite();
  const path = join(site.folder, "plain.sampan");
  await writeFile(path, "this is no bundle".repeat(1000));
  for (const one of [path, site.folder, join(site.folder, "absent")])
    await expect(importRelease(site.parts, wishOf(site, one), quiet), one).rejects.toMatchObject({
      name: "Problem",
    });
});

test("an import that was stopped at any step goes on when it is begun again, and doubles nothing", async () => {
  const { site: pilot, path } = await carried();
  const steps: string[] = [];
  const onStep = (name: string) => void steps.push(name);
  await importRelease(pilot.parts, wishOf(pilot, path), { ...quiet, onStep });
  const whole = await library(pilot);
  expect(whole).toEqual([1, 1, 1, 2]);
  const references = await pilot.parts.hold.listReferences("release/", { limit: 100 });
  expect(steps.slice(-2)).toEqual(["protect", "library"]);
  for (const stopAt of steps.keys()) {
    const site = await testSite();
    await copyTrust(pilot, site);
    let step = 0;
    const stop = () => {
      if (step++ === stopAt) throw new Error("stopped");
    };
    const stopped = importRelease(site.parts, wishOf(site, path), { ...quiet, onStep: stop });
    await expect(stopped, steps[stopAt]).rejects.toThrow("stopped");
    expect((await library(site)).slice(0, 3), steps[stopAt]).toEqual([0, 0, 0]);
    const next = await site.restart();
    await importRelease(next.parts, wishOf(next, path), quiet);
    expect(await library(next), steps[stopAt]).toEqual(whole);
    const found = await next.parts.hold.listReferences("release/", { limit: 100 });
    expect(found.map((one) => one.name)).toEqual(references.map((one) => one.name));
  }
}, 60_000);

async function copyTrust(from: TestSite, to: TestSite): Promise<void> {
  const { items } = await from.parts.store.trustedKeys.list();
  for (const key of items) await trust(to, key.keyId, key.publicKeyPem);
}

test("the same bundle again changes nothing but that it was taken in once more", async () => {
  const { site, path } = await carried();
  await importRelease(site.parts, wishOf(site, path), quiet);
  const again = await importRelease(site.parts, wishOf(site, path), quiet);
  expect(again.copiedBytes).toBe(0);
  expect(await library(site)).toEqual([1, 1, 2, 2]);
});

test("a team cannot take a template away from the enterprise or from another team", async () => {
  const { site, path } = await carried();
  const other = await site.parts.store.teams.create({ name: "other" });
  await importRelease(site.parts, wishOf(site, path), quiet);
  await refused(site, path, "TEMPLATE_ELSEWHERE", { teamId: other.id });
  const { teamId: _, ...rest } = wishOf(site, path, { scope: "enterprise" });
  await importRelease(site.parts, rest, quiet);
  await refused(site, path, "TEMPLATE_ELSEWHERE");
  const [template] = (await site.parts.store.templates.list({ kind: "all" })).items;
  expect(template).toMatchObject({ scope: "enterprise", teamId: site.teamId });
});

test("a release whose text is no release is refused before anything is copied", async () => {
  const { vendor, site, path } = await carried();
  const text = new TextEncoder().encode('{"kind":"Release"}');
  const digest: Digest = site.parts.sha256Bytes(text);
  const bad = join(site.folder, "bad.sampan");
  await vendor.parts.bundles.writeBundle(vendor.parts.hold, bad, {
    releases: [
      { digest, bytes: text, templateId: "shop", templateName: "Shop", version: "1.0", imageIds: [] },
    ],
    blobs: [],
    level: 3,
    packSizeBytes: 1 << 20,
    createdBy: "test",
    signers: [vendor.parts.site.signer],
  });
  await refused(site, bad, "RELEASE_INVALID");
  expect(path).not.toBe(bad);
});

test("a bundle that several have signed needs one of them to be trusted", async () => {
  const { vendor, path, digest } = await carried();
  const stranger = signerOf(generateKeyPair().privateKey);
  const parts = { ...vendor.parts, site: { ...vendor.parts.site, signer: stranger } };
  const wish = { releases: [digest], level: 3, unsigned: false, fileId: "bdl_2" };
  const { file } = await exportBundle(parts, vendor.files, wish, quiet);
  const site = await testSite();
  await trust(site, vendor.parts.site.signer.keyId, vendor.parts.site.publicKeyPem);
  await refused(site, vendor.files.contentPath(file.id, file.name), "BUNDLE_UNTRUSTED");
  await importRelease(site.parts, wishOf(site, path), quiet);
});

test("an export that was stopped leaves no file behind", async () => {
  const { vendor, digest } = await carried();
  const wish = { releases: [digest], level: 3, unsigned: false, fileId: "bdl_3" };
  const signal = AbortSignal.abort(new Error("stopped"));
  const stopped = exportBundle(vendor.parts, vendor.files, wish, { ...quiet, signal });
  await expect(stopped).rejects.toThrow("stopped");
  expect((await vendor.files.list()).map((file) => file.id)).toEqual(["bdl_1"]);
});
