import { join } from "node:path";
import { bookshop, freePort, type SampanServer, TwoSides } from "@sampan/journeys";

export const VERSION = "2.9";

/** A vendor that has published bookshop 2.9 and runs it no more, and a site's engine with nothing in it. */
export async function openLoadedVendor(): Promise<TwoSides> {
  const sides = await TwoSides.open();
  try {
    await sides.setUpVendor();
    await bookshop.build(sides.vendor.place.dockerHost);
    await runBookshop(sides.vendor, sides.story.path);
    await publish(sides.vendor);
    await sides.vendor.do(["app", "remove", bookshop.name]);
    return sides;
  } catch (error) {
    await sides[Symbol.asyncDispose]();
    throw error;
  }
}

export async function runBookshop(vendor: SampanServer, folder: string): Promise<void> {
  const text = await bookshop.text(VERSION, folder);
  await vendor.do(["apply", "-f", text, "-p", `http_port=${await freePort()}`]);
}

export async function publish(vendor: SampanServer): Promise<void> {
  await vendor.do(["publish", bookshop.name, "--as", VERSION]);
}

/** References of the images as they were built, for the engine's own tools. */
export async function references(sides: TwoSides): Promise<readonly string[]> {
  const images = await bookshop.images(sides.vendor.place.dockerHost, VERSION);
  return Object.keys(images).map((component) => `bookshop/${component}:${VERSION}`);
}

export function bundlePath(sides: TwoSides): string {
  return join(sides.stick, `bench-${VERSION}.sampan`);
}

export async function exportBundle(sides: TwoSides, level: number): Promise<{ readonly sizeBytes: number }> {
  const words = ["export", `${bookshop.name}@${VERSION}`, "-o", bundlePath(sides), "--level", String(level)];
  return await sides.vendor.do<{ readonly sizeBytes: number }>(words);
}
