import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { digestOf } from "./memory-content-store.ts";
import { check, pushBlob, startRegistry, type TestRegistry } from "./test-registry.ts";

const bytes: Buffer<ArrayBuffer> = randomBytes(300_000);
const digest = digestOf(bytes);
const wrong = digestOf(Buffer.from("something else"));

async function begin(registry: TestRegistry, repository = "shop/web"): Promise<string> {
  const begun = await check(registry.call("POST", `/v2/${repository}/blobs/uploads/`), 202);
  expect(begun.headers.get("range")).toBe("0-0");
  return begun.headers.get("location") ?? "";
}

function patch(registry: TestRegistry, location: string, part: Buffer<ArrayBuffer>, range?: string) {
  return registry.call("PATCH", location, {
    body: part,
    headers: range === undefined ? {} : { "content-range": range },
  });
}

describe("uploads", () => {
  test("a blob sent in one request comes back byte for byte", async () => {
    const registry = await startRegistry();
    const answer = registry.call("POST", `/v2/shop/web/blobs/uploads/?digest=${digest}`, { body: bytes });
    const made = await check(answer, 201);
    expect(made.headers.get("location")).toBe(`/v2/shop/web/blobs/${digest}`);
    const got = await check(registry.call("GET", `/v2/shop/web/blobs/${digest}`), 200);
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
    expect(await readdir(registry.uploadsFolder)).toEqual([]);
  });

  test("a blob can be sent in chunks, and its status tells how far it is", async () => {
    const registry = await startRegistry();
    const location = await begin(registry);
    await check(patch(registry, location, bytes.subarray(0, 100_000), "0-99999"), 202);
    const status = await check(registry.call("GET", location), 204);
    expect(status.headers.get("range")).toBe("0-99999");
    await check(patch(registry, location, bytes.subarray(100_000, 200_000)), 202);
    const last = registry.call("PUT", `${location}?digest=${digest}`, { body: bytes.subarray(200_000) });
    await check(last, 201);
    await check(registry.call("HEAD", `/v2/shop/web/blobs/${digest}`), 200);
  });

  test("a chunk at the wrong place is refused and changes nothing", async () => {
    const registry = await startRegistry();
    const location = await begin(registry);
    await check(patch(registry, location, bytes.subarray(0, 10), "0-9"), 202);
    for (const range of ["0-9", "11-20", "5-14"])
      await check(patch(registry, location, bytes.subarray(0, 10), range), 416, "BLOB_UPLOAD_INVALID");
    for (const range of ["x", "9-5", "10-", "-10", "10-19-20"])
      await check(patch(registry, location, bytes.subarray(0, 10), range), 416, "BLOB_UPLOAD_INVALID");
    await check(patch(registry, location, bytes.subarray(0, 10), "10-30"), 400, "SIZE_INVALID");
    expect((await registry.call("GET", location)).headers.get("range")).toBe("0-9");
  });

  test("a blob with another digest is refused, and the upload is gone", async () => {
    const registry = await startRegistry();
    const location = await begin(registry);
    const put = registry.call("PUT", `${location}?digest=${wrong}`, { body: bytes });
    await check(put, 400, "DIGEST_INVALID");
    await check(registry.call("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    await check(registry.call("GET", `/v2/shop/web/blobs/${wrong}`), 404, "BLOB_UNKNOWN");
    expect(registry.store.blobs.size).toBe(0);
  });

  test("content that is held elsewhere must still be sent to be had", async () => {
    const registry = await startRegistry();
    await pushBlob(registry, "secret/app", bytes);
    const location = await begin(registry, "mine");
    await check(registry.call("PUT", `${location}?digest=${digest}`), 400, "DIGEST_INVALID");
    await check(registry.call("GET", `/v2/mine/blobs/${digest}`), 404, "BLOB_UNKNOWN");
  });

  test("an upload goes on after the server was started again", async () => {
    const first = await startRegistry();
    const location = await begin(first);
    await check(patch(first, location, bytes.subarray(0, 100_000)), 202);
    const second = await startRegistry({ uploadsFolder: first.uploadsFolder, store: first.store });
    await check(patch(second, location, bytes.subarray(100_000), "100000-299999"), 202);
    await check(second.call("PUT", `${location}?digest=${digest}`), 201);
  });

  test("an upload belongs to the repository in which it was begun", async () => {
    const registry = await startRegistry();
    const location = await begin(registry, "shop/web");
    const other = location.replace("shop/web", "shop/api");
    await check(registry.call("GET", other), 404, "BLOB_UPLOAD_UNKNOWN");
    await check(patch(registry, other, bytes), 404, "BLOB_UPLOAD_UNKNOWN");
    await check(registry.call("DELETE", other), 404, "BLOB_UPLOAD_UNKNOWN");
  });

  test("a cancelled upload is gone", async () => {
    const registry = await startRegistry();
    const location = await begin(registry);
    await check(registry.call("DELETE", location), 204);
    await check(registry.call("DELETE", location), 404, "BLOB_UPLOAD_UNKNOWN");
    expect(await readdir(registry.uploadsFolder)).toEqual([]);
  });

  test("a client that goes away in the middle of a chunk can ask how far it came", async () => {
    const registry = await startRegistry();
    const location = await begin(registry);
    const [host, port] = registry.host.split(":");
    const socket = connect(Number(port), host);
    await once(socket, "connect");
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n`);
    socket.write(bytes.subarray(0, 50_000));
    const sizeOf = async () => {
      const range = (await registry.call("GET", location)).headers.get("range") ?? "";
      return Number(range.split("-")[1]) + 1;
    };
    await expect.poll(sizeOf).toBe(50_000);
    socket.destroy();
    const rest = () => patch(registry, location, bytes.subarray(50_000), "50000-299999");
    await expect.poll(async () => (await rest()).status).toBe(202);
    await check(registry.call("PUT", `${location}?digest=${digest}`), 201);
  });
});

describe("limits of uploads", () => {
  test("a blob that is too large is refused while it comes", async () => {
    const registry = await startRegistry({ uploadSizeBytesMax: 1000 });
    const location = await begin(registry);
    await check(patch(registry, location, bytes.subarray(0, 1000)), 202);
    await check(patch(registry, location, bytes.subarray(0, 1)), 413, "SIZE_INVALID");
  });

  test("no more uploads are open at once than allowed", async () => {
    const registry = await startRegistry({ uploadsMax: 2 });
    const first = await begin(registry);
    await begin(registry);
    await check(registry.call("POST", "/v2/shop/web/blobs/uploads/"), 429, "TOOMANYREQUESTS");
    await check(registry.call("DELETE", first), 204);
    await begin(registry);
  });

  test("uploads that were left alone are dropped when the next begins", async () => {
    let later = 0;
    const now = () => new Date(Date.now() + later);
    const registry = await startRegistry({ uploadIdleMs: 3_600_000, now });
    const stale = await begin(registry);
    later = 3_700_000;
    await begin(registry);
    await check(registry.call("GET", stale), 404, "BLOB_UPLOAD_UNKNOWN");
  });
});

describe("mounting", () => {
  test("a blob of a repository that one may read is mounted without sending it", async () => {
    const registry = await startRegistry();
    await pushBlob(registry, "shop/web", bytes);
    await check(registry.call("POST", `/v2/mine/blobs/uploads/?mount=${digest}&from=shop/web`), 201);
    await check(registry.call("HEAD", `/v2/mine/blobs/${digest}`), 200);
  });

  test("a blob of a repository that one may not read, or that lacks it, has to be sent", async () => {
    const registry = await startRegistry({
      authorize: (_request, access) =>
        "repository" in access && access.repository === "secret" && access.action === "pull"
          ? "deny"
          : "allow",
    });
    await pushBlob(registry, "secret", bytes);
    for (const from of ["secret", "empty"]) {
      await check(registry.call("POST", `/v2/mine/blobs/uploads/?mount=${digest}&from=${from}`), 202);
      await check(registry.call("HEAD", `/v2/mine/blobs/${digest}`), 404);
    }
  });
});
