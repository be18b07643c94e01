import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { EngineClient } from "./engine-client.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A client of an engine that answers as told; the ping is answered for it. */
async function clientOf(answer: RequestListener, version = "1.41"): Promise<EngineClient> {
  const server = createServer((request, reply) => {
    if (request.url === "/_ping") reply.setHeader("Api-Version", version).end("OK");
    else answer(request, reply);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new EngineClient({ kind: "tcp", host: "127.0.0.1", port });
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => client.close(),
  );
  return client;
}

const CALL = { method: "GET", path: "/info", what: "describe itself" } as const;

test("a call carries the negotiated version, its query and its body", async () => {
  const client = await clientOf((request, reply) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces).toString();
      reply.end(JSON.stringify({ url: request.url, type: request.headers["content-type"], body }));
    });
  }, "1.99");
  const query = { all: true, names: ["a", "b c"], none: undefined };
  expect((await client.call({ ...CALL, method: "POST", query, body: { Image: "x" } })).body).toEqual({
    url: "/v1.47/info?all=true&names=a&names=b+c",
    type: "application/json",
    body: '{"Image":"x"}',
  });
  expect((await client.call({ ...CALL, method: "PUT", body: Buffer.from("tar") })).body).toMatchObject({
    type: "application/x-tar",
    body: "tar",
  });
});

test("a refusal is told in the engine's own words, unless its status is expected", async () => {
  const client = await clientOf((_request, reply) => reply.writeHead(409).end('{"message":"in use"}'));
  await expect(client.call(CALL)).rejects.toMatchObject({
    code: "RUNTIME_REFUSED",
    message: "the engine refused to describe itself",
    why: "in use",
  });
  expect(await client.call({ ...CALL, accept: [409] })).toMatchObject({ status: 409, words: "in use" });
  const drain = async () => {
    for await (const piece of client.stream(CALL)) expect(piece).toBeUndefined();
  };
  await expect(drain()).rejects.toMatchObject({ code: "RUNTIME_REFUSED", why: "in use" });
  await expect(client.upgrade({ ...CALL, method: "POST" })).rejects.toMatchObject({ why: "in use" });
});

test("a refusal without words tells the status", async () => {
  const client = await clientOf((_request, reply) => reply.writeHead(500).end());
  await expect(client.call(CALL)).rejects.toMatchObject({ why: "it answered 500" });
});

test("an answer that is not JSON is refused", async () => {
  const client = await clientOf((_request, reply) => reply.end("<html>"));
  await expect(client.call(CALL)).rejects.toMatchObject({ code: "RUNTIME_REFUSED" });
});

test("an engine that is too old is refused at the first call", async () => {
  const client = await clientOf((_request, reply) => reply.end("{}"), "1.40");
  await expect(client.call(CALL)).rejects.toMatchObject({ code: "RUNTIME_TOO_OLD" });
});

test("an engine that does not answer in time is told so", async () => {
  const client = await clientOf(() => {});
  await expect(client.call({ ...CALL, timeoutMs: 10 })).rejects.toMatchObject({ code: "RUNTIME_TIMEOUT" });
});

test("an abort ends a call, a stream and an upgrade with its reason", async () => {
  const reason = new Error("cancelled");
  const abort = new AbortController();
  let calls = 0;
  const client = await clientOf((request, reply) => {
    if (request.url?.endsWith("stream") === true) reply.write("x");
    if (++calls === 3) abort.abort(reason);
  });
  const call = { ...CALL, signal: abort.signal };
  const drain = async () => {
    for await (const piece of client.stream({ ...call, path: "/stream" })) expect(piece).toHaveLength(1);
  };
  const all = [client.call(call), drain(), client.upgrade({ ...call, method: "POST" })];
  const ends = await Promise.allSettled(all);
  expect(ends).toEqual(all.map(() => ({ status: "rejected", reason })));
  await expect(client.call({ ...CALL, signal: abort.signal })).rejects.toBe(reason);
});

test("a connection that breaks means that the engine is away, and the version is asked anew", async () => {
  let pings = 0;
  let broken = true;
  const server = createServer((request, reply) => {
    if (request.url === "/_ping") {
      pings++;
      reply.setHeader("Api-Version", "1.41").end();
    } else if (broken) request.socket.destroy();
    else reply.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new EngineClient({ kind: "tcp", host: "127.0.0.1", port });
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => client.close(),
  );
  await expect(client.call(CALL)).rejects.toMatchObject({ code: "RUNTIME_UNREACHABLE" });
  broken = false;
  await client.call(CALL);
  await client.call(CALL);
  expect(pings).toBe(2);
});

test("a socket that is not there, and a server that is no engine, are unreachable", async () => {
  const absent = new EngineClient({ kind: "socket", path: "/nonexistent/engine.sock" });
  cleanups.push(() => absent.close());
  await expect(absent.call(CALL)).rejects.toMatchObject({
    code: "RUNTIME_UNREACHABLE",
    why: expect.stringContaining("/nonexistent/engine.sock"),
  });
  const stranger = createServer((_request, reply) => reply.end("hello"));
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { port } = stranger.address() as AddressInfo;
  const client = new EngineClient({ kind: "tcp", host: "127.0.0.1", port });
  cleanups.push(
    () => stranger.close(),
    () => stranger.closeAllConnections(),
    () => client.close(),
  );
  await expect(client.call(CALL)).rejects.toMatchObject({ code: "RUNTIME_UNREACHABLE" });
});
