import { createHash } from "node:crypto";

/** For tests: puts a small image of one layer into a server's registry, as `docker push` would. Gives its image ID. */
export async function pushTestImage(
  registry: { readonly url: string; readonly token: string },
  image: {
    readonly repository: string;
    readonly tag: string;
    readonly files: Readonly<Record<string, string>>;
  },
): Promise<string> {
  const layer = tarOf(image.files);
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/serve"] },
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  );
  const at = `${registry.url}/v2/${image.repository}`;
  const headers = { authorization: `Bearer ${registry.token}` };
  for (const blob of [layer, config]) await putBlob(at, headers, blob);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: [describe("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const put = await fetch(`${at}/manifests/${image.tag}`, {
    method: "PUT",
    headers: { ...headers, "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: manifest,
  });
  if (put.status !== 201) throw new Error(`the manifest was refused: ${put.status} ${await put.text()}`);
  return digestOf(config);
}

async function putBlob(
  at: string,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array,
): Promise<void> {
  const begun = await fetch(`${at}/blobs/uploads/`, { method: "POST", headers });
  const place = new URL(begun.headers.get("location") ?? "", at);
  place.searchParams.set("digest", digestOf(bytes));
  const put = await fetch(place, {
    method: "PUT",
    headers: { ...headers, "content-type": "application/octet-stream" },
    body: Buffer.from(bytes),
  });
  if (put.status !== 201) throw new Error(`a blob was refused: ${put.status} ${await put.text()}`);
}

function describe(mediaType: string, bytes: Uint8Array) {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

const BLOCK = 512;

/** ustar: a header of one block for each file, its content padded to blocks, two empty blocks. */
function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [headerOf(path, content.length), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(path: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  header.write(path, 0);
  header.write(octal(0o755, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write("        0", 148);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)} `, 148);
  return header;
}
