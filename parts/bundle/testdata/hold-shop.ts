/**
 * A shop in three releases, held by a real hold: two images that share a layer. In 2.0 and 3.0 that layer is rebuilt, so that it has another
 * digest, though little in 3.0 is new. Only for testdata and its tests: rooms do not import each other.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HeldImage } from "@sampan/content";
import { type Hold, openHold } from "../../hold/src/index.ts";
import { renderCanonical } from "../src/canonical-json.ts";
import { type CargoRelease, type ReleaseCargo, signerOf, type WriteOptions } from "../src/index.ts";
import { digestOf } from "../src/root.ts";
import { sampleBytes, sampleKey, sampleRelease } from "../src/sample-bundle.ts";
import { END_BYTES, renderEntry } from "../src/tar-entry.ts";

export type ShopVersion = "1.0" | "2.0" | "3.0";

/** Runs an act with an empty hold in a folder of its own. */
export async function withHold<T>(act: (hold: Hold) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-sample-"));
  const hold = await openHold({ folder });
  try {
    return await act(hold);
  } finally {
    await hold.close();
    await rm(folder, { recursive: true });
  }
}

/** Takes a version of the shop in, as an engine gives it; tells how to export it and how to build on it. */
export async function captureShop(
  hold: Hold,
  version: ShopVersion,
): Promise<{
  readonly options: WriteOptions;
  readonly base: CargoRelease;
  readonly images: readonly HeldImage[];
}> {
  const images = await hold.captureImages(toStream(shopSave(version)));
  const logo = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
  await hold.writeBlob(digestOf(logo), logo);
  const release = sampleRelease(
    version,
    images.map((image) => image.imageId),
  );
  const options: WriteOptions = {
    releases: [release],
    blobs: [{ digest: digestOf(logo), mediaType: "image/svg+xml", role: "logo/shop", size: logo.length }],
    createdBy: "sampan/0.1.0",
    level: 9,
    packSizeBytes: 16 * 1024 * 1024,
    signers: [signerOf(sampleKey("vendor").privateKey)],
  };
  return { options, base: baseOf(release, images), images };
}

function baseOf(release: ReleaseCargo, images: readonly HeldImage[]): CargoRelease {
  const { digest, templateId, templateName, version } = release;
  const diffIds = images.flatMap((image) => image.layers.map((layer) => layer.diffId));
  return { release: digest, templateId, templateName, version, diffIds };
}

async function* toStream(bytes: Uint8Array) {
  yield bytes;
}

function filesOf(version: ShopVersion): Readonly<Record<string, string | Uint8Array>> {
  const library = Buffer.from(sampleBytes("libshop", 9000));
  if (version === "1.0") return { "etc/os-release": "ID=sample\n", "usr/lib/libshop.so": library };
  sampleBytes(`patch ${version}`, 40).copy(library, 4000);
  const modules = Array.from({ length: 90 }, (_, at) => {
    const changed = version === "3.0" && at === 30 ? "// mended\n" : "";
    return [`srv/lib/module-${at}/index.js`, `${changed}export const name = "module ${at}";\n`];
  });
  const help = Array.from({ length: 4 }, (_, at) => [`usr/share/help-${at}`, sampleBytes(`help ${at}`, 6000)]);
  return {
    "etc/os-release": `ID=sample\nVERSION_ID=${version}\n`,
    "usr/lib/libshop.so": library,
    ...Object.fromEntries([...modules, ...help]),
  };
}

/** What `docker save` gives for the two images. */
function shopSave(version: ShopVersion): Buffer {
  const base = tar(filesOf(version));
  const web = tar({ "srv/index.html": "<h1>Shop</h1>\n".repeat(40), "srv/empty": "" });
  const orders = tar({ "srv/orders.js": "export const orders = [];\n".repeat(30) });
  const images = [
    { name: "web", layers: [base, web] },
    { name: "orders", layers: [base, orders] },
  ].map(({ name, layers }) => {
    const config = renderCanonical({
      architecture: "amd64",
      config: { Cmd: [name] },
      os: "linux",
      rootfs: { diff_ids: layers.map(digestOf), type: "layers" },
    });
    return { name, layers, config };
  });
  const files = new Map<string, string | Uint8Array>();
  for (const { config, layers } of images) {
    for (const layer of layers) files.set(`${hex(layer)}/layer.tar`, layer);
    files.set(`${hex(config)}.json`, config);
  }
  const rows = images.map(({ name, config, layers }) => ({
    Config: `${hex(config)}.json`,
    RepoTags: [`shop/${name}:${version}`],
    Layers: layers.map((layer) => `${hex(layer)}/layer.tar`),
  }));
  return tar({ ...Object.fromEntries(files), "manifest.json": JSON.stringify(rows) });
}

function tar(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const entries = Object.entries(files).map(([name, data]) => renderEntry(name, Buffer.from(data)));
  return Buffer.concat([...entries, Buffer.alloc(END_BYTES)]);
}

function hex(bytes: Uint8Array): string {
  return digestOf(bytes).slice("sha256:".length);
}
