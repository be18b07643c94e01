import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeAddress, findEngine, parseEngineAddress } from "./find-engine.ts";

test.each([
  ["unix:///run/x.sock", { kind: "socket", path: "/run/x.sock" }],
  ["/run/x.sock", { kind: "socket", path: "/run/x.sock" }],
  ["tcp://10.0.0.1:2375", { kind: "tcp", host: "10.0.0.1", port: 2375 }],
  ["tcp://engine", { kind: "tcp", host: "engine", port: 2375 }],
  ["tcp://[fd00::1]:99", { kind: "tcp", host: "fd00::1", port: 99 }],
  ["https://engine", { kind: "tcp", host: "engine", port: 2376, tls: {} }],
])("%s is understood", (text, address) => {
  expect(parseEngineAddress(text)).toEqual(address);
  expect(findEngine({ DOCKER_HOST: text })).toEqual(address);
});

test.each(["ssh://root@engine", "unix://relative.sock", "tcp://", "engine:2375", "x", "npipe:////./pipe/x"])(
  "%s is refused",
  (text) => {
    expect(() => parseEngineAddress(text)).toThrow(
      expect.objectContaining({ code: "RUNTIME_UNREACHABLE", message: expect.stringContaining(text) }),
    );
  },
);

test("certificates are taken from DOCKER_CERT_PATH", () => {
  const folder = mkdtempSync(join(tmpdir(), "sampan-engine-"));
  try {
    writeFileSync(join(folder, "ca.pem"), "CA");
    writeFileSync(join(folder, "key.pem"), "KEY");
    const env = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder };
    const address = parseEngineAddress("tcp://engine:2376", env);
    expect(address).toEqual({ kind: "tcp", host: "engine", port: 2376, tls: { ca: "CA", key: "KEY" } });
    expect(describeAddress(address)).toBe("https://engine:2376");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("without DOCKER_HOST a usual socket is found, of a user's own engine too", () => {
  const folder = mkdtempSync(join(tmpdir(), "sampan-engine-"));
  try {
    mkdirSync(join(folder, "podman"));
    writeFileSync(join(folder, "podman/podman.sock"), "");
    const found = findEngine({ DOCKER_HOST: "", XDG_RUNTIME_DIR: folder });
    // A machine with an engine of its own is to use that one.
    expect([
      `${folder}/podman/podman.sock`,
      "/var/run/docker.sock",
      "/run/docker.sock",
      "/run/podman/podman.sock",
    ]).toContain(found?.kind === "socket" ? found.path : "");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
