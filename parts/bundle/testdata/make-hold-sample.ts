/**
 * Writes a bundle from a real hold: two images of a shop that share a layer, in one release. Made `v1/hold.sampan`.
 * Only for testdata and journeys: rooms do not import each other.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHold } from "../../hold/src/index.ts";
import { renderCanonical } from "../src/canonical-json.ts";
import { signerOf, writeBundle } from "../src/index.ts";
import { digestOf } from "../src/root.ts";
import { sampleBytes, sampleKey, sampleRelease } from "../src/sample-bundle.ts";
import { END_BYTES, renderEntry } from "../src/tar-entry.ts";

export async function makeHoldSample(path: string) {
  const folder = await mkdtemp(join(tmpdir(), "sampan-sample-"));
  const hold = await openHold({ folder });
  try {
    const images = await hold.captureImages(toStream(sampleSave()));
    const logo = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
    await hold.writeBlob(digestOf(logo), logo);
    return await writeBundle(hold, path, {
      releases: [sampleRelease("1.0", images.map((image) => image.imageId))],
      blobs: [{ digest: digestOf(logo), mediaType: "image/svg+xml", role: "logo/shop", size: logo.length }],
      createdBy: "sampan/0.1.0",
      level: 9,
      packSizeBytes: 16 * 1024 * 1024,
      signers: [signerOf(sampleKey("vendor").privateKey)],
    });
  } finally {
    await hold.close();
    await rm(folder, { recursive: true });
  }
}

async function* toStream(bytes: Uint8Array) {
  yield bytes;
}

/** What `docker save` gives for the two images. */
function sampleSave(): Buffer {
  const base = tar({ "etc/os-release": "ID=sample\n", "usr/lib/libshop.so": sampleBytes("libshop", 9000) });
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
    RepoTags: [`shop/${name}:1.0`],
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

if (import.meta.main) await makeHoldSample(`${import.meta.dirname}/v1/hold.sampan`);
