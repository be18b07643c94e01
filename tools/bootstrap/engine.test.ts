import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  compareApiVersions,
  dockerHostOf,
  engineCandidates,
  findEngine,
  parseDockerHost,
} from "./engine.mjs";

/** A socket that answers `GET /_ping` like an engine of this version; without a version, like something else. */
async function fakeEngine(apiVersion?: string) {
  const folder = mkdtempSync(join(tmpdir(), "sampan-engine-"));
  const socketPath = join(folder, "engine.sock");
  const server = createServer((request, response) => {
    if (apiVersion !== undefined) response.setHeader("Api-Version", apiVersion);
    response.writeHead(request.url === "/_ping" ? 200 : 404).end("OK");
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  return { name: "fake", socketPath };
}

test("the first engine that answers is taken, and why the others were not is told", async () => {
  const absent = { name: "absent", socketPath: "/nowhere/engine.sock" };
  const tooOld = { ...(await fakeEngine("1.40")), name: "old" };
  const other = { ...(await fakeEngine()), name: "other" };
  const good = await fakeEngine("1.41");
  const { engine, tried } = await findEngine([absent, tooOld, other, good]);
  expect(engine).toEqual({ endpoint: good, apiVersion: "1.41" });
  expect(tried).toEqual([
    "absent: no such socket",
    "old: it speaks API 1.40; 1.41 (Docker 20.10) or newer is needed",
    "other: GET /_ping answered without an Api-Version",
  ]);
});

test("without an engine there is none, whatever was tried", async () => {
  const absent = { name: "absent", socketPath: "/nowhere/engine.sock" };
  expect((await findEngine([absent])).engine).toBeUndefined();
});

test("DOCKER_HOST is the only candidate where it is set", () => {
  expect(engineCandidates({ DOCKER_HOST: "unix:///run/other.sock" }, 0)).toEqual([
    { name: "unix:///run/other.sock", socketPath: "/run/other.sock" },
  ]);
});

test("the usual sockets are asked in order, those of this user included", () => {
  expect(engineCandidates({}, 1000).map(({ name }) => name)).toEqual([
    "/var/run/docker.sock",
    "/run/user/1000/docker.sock",
    "/run/podman/podman.sock",
    "/run/user/1000/podman/podman.sock",
  ]);
});

test.for(["unix:///run/a.sock", "tcp://127.0.0.1:2375", "tcp://[::1]:2375"])(
  "%s leads there and back",
  (text) => {
    expect(dockerHostOf(parseDockerHost(text))).toBe(text);
  },
);

test.for(["ssh://host", "tcp://host", "", "npipe:////./pipe/docker"])(
  "%j is refused as DOCKER_HOST",
  (text) => {
    expect(() => parseDockerHost(text)).toThrow("only unix:///path and tcp://host:port are understood");
  },
);

test("API versions compare by number, not by letter", () => {
  expect(compareApiVersions("1.9", "1.41")).toBeLessThan(0);
  expect(compareApiVersions("2.0", "1.99")).toBeGreaterThan(0);
  expect(compareApiVersions("1.41", "1.41")).toBe(0);
});
