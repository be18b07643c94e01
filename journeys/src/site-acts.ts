import assert from "node:assert/strict";
import { join } from "node:path";
import type { Act, ActResult } from "./acts.ts";
import { type BookshopVersion, bookshopImages, COMPONENTS } from "./bookshop.ts";
import type { Crossing } from "./crossing.ts";
import { containersOf, imagesOf } from "./engine-api.ts";
import { assertAllFailed, assertNoLink, attemptLinks, openOutside } from "./no-link.ts";
import { bundleName, CUSTOMER } from "./vendor-acts.ts";

export const CUSTOMER_AT_SITE = `${CUSTOMER} (site)`;
const REFUSED = 3;

async function proveEmptyAndCutOff({ sitePlace }: Crossing): Promise<ActResult> {
  assert.deepEqual(await imagesOf(sitePlace.dockerHost), [], "the site's engine is empty");
  await using outside = await openOutside();
  const attempts = await assertNoLink(sitePlace, outside);
  return { says: `no image; ${attempts.length} ways out tried, none found` };
}

async function setUp(crossing: Crossing): Promise<ActResult> {
  await crossing.site.start();
  await crossing.site.setUp("Harbour Hospital");
  return { says: `${crossing.site.url} in the site's own network` };
}

/** Nobody's signature is taken for granted: the import is refused until the vendor's key is trusted. */
async function importFirst(crossing: Crossing): Promise<ActResult> {
  const { sides, site, stick } = crossing;
  const words = ["import", join(stick, bundleName("2.9")), "--on-server"];
  const refused = await site.cli(words);
  assert.equal(refused.exitCode, REFUSED, refused.stderr);
  assert.match(refused.stderr, /BUNDLE_UNTRUSTED/);
  await sides.trustVendor(site);
  await site.do(words);
  return await assertImported(crossing, "2.9");
}

export async function importNext(crossing: Crossing, version: BookshopVersion): Promise<ActResult> {
  await crossing.site.do(["import", join(crossing.stick, bundleName(version)), "--on-server"]);
  return await assertImported(crossing, version);
}

async function assertImported({ site, vendor }: Crossing, version: BookshopVersion): Promise<ActResult> {
  const show = ["release", "show", `bookshop@${version}`];
  interface Release {
    readonly digest: string;
    readonly sizeBytes: number;
    readonly images: readonly { readonly imageId: string }[];
  }
  const there = await site.do<Release>(show);
  const here = await vendor.do<Release>(show);
  assert.equal(there.digest, here.digest, "the release has the digest that it has at the vendor");
  const ids = (release: Release) => release.images.map(({ imageId }) => imageId).sort();
  assert.deepEqual(ids(there), ids(here));
  return { bytes: there.sizeBytes, says: `${there.images.length} images in the library` };
}

async function install(crossing: Crossing): Promise<ActResult> {
  await crossing.site.do(["install", "bookshop", "--note", "first delivery"]);
  await crossing.siteShop.assertServes();
  await assertRuns(crossing, await bookshopImages(crossing.vendorPlace.dockerHost, "2.9"));
  return { says: `${COMPONENTS["2.9"].length} components answer; image IDs as at the vendor` };
}

/** What runs in the app's containers finds no way out either. */
async function proveAppCutOff({ site }: Crossing): Promise<ActResult> {
  await using outside = await openOutside();
  const exec = async (words: readonly string[]) => {
    const command = ["component", "exec", "bookshop", "catalog", "--", ...words];
    return (await site.do<{ readonly stdout: string }>(command)).stdout;
  };
  const attempts = await attemptLinks(exec, "node", outside.targets);
  assertAllFailed(attempts);
  return { says: `${attempts.length} ways out tried from a container, none found` };
}

/** Every component runs from the image that has the expected ID, in as many containers as are ready, and no other container is there. */
export async function assertRuns(
  { site, sitePlace }: Crossing,
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  const { componentsView } = await site.do<{
    readonly componentsView: readonly {
      readonly name: string;
      readonly replicas: number;
      readonly ready: number;
    }[];
  }>(["app", "show", "bookshop"]);
  const containers = await containersOf(sitePlace.dockerHost);
  for (const { name, replicas, ready } of componentsView) {
    assert.equal(ready, replicas, `${name} is ready`);
    const own = containers.filter(({ Labels }) => Labels["dev.sampan.component"] === name);
    assert.equal(own.length, replicas, `${name} has one container for each replica`);
    for (const { ImageID, State } of own)
      assert.deepEqual([ImageID, State], [expected[name], "running"], name);
  }
  assert.deepEqual(componentsView.map(({ name }) => name).sort(), Object.keys(expected).sort());
  assert.equal(
    containers.length,
    componentsView.reduce((sum, { replicas }) => sum + replicas, 0),
    "no container is left over",
  );
}

async function order(crossing: Crossing): Promise<ActResult> {
  return await orderAtSite(crossing, 6, 7);
}

/** Somebody orders at the site, and finds this and every earlier order. */
export async function orderAtSite(
  { siteShop, siteOrders }: Crossing,
  ...books: number[]
): Promise<ActResult> {
  siteOrders.push(await siteShop.order(CUSTOMER_AT_SITE, ...books));
  await siteShop.assertHolds(CUSTOMER_AT_SITE, siteOrders);
  return { says: `${siteOrders.length} orders in the book` };
}

export const SITE_ACTS: readonly Act[] = [
  { where: "site", title: "the engine is empty and cut off", run: proveEmptyAndCutOff },
  { where: "site", title: "Sampan is set up", run: setUp },
  { where: "site", title: "2.9 is imported, its signer trusted", run: importFirst },
  { where: "site", title: "2.9 is installed", run: install },
  { where: "site", title: "the app is cut off too", run: proveAppCutOff },
  { where: "site", title: "books are ordered", run: order },
];
