import { execFile } from "node:child_process";
import { once } from "node:events";
import { accessSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ASK_SCRIPT } from "./inside-ask.ts";

const server = createServer((_request, reply) => reply.end("hello"));
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** Runs the script where no other programs are to be found than these. */
async function ask(
  programs: readonly string[],
  env: { readonly PORT: string; readonly REQUEST: string },
): Promise<{ readonly code: number; readonly output: string }> {
  const folder = mkdtempSync(join(tmpdir(), "sampan-ask-"));
  try {
    for (const program of programs) symlinkSync(find(program), join(folder, program));
    return await new Promise((resolve) => {
      const options = { env: { PATH: folder, HOST: "127.0.0.1", ...env } };
      const child = execFile("/bin/sh", ["-c", ASK_SCRIPT], options, (_error, output) =>
        resolve({ code: child.exitCode ?? -1, output }),
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function find(program: string): string {
  if (program === "node") return process.execPath;
  for (const folder of ["/usr/bin", "/bin"]) {
    try {
      accessSync(join(folder, program));
      return join(folder, program);
    } catch {
      // The next folder may have it.
    }
  }
  throw new Error(`${program} is not on this machine`);
}

const portOf = () => String((server.address() as AddressInfo).port);

test.each([[["bash", "cat"]], [["perl"]], [["node"]]])("with %j a port is asked", async (programs) => {
  const request = "GET / HTTP/1.0\r\nhost: x\r\n\r\n";
  const reply = await ask(programs, { PORT: portOf(), REQUEST: request });
  expect(reply).toEqual({
    code: 0,
    output: expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nhello$/s),
  });
  expect(await ask(programs, { PORT: portOf(), REQUEST: "" })).toEqual({ code: 0, output: "" });
  for (const REQUEST of [request, ""])
    expect(await ask(programs, { PORT: "9", REQUEST })).toEqual({ code: 97, output: "" });
});

test("without any of the programs it says so", async () => {
  expect(await ask([], { PORT: portOf(), REQUEST: "" })).toEqual({ code: 96, output: "" });
});
