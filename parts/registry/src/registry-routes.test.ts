import { randomBytes } from "node:crypto";
import { MEDIA_TYPE } from "@sampan/content";
import { describe, expect, test } from "vitest";
import { digestOf } from "./memory-content-store.ts";
import { check, manifestOf, pushBlob, pushParts, putManifest, startRegistry } from "./test-registry.ts";

const absent = digestOf(Buffer.from("absent"));

describe("reading blobs", () => {
  const bytes = randomBytes(100_000);
  const digest = digestOf(bytes);
  const ranges: readonly (readonly [string, number, string | undefined, Buffer])[] = [
    ["bytes=0-9", 206, "bytes 0-9/100000", bytes.subarray(0, 10)],
    ["bytes=99990-", 206, "bytes 99990-99999/100000", bytes.subarray(99_990)],
    ["bytes=-10", 206, "bytes 99990-99999/100000", bytes.subarray(99_990)],
    ["bytes=99990-200000", 206, "bytes 99990-99999/100000", bytes.subarray(99_990)],
    ["bytes=-200000", 206, "bytes 0-99999/100000", bytes],
    ["bytes=5-2", 200, undefined, bytes],
    ["bytes=-", 200, undefined, bytes],
    ["bytes=0-1,5-6", 200, undefined, bytes],
    ["lines=1-2", 200, undefined, bytes],
  ];

  test.each(ranges)("the range %s gives %i", async (range, status, contentRange, content) => {
    const registry = await startRegistry();
    await pushBlob(registry, "web", bytes);
    const got = await check(registry.call("GET", `/v2/web/blobs/${digest}`, { headers: { range } }), status);
    expect(got.headers.get("content-range") ?? undefined).toBe(contentRange);
    expect(got.headers.get("content-length")).toBe(String(content.length));
    expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true);
  });

  test("bytes that the blob does not have are refused", async () => {
    const registry = await startRegistry();
    await pushBlob(registry, "web", bytes);
    for (const range of ["bytes=100000-", "bytes=-0"]) {
      const got = await registry.call("GET", `/v2/web/blobs/${digest}`, { headers: { range } });
      expect([got.status, got.headers.get("content-range")]).toEqual([416, "bytes */100000"]);
    }
  });

  test("HEAD tells size and digest, and a known tag saves the transfer", async () => {
    const registry = await startRegistry();
    await pushBlob(registry, "web", bytes);
    const head = await check(registry.call("HEAD", `/v2/web/blobs/${digest}`), 200);
    expect(head.headers.get("content-length")).toBe("100000");
    expect(head.headers.get("docker-content-digest")).toBe(digest);
    const etag = head.headers.get("etag") ?? "";
    const headers = { "if-none-match": etag };
    await check(registry.call("GET", `/v2/web/blobs/${digest}`, { headers }), 304);
  });

  test("a blob is only in the repository it was pushed to, until it is deleted", async () => {
    const registry = await startRegistry();
    await pushBlob(registry, "web", bytes);
    await check(registry.call("GET", `/v2/other/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    await check(registry.call("DELETE", `/v2/web/blobs/${digest}`), 202);
    await check(registry.call("DELETE", `/v2/web/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    await check(registry.call("GET", `/v2/web/blobs/${digest}`), 404, "BLOB_UNKNOWN");
  });
});

describe("manifests", () => {
  test("a manifest comes back byte for byte by tag and by digest", async () => {
    const registry = await startRegistry();
    const manifest = await pushParts(registry, "shop/web");
    const put = await check(putManifest(registry, "shop/web", "1.0", manifest), 201);
    expect(put.headers.get("docker-content-digest")).toBe(manifest.digest);
    for (const name of ["1.0", manifest.digest]) {
      const got = await check(registry.call("GET", `/v2/shop/web/manifests/${name}`), 200);
      expect(got.headers.get("content-type")).toBe(manifest.mediaType);
      expect(Buffer.from(await got.arrayBuffer()).equals(manifest.bytes)).toBe(true);
      const head = await check(registry.call("HEAD", `/v2/shop/web/manifests/${name}`), 200);
      expect(head.headers.get("content-length")).toBe(String(manifest.bytes.length));
    }
  });

  test("deleting a tag keeps the manifest; deleting the manifest takes its tags", async () => {
    const registry = await startRegistry();
    const manifest = await pushParts(registry, "web");
    for (const tag of ["a", "b", "c"]) await check(putManifest(registry, "web", tag, manifest), 201);
    await check(registry.call("DELETE", "/v2/web/manifests/a"), 202);
    await check(registry.call("GET", "/v2/web/manifests/a"), 404, "MANIFEST_UNKNOWN");
    await check(registry.call("GET", "/v2/web/manifests/b"), 200);
    await check(registry.call("DELETE", `/v2/web/manifests/${manifest.digest}`), 202);
    for (const name of ["b", "c", manifest.digest])
      await check(registry.call("GET", `/v2/web/manifests/${name}`), 404, "MANIFEST_UNKNOWN");
    expect([...registry.store.references.keys()]).toEqual([]);
  });

  test("blobs that another manifest of the repository has stay when one goes", async () => {
    const registry = await startRegistry();
    const first = await pushParts(registry, "web");
    const { layers } = JSON.parse(first.bytes.toString()) as { layers: { digest: string }[] };
    const second = await pushParts(registry, "web", { layers });
    for (const manifest of [first, second]) await putManifest(registry, "web", manifest.digest, manifest);
    await check(registry.call("DELETE", `/v2/web/manifests/${first.digest}`), 202);
    await check(registry.call("HEAD", `/v2/web/blobs/${layers[0]?.digest}`), 200);
    await check(registry.call("GET", `/v2/web/manifests/${second.digest}`), 200);
  });

  test("an index needs its manifests", async () => {
    const registry = await startRegistry();
    const manifest = await pushParts(registry, "web");
    const entry = { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
    const index = manifestOf({ manifests: [entry] }, MEDIA_TYPE.ociIndex);
    await check(putManifest(registry, "web", "all", index), 400, "MANIFEST_BLOB_UNKNOWN");
    await check(putManifest(registry, "web", manifest.digest, manifest), 201);
    await check(putManifest(registry, "web", "all", index), 201);
  });

  test("a manifest that is too large is refused", async () => {
    const registry = await startRegistry();
    const manifest = await pushParts(registry, "web", { annotations: { x: "y".repeat(4 * 1024 * 1024) } });
    await check(putManifest(registry, "web", "big", manifest), 413, "SIZE_INVALID");
  });

  test("manifests that cannot be kept are refused and change nothing", async () => {
    const registry = await startRegistry();
    const good = await pushParts(registry, "web");
    const fields = JSON.parse(good.bytes.toString()) as { config: object; layers: object[] };
    const before = registry.store.references.size;
    const layer = { mediaType: MEDIA_TYPE.ociLayerTar, digest: absent, size: 3 };
    const rows: readonly (readonly [unknown, string, string])[] = [
      ["no json", MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [[], MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, schemaVersion: 1 }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, mediaType: undefined }, "text/plain", "MANIFEST_INVALID"],
      [fields, MEDIA_TYPE.dockerManifest, "MANIFEST_INVALID"],
      [{ ...fields, layers: {} }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, layers: [null] }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, layers: [{ ...layer, digest: "md5:1" }] }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, layers: [{ ...layer, size: -1 }] }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, config: { ...fields.config, size: 1 } }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, annotations: { a: 1 } }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, subject: "x" }, MEDIA_TYPE.ociManifest, "MANIFEST_INVALID"],
      [{ ...fields, layers: [layer] }, MEDIA_TYPE.ociManifest, "MANIFEST_BLOB_UNKNOWN"],
    ];
    for (const [content, type, code] of rows) {
      const body = typeof content === "string" ? content : JSON.stringify(content);
      const headers = { "content-type": type };
      await check(registry.call("PUT", "/v2/web/manifests/x", { body, headers }), 400, code);
    }
    const other = putManifest(registry, "web", absent, good);
    await check(other, 400, "DIGEST_INVALID");
    expect(registry.store.references.size).toBe(before);
  });

  test("layers that may not be distributed need not be here", async () => {
    const registry = await startRegistry();
    const mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    const layers = [{ mediaType, digest: absent, size: 3, urls: ["http://elsewhere/"] }];
    const manifest = await pushParts(registry, "web", { layers });
    await check(putManifest(registry, "web", "x", manifest), 201);
  });
});

