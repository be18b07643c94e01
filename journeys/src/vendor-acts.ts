import assert from "node:assert/strict";
import { copyFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Act, ActResult } from "./acts.ts";
import { type BookshopVersion, bookshopImages, bookshopText, buildBookshop, COMPONENTS } from "./bookshop.ts";
import type { Crossing } from "./crossing.ts";
import { imagesOf } from "./engine-api.ts";

export const CUSTOMER = "Ada 王";

interface Published {
  readonly digest: string;
}
interface Exported {
  readonly path: string;
  readonly sizeBytes: number;
}

async function buildImages({ vendorPlace }: Crossing): Promise<ActResult> {
  const built = await buildBookshop(vendorPlace.dockerHost);
  const ids = new Set(Object.values(await bookshopImages(vendorPlace.dockerHost, "2.9")));
  const bytes = (await imagesOf(vendorPlace.dockerHost))
    .filter(({ Id }) => ids.has(Id))
    .reduce((sum, { Size }) => sum + Size, 0);
  return { bytes, says: built === 0 ? "they were there" : `${built} images from Dockerfiles` };
}

async function setUp(crossing: Crossing): Promise<ActResult> {
  await crossing.sides.setUpVendor();
  return { says: crossing.vendor.url };
}

/** The vendor's own app becomes what its text says; all of it answers then. */
export async function applyVersion(crossing: Crossing, version: BookshopVersion): Promise<ActResult> {
  const port = `http_port=${crossing.vendorPort}`;
  await crossing.vendor.do(["apply", "-f", bookshopText(version), "-p", port]);
  await crossing.vendorShop.assertServes();
  return { says: `${COMPONENTS[version].length} components answer` };
}

async function sellBooks({ vendorShop, vendorOrders }: Crossing): Promise<ActResult> {
  vendorOrders.push(await vendorShop.order(CUSTOMER, 1, 2), await vendorShop.order(CUSTOMER, 3));
  await vendorShop.assertHolds(CUSTOMER, vendorOrders);
  return { says: `${vendorOrders.length} orders` };
}

export async function publishVersion({ vendor }: Crossing, version: BookshopVersion): Promise<ActResult> {
  const { digest } = await vendor.do<Published>(["publish", "bookshop", "--as", version]);
  const { images, components, sizeBytes } = await vendor.do<{
    readonly images: readonly { readonly imageId: string }[];
    readonly components: readonly string[];
    readonly sizeBytes: number;
  }>(["release", "show", digest]);
  assert.deepEqual([...components].sort(), COMPONENTS[version]);
  const built = await bookshopImages(vendor.place.dockerHost, version);
  const published = images.map(({ imageId }) => imageId).sort();
  assert.deepEqual(
    published,
    [...new Set(Object.values(built))].sort(),
    "exactly the images that run are published",
  );
  return { bytes: sizeBytes, says: `${images.length} images, ${digest.slice(0, 19)}` };
}

export async function exportVersion(
  { vendor, vendorFolder }: Crossing,
  version: BookshopVersion,
): Promise<ActResult> {
  const file = join(vendorFolder, bundleName(version));
  const { sizeBytes } = await vendor.do<Exported>(["export", `bookshop@${version}`, "-o", file]);
  assert.equal((await stat(file)).size, sizeBytes);
  return { bytes: sizeBytes, says: bundleName(version) };
}

export async function carry({ vendorFolder, stick }: Crossing, version: BookshopVersion): Promise<ActResult> {
  const target = join(stick, bundleName(version));
  await copyFile(join(vendorFolder, bundleName(version)), target);
  return { bytes: (await stat(target)).size, says: "one file on a stick" };
}

export function bundleName(version: BookshopVersion): string {
  return `bookshop-${version}.sampan`;
}

export const VENDOR_ACTS: readonly Act[] = [
  { where: "vendor", title: "the images of the bookshop are built", run: buildImages },
  { where: "vendor", title: "Sampan is set up", run: setUp },
  { where: "vendor", title: "bookshop 2.9 is applied", run: (crossing) => applyVersion(crossing, "2.9") },
  { where: "vendor", title: "books are sold", run: sellBooks },
  { where: "vendor", title: "2.9 is published", run: (crossing) => publishVersion(crossing, "2.9") },
  { where: "vendor", title: "2.9 is exported", run: (crossing) => exportVersion(crossing, "2.9") },
  { where: "gap", title: "the file is carried", run: (crossing) => carry(crossing, "2.9") },
];
