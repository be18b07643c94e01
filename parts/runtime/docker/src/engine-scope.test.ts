import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { EngineClient } from "./engine-client.ts";
import { EngineScope, imagePath } from "./engine-scope.ts";

test("an engine with the containerd image store is refused by name, until it is changed", async () => {
  let store = "io.containerd.snapshotter.v1";
  const server = createServer((request, reply) => {
    reply.setHeader("Api-Version", "1.47");
    if (request.url?.endsWith("/info") === true)
      reply.end(JSON.stringify({ DriverStatus: [["driver-type", store]] }));
    else reply.end(JSON.stringify({ Id: "x" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new EngineClient({ kind: "tcp", host: "127.0.0.1", port });
  try {
    const scope = new EngineScope(client, undefined);
    await expect(scope.image("shop")).rejects.toMatchObject({
      code: "RUNTIME_REFUSED",
      hint: expect.stringContaining("containerd-snapshotter"),
    });
    store = "extfs";
    expect(await scope.image("shop")).toEqual({ Id: "x" });
  } finally {
    await client.close();
    server.close();
    server.closeAllConnections();
  }
});

test("image names keep their form in a path", () => {
  expect(imagePath("127.0.0.1:5000/team/shop:1")).toBe("127.0.0.1:5000/team/shop:1");
  expect(imagePath("shop@sha256:ab")).toBe("shop%40sha256:ab");
  expect(imagePath("a?b#c")).toBe("a%3Fb%23c");
});
