import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineAddress } from "./find-engine.ts";

/** Stands before an engine and breaks the connection at the first call whose path matches, before the engine hears of it: a crash at that point. */
export async function openCuttingProxy(
  engine: EngineAddress,
  path: RegExp,
): Promise<{ readonly address: EngineAddress; drop(): void; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "sampan-proxy-"));
  const socketPath = join(folder, "engine.sock");
  const target =
    engine.kind === "socket" ? { socketPath: engine.path } : { host: engine.host, port: engine.port };
  const server = createServer((incoming, reply) => {
    if (path.test(incoming.url ?? "")) {
      incoming.socket.destroy();
      return;
    }
    const { method, url, headers } = incoming;
    const outgoing = request({ ...target, method, path: url, headers, agent: false }, (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(reply);
    });
    outgoing.on("error", () => reply.destroy());
    reply.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    address: { kind: "socket", path: socketPath },
    /** Breaks all connections there are. */
    drop: () => server.closeAllConnections(),
    async close() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