describe("lists", () => {
  test("tags come in order, page by page", async () => {
    const registry = await startRegistry();
    const manifest = await pushParts(registry, "web");
    for (const tag of ["b", "c", "a", "d", "e"]) await putManifest(registry, "web", tag, manifest);
    // The names of this repository stand between those of the other one.
    const inner = await pushParts(registry, "web/tags/b");
    await putManifest(registry, "web/tags/b", "inner", inner);
    const seen: string[][] = [];
    for (let path: string | undefined = "/v2/web/tags/list?n=2"; path !== undefined; ) {
      const page = await check(registry.call("GET", path), 200);
      seen.push(((await page.json()) as { tags: string[] }).tags);
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual([["a", "b"], ["c", "d"], ["e"]]);
    await check(registry.call("GET", "/v2/web/tags/list?n=x"), 405, "UNSUPPORTED");
    await check(registry.call("GET", "/v2/absent/tags/list"), 404, "MANIFEST_UNKNOWN");
    expect(await (await registry.call("GET", "/v2/web/tags/list?n=0")).json()).toEqual({
      name: "web",
      tags: [],
    });
  });

  test("the catalog has the repositories that the reader may pull from", async () => {
    const registry = await startRegistry({
      authorize: (_request, access) =>
        "repository" in access && access.repository === "b" && access.action === "pull" ? "deny" : "allow",
    });
    for (const repository of ["d/e", "b", "a", "c"])
      await putManifest(registry, repository, "1", await pushParts(registry, repository));
    const first = await check(registry.call("GET", "/v2/_catalog?n=2"), 200);
    expect(await first.json()).toEqual({ repositories: ["a", "c"] });
    const next = /<(.+)>/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(await (await registry.call("GET", next)).json()).toEqual({ repositories: ["d/e"] });
  });

  test("referrers are listed with type and annotations, and can be filtered", async () => {
    const registry = await startRegistry();
    const subject = { mediaType: MEDIA_TYPE.ociManifest, digest: absent, size: 3 };
    const more = { subject, artifactType: "application/sbom", annotations: { a: "b" } };
    const sbom = await pushParts(registry, "web", more);
    const plain = await pushParts(registry, "web", { subject });
    const put = await check(putManifest(registry, "web", sbom.digest, sbom), 201);
    expect(put.headers.get("oci-subject")).toBe(absent);
    await check(putManifest(registry, "web", plain.digest, plain), 201);
    const list = async (query: string) => {
      const answer = await check(registry.call("GET", `/v2/web/referrers/${absent}${query}`), 200);
      expect(answer.headers.get("content-type")).toBe(MEDIA_TYPE.ociIndex);
      return ((await answer.json()) as { manifests: { digest: string; artifactType: string }[] }).manifests;
    };
    const types = (await list("")).map((one) => one.artifactType).sort();
    expect(types).toEqual([MEDIA_TYPE.ociConfig, "application/sbom"].sort());
    expect(await list("?artifactType=application%2Fsbom")).toEqual([
      expect.objectContaining({ digest: sbom.digest, annotations: { a: "b" } }),
    ]);
    await check(registry.call("DELETE", `/v2/web/manifests/${sbom.digest}`), 202);
    expect(await list("")).toHaveLength(1);
  });
});

describe("held images", () => {
  async function holdImage() {
    const registry = await startRegistry();
    const manifest = await pushParts(registry, "source");
    const { config } = JSON.parse(manifest.bytes.toString()) as {
      config: { digest: `sha256:${string}`; size: number };
    };
    registry.store.blobs.set(manifest.digest, manifest.bytes);
    registry.store.images.set(config.digest, {
      imageId: config.digest,
      manifest: { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length },
      config: { mediaType: MEDIA_TYPE.ociConfig, ...config },
      layers: [],
      os: "linux",
      architecture: "amd64",
    });
    return { registry, manifest, imageId: config.digest };
  }

  test("an image is there under its ID as tag, and under the digest of its manifest", async () => {
    const { registry, manifest, imageId } = await holdImage();
    for (const name of [imageId.slice("sha256:".length), manifest.digest]) {
      const got = await check(registry.call("GET", `/v2/images/manifests/${name}`), 200);
      expect(Buffer.from(await got.arrayBuffer()).equals(manifest.bytes)).toBe(true);
    }
    await check(registry.call("GET", `/v2/images/blobs/${imageId}`), 200);
    const tags = await check(registry.call("GET", "/v2/images/tags/list"), 200);
    expect(await tags.json()).toEqual({ name: "images", tags: [] });
  });

  test("what is no held image is unknown, whatever content has that digest", async () => {
    const { registry, imageId } = await holdImage();
    const other = await pushParts(registry, "source");
    registry.store.blobs.set(other.digest, other.bytes);
    for (const name of ["latest", "f".repeat(64), absent, other.digest, imageId])
      await check(registry.call("GET", `/v2/images/manifests/${name}`), 404, "MANIFEST_UNKNOWN");
  });

  test("nothing can be written there", async () => {
    const { registry, manifest, imageId } = await holdImage();
    await check(putManifest(registry, "images", "x", manifest), 403, "DENIED");
    await check(registry.call("POST", "/v2/images/blobs/uploads/"), 403, "DENIED");
    await check(registry.call("DELETE", `/v2/images/blobs/${imageId}`), 403, "DENIED");
  });
});

describe("who may what", () => {
  test("the unknown are asked who they are, the known may be refused", async () => {
    const seen: unknown[] = [];
    const registry = await startRegistry({
      authorize: (request, access) => {
        seen.push(access);
        if (request.headers.authorization === undefined) return "challenge";
        return access.action === "pull" || access.action === "ping" ? "allow" : "deny";
      },
    });
    const asked = await check(registry.call("GET", "/v2/"), 401, "UNAUTHORIZED");
    expect(asked.headers.get("www-authenticate")).toBe('Basic realm="sampan"');
    const headers = { authorization: "Basic x" };
    await check(registry.call("GET", "/v2/", { headers }), 200);
    await check(registry.call("POST", "/v2/shop/web/blobs/uploads/", { headers }), 403, "DENIED");
    await check(registry.call("DELETE", "/v2/shop/web/manifests/x", { headers }), 403, "DENIED");
    await check(registry.call("GET", "/v2/_catalog", { headers }), 403, "DENIED");
    await check(registry.call("GET", "/v2/shop/web/manifests/x", { headers }), 404, "MANIFEST_UNKNOWN");
    expect(seen).toEqual([
      { action: "ping" },
      { action: "ping" },
      { action: "push", repository: "shop/web" },
      { action: "delete", repository: "shop/web" },
      { action: "list" },
      { action: "pull", repository: "shop/web" },
    ]);
  });

  const hostile: readonly (readonly [string, string, number, string])[] = [
    ["GET", "/v2/../../etc/passwd/manifests/x", 404, ""],
    ["GET", "/v2/%2e%2e%2f%2e%2e%2fetc/manifests/x", 400, "NAME_INVALID"],
    ["GET", "/v2/a%00b/manifests/x", 400, "NAME_INVALID"],
    ["GET", "/v2/UPPER/manifests/x", 400, "NAME_INVALID"],
    ["GET", "/v2/a//b/manifests/x", 400, "NAME_INVALID"],
    ["GET", "/v2/-a/manifests/x", 400, "NAME_INVALID"],
    ["GET", `/v2/${"a".repeat(256)}/manifests/x`, 400, "NAME_INVALID"],
    ["GET", "/v2/nothing", 400, "NAME_INVALID"],
    ["GET", "/v2/web/manifests/.hidden", 400, "TAG_INVALID"],
    ["GET", "/v2/web/manifests/..%2f..%2fx", 400, "NAME_INVALID"],
    ["GET", `/v2/web/manifests/${"t".repeat(129)}`, 400, "TAG_INVALID"],
    ["GET", "/v2/web/manifests/sha256:abc", 400, "DIGEST_INVALID"],
    ["GET", "/v2/web/manifests/sha512:abc", 400, "DIGEST_INVALID"],
    ["GET", "/v2/web/blobs/sha256:ABC", 400, "DIGEST_INVALID"],
    ["GET", "/v2/web/blobs/x", 400, "DIGEST_INVALID"],
    ["GET", "/v2/web/referrers/x", 400, "DIGEST_INVALID"],
    ["PATCH", "/v2/web/blobs/uploads/..%2f..%2fx", 400, "NAME_INVALID"],
    ["PATCH", "/v2/web/blobs/uploads/x", 404, "BLOB_UPLOAD_UNKNOWN"],
    ["PUT", "/v2/web/blobs/uploads/x?digest=nonsense", 400, "DIGEST_INVALID"],
    ["PUT", "/v2/web/blobs/uploads/x", 400, "DIGEST_INVALID"],
    ["POST", "/v2/web/manifests/x", 405, "UNSUPPORTED"],
    ["PUT", "/v2/_catalog", 405, "UNSUPPORTED"],
    ["OPTIONS", "/v2/web/tags/list", 405, "UNSUPPORTED"],
  ];

  test.each(hostile)("%s %s is refused with %i %s", async (method, path, status, code) => {
    const registry = await startRegistry();
    await check(registry.call(method, path), status, code === "" ? undefined : code);
    expect(registry.store.references.size + registry.store.blobs.size).toBe(0);
  });
});
