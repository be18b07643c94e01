import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Digest, digestHex } from "@sampan/content";
import { expect, test } from "vitest";
import { openBundle } from "./bundle.ts";
import { contentOf } from "./content-entries.ts";
import { parseDocument } from "./document.ts";
import { parseEnvelope, preAuthEncoding } from "./envelope.ts";
import { blobName, digestOf, renderRoot } from "./root.ts";
import { inFolder, sampleCargo, sampleKey } from "./sample-bundle.ts";
import { END_BYTES, renderEntry } from "./tar-entry.ts";
import { writeBundle } from "./write-bundle.ts";

const run = promisify(execFile);

async function withBundle(
  act: (folder: string, path: string, digest: Digest) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const { cargo, options } = await sampleCargo();
    const path = join(folder, "shop.sampan");
    const { digest } = await writeBundle(cargo, path, options);
    await act(folder, path, digest);
  });
}

test("skopeo copies a bundle to an OCI layout, with the manifest's digest and every blob kept", () =>
  withBundle(async (folder, path, digest) => {
    const layout = join(folder, "layout");
    await run("skopeo", ["copy", `oci-archive:${path}`, `oci:${layout}:shop`]);
    const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8"));
    expect(index.manifests.map((manifest: { digest: string }) => manifest.digest)).toEqual([digest]);
    await using bundle = await openBundle(path);
    const copied = await readdir(join(layout, "blobs/sha256"));
    for (const { digest } of bundle.content) {
      expect(copied).toContain(digestHex(digest));
      expect(digestOf(await readFile(join(layout, "blobs/sha256", digestHex(digest))))).toBe(digest);
    }
    expect(copied).toHaveLength(bundle.content.length + 3);
  }));

test("what skopeo copied can be put together again to the very same file", () =>
  withBundle(async (folder, path, digest) => {
    const layout = join(folder, "layout");
    await run("skopeo", ["copy", `oci-archive:${path}`, `oci:${layout}:shop`]);
    const read = (blob: Digest) => readFile(join(layout, "blobs/sha256", digestHex(blob)));
    const manifest = JSON.parse((await read(digest)).toString());
    const envelope = parseEnvelope(await read(manifest.layers[0].digest));
    const document = parseDocument(envelope.payload);
    const parts = [renderRoot(document, envelope)!.bytes];
    for (const { digest } of contentOf(document))
      parts.push(renderEntry(blobName(digest), await read(digest)));
    const made = Buffer.concat([...parts, Buffer.alloc(END_BYTES)]);
    expect(made.equals(await readFile(path))).toBe(true);
  }));

test("skopeo names a bundle by the same digest", () =>
  withBundle(async (_, path, digest) => {
    const { stdout } = await run("skopeo", ["inspect", "--raw", `oci-archive:${path}`]);
    expect(digestOf(Buffer.from(stdout))).toBe(digest);
  }));

test("openssl accepts a bundle's signature as SPEC.md tells, and refuses another payload", () =>
  withBundle(async (folder, path) => {
    await using bundle = await openBundle(path);
    const { payloadType, payload, signatures } = bundle.envelope;
    const file = (name: string) => join(folder, name);
    await writeFile(file("vendor.pem"), sampleKey("vendor").publicKey);
    await writeFile(file("sig"), signatures[0]!.signature);
    await writeFile(file("pae"), preAuthEncoding(payloadType, payload));
    const verify = () =>
      run(
        "openssl",
        ["pkeyutl", "-verify", "-pubin", "-inkey", file("vendor.pem"), "-rawin"].concat(
          "-in",
          file("pae"),
          "-sigfile",
          file("sig"),
        ),
      );
    expect((await verify()).stdout).toMatch(/Signature Verified Successfully/);
    await writeFile(file("pae"), preAuthEncoding(payloadType, Buffer.concat([payload, Buffer.from(" ")])));
    await expect(verify()).rejects.toThrow(/pkeyutl/);
  }));
