import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { pushParts, putManifest, startRegistry, type TestRegistry } from "./test-registry.ts";

const run = promisify(execFile);

async function skopeoCopy(from: string, to: string): Promise<void> {
  await run("skopeo", [
    "copy",
    "--insecure-policy",
    "--preserve-digests",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    from,
    to,
  ]);
}

async function digestOf(registry: TestRegistry, path: string): Promise<string | null> {
  return (await registry.call("HEAD", `/v2/${path}`)).headers.get("docker-content-digest");
}

test("an image copied out to a folder and in again keeps every digest", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sampan-registry-layout-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const registry = await startRegistry();
  const manifest = await pushParts(registry, "shop/web");
  await putManifest(registry, "shop/web", "1.0", manifest);
  await skopeoCopy(`docker://${registry.host}/shop/web:1.0`, `oci:${folder}:web`);
  const other = await startRegistry();
  await skopeoCopy(`oci:${folder}:web`, `docker://${other.host}/copied/web:2.0`);
  expect(await digestOf(other, "copied/web/manifests/2.0")).toBe(manifest.digest);
  expect([...other.store.blobs.keys()].sort()).toEqual([...registry.store.blobs.keys()].sort());
});

test("an image copied between repositories keeps its digest", async () => {
  const registry = await startRegistry();
  const manifest = await pushParts(registry, "a");
  await putManifest(registry, "a", "1", manifest);
  await skopeoCopy(`docker://${registry.host}/a:1`, `docker://${registry.host}/b/c:2`);
  expect(await digestOf(registry, "b/c/manifests/2")).toBe(manifest.digest);
});

test("tags are listed", async () => {
  const registry = await startRegistry();
  const manifest = await pushParts(registry, "shop/web");
  for (const tag of ["1.0", "2.0"]) await putManifest(registry, "shop/web", tag, manifest);
  const { stdout } = await run("skopeo", [
    "list-tags",
    "--tls-verify=false",
    `docker://${registry.host}/shop/web`,
  ]);
  expect(JSON.parse(stdout).Tags).toEqual(["1.0", "2.0"]);
});
