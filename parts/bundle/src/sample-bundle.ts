import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "@sampan/content";
import type { ByteSource } from "./byte-source.ts";
import { signerOf } from "./keys.ts";
import { MemoryCargo } from "./memory-cargo.ts";
import type { CargoRelease, ReleaseCargo } from "./plan-bundle.ts";
import { digestOf } from "./root.ts";
import { type WriteOptions, writeBundle, writeFiles } from "./write-bundle.ts";

/** What the tests of this room pack: two releases that share images, and an image of another platform. */
export async function sampleCargo(): Promise<{
  readonly cargo: MemoryCargo;
  readonly options: WriteOptions;
}> {
  const cargo = new MemoryCargo();
  const base = sampleBytes("base", 5200);
  const web = await cargo.hold([base, sampleBytes("web", 2100), new Uint8Array()]);
  const orders = await cargo.hold([base, sampleBytes("orders", 1300)]);
  const probe = await cargo.hold([sampleBytes("probe", 700)], { os: "linux", architecture: "arm64" });
  const logo = Buffer.from("<svg/>");
  await cargo.writeBlob(digestOf(logo), logo);
  const options: WriteOptions = {
    releases: [
      sampleRelease("3.0", [web, orders, probe]),
      { ...sampleRelease("2.9", [orders, web]), alias: "Spring 春" },
    ],
    blobs: [{ digest: digestOf(logo), mediaType: "image/svg+xml", role: "logo/shop", size: logo.length }],
    createdBy: "sampan/0.1.0",
    level: 3,
    packSizeBytes: 4000,
    signers: [signerOf(sampleKey("vendor").privateKey)],
  };
  return { cargo, options };
}

/** The releases of {@link sampleCargo}, and 3.1, which changes an image: an increment on 3.0. */
export async function sampleIncrement(): Promise<{
  readonly cargo: MemoryCargo;
  readonly options: WriteOptions;
}> {
  const { cargo, options } = await sampleCargo();
  const [base, old] = await Promise.all(
    options.releases[0]!.imageIds.slice(0, 2).map((imageId) => cargo.image(imageId)),
  );
  const web = Buffer.concat([sampleBytes("web", 1000), sampleBytes("web 3.1", 1400)]);
  const imageId = await cargo.hold([cargo.layer(base!.layers[0]!.diffId), web, sampleBytes("new", 900)]);
  const { digest, templateId, templateName, version, imageIds } = options.releases[0]!;
  const images = await Promise.all(imageIds.map((one) => cargo.image(one)));
  const diffIds = images.flatMap((image) => image!.layers.map((layer) => layer.diffId));
  const bases = [{ release: digest, templateId, templateName, version, diffIds }];
  const releases = [sampleRelease("3.1", [imageId, old!.imageId])];
  return { cargo, options: { ...options, releases, bases, blobs: [] } };
}

export function sampleRelease(version: string, imageIds: readonly Digest[]) {
  const bytes = Buffer.from(JSON.stringify({ version, images: imageIds }));
  return { digest: digestOf(bytes), bytes, templateId: "shop", templateName: "商店 Shop", version, imageIds };
}

/** Bytes that do not repeat, the same on every run. */
export function sampleBytes(seed: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash("sha256").update(`${seed} ${index}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** An Ed25519 key that everybody can make: for tests only. */
export function sampleKey(seed: string): { readonly publicKey: string; readonly privateKey: string } {
  const der = Buffer.concat([PKCS8_HEAD, sampleBytes(`key ${seed}`, 32)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return {
    privateKey: key.export({ type: "pkcs8", format: "pem" }) as string,
    publicKey: createPublicKey(key).export({ type: "spki", format: "pem" }) as string,
  };
}

/** Runs an act in a folder of its own. */
export async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-bundle-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The bytes of a bundle. */
export async function packed(cargo: MemoryCargo, options: WriteOptions): Promise<Buffer> {
  return inFolder(async (folder) => {
    const path = join(folder, "it.sampan");
    await writeBundle(cargo, path, options);
    return readFile(path);
  });
}

/** The bytes of each volume. Volumes may be smaller than the product makes them. */
export async function packedVolumes(cargo: MemoryCargo, options: WriteOptions): Promise<Buffer[]> {
  return inFolder(async (folder) => {
    const { files } = await writeFiles(cargo, join(folder, "it.sampan"), options);
    return Promise.all(files.map((file) => readFile(file.path)));
  });
}

/** Layers are made of 1000-byte pieces, so what is told by numbers shares what has the same number. */
export function sampleLayer(pieces: readonly number[]): Uint8Array {
  return Buffer.concat(pieces.map((piece) => sampleBytes(`piece ${piece}`, 1000)));
}

/** A vendor with several releases, each of images, each of layers, each of numbered pieces. */
export async function vendorOf(releases: readonly (readonly (readonly (readonly number[])[])[])[]): Promise<{
  readonly cargo: MemoryCargo;
  readonly releases: readonly ReleaseCargo[];
  readonly bases: readonly CargoRelease[];
}> {
  const cargo = new MemoryCargo();
  const made: ReleaseCargo[] = [];
  const bases: CargoRelease[] = [];
  for (const [index, images] of releases.entries()) {
    const imageIds: Digest[] = [];
    for (const layers of images) imageIds.push(await cargo.hold(layers.map(sampleLayer)));
    const { bytes, ...release } = sampleRelease(`${index + 1}.0`, imageIds);
    const { digest, templateId, templateName, version } = release;
    const diffIds = images.flatMap((layers) => layers.map((layer) => digestOf(sampleLayer(layer))));
    made.push({ ...release, bytes });
    bases.push({ release: digest, templateId, templateName, version, diffIds });
  }
  return { cargo, releases: made, bases };
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: async (buffer, position) => {
      const part = bytes.subarray(position, position + buffer.length);
      buffer.set(part);
      return part.length;
    },
    close: async () => {},
  };
}
