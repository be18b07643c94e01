import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startRegistry } from "./test-registry.ts";

const run = promisify(execFile);

async function docker(...args: string[]): Promise<string> {
  return (await run("docker", args)).stdout.trim();
}

/** An image with two layers that nothing else has, made by the engine without any network. */
async function makeImage(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-registry-image-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await run("sh", [
    "-c",
    `cd ${folder} && head -c 3000000 /dev/urandom > a && head -c 1000 /dev/urandom > b &&
     printf 'FROM scratch\\nCOPY a /a\\nCOPY b /b\\nCMD ["/a"]\\n' > Dockerfile && docker build -q -t ${name} .`,
  ]);
  onTestFinished(async () => void (await docker("image", "rm", "-f", name).catch(() => "")));
  return docker("image", "inspect", "-f", "{{.Id}}", name);
}

test("an image that the engine pushes is pulled back with its ID, by tag and by digest", async () => {
  const registry = await startRegistry();
  const name = `${registry.host}/shop/web:1.0`;
  const imageId = await makeImage(name);
  await docker("push", name);
  await docker("image", "rm", name);
  await docker("pull", name);
  expect(await docker("image", "inspect", "-f", "{{.Id}}", name)).toBe(imageId);

  const head = await registry.call("HEAD", "/v2/shop/web/manifests/1.0");
  const digest = head.headers.get("docker-content-digest");
  await docker("image", "rm", name);
  await docker("pull", `${registry.host}/shop/web@${digest}`);
  onTestFinished(async () => void (await docker("image", "rm", "-f", imageId).catch(() => "")));
  expect(await docker("image", "inspect", "-f", "{{.Id}}", `${registry.host}/shop/web@${digest}`)).toBe(
    imageId,
  );
});

test("the engine is refused what the server does not allow", async () => {
  const registry = await startRegistry({
    authorize: (_request, access) => (access.action === "push" ? "deny" : "allow"),
  });
  const name = `${registry.host}/shop/web:1.0`;
  await makeImage(name);
  await expect(docker("push", name)).rejects.toThrow(/denied|may not/);
  expect(registry.store.blobs.size).toBe(0);
});

test("the engine logs in with a token, and is refused without", async () => {
  const token = Buffer.from("ann:smp_token").toString("base64");
  const registry = await startRegistry({
    authorize: (request) => {
      if (request.headers.authorization === undefined) return "challenge";
      return request.headers.authorization === `Basic ${token}` ? "allow" : "challenge";
    },
  });
  const config = await mkdtemp(join(tmpdir(), "sampan-registry-config-"));
  onTestFinished(() => rm(config, { recursive: true, force: true }));
  const name = `${registry.host}/shop/web:1.0`;
  const imageId = await makeImage(name);
  await expect(docker("--config", config, "push", name)).rejects.toThrow();
  const login = ["--config", config, "login", "-u", "ann", "-p"];
  await expect(docker(...login, "wrong", registry.host)).rejects.toThrow();
  await docker(...login, "smp_token", registry.host);
  await docker("--config", config, "push", name);
  await docker("image", "rm", name);
  await docker("--config", config, "pull", name);
  expect(await docker("image", "inspect", "-f", "{{.Id}}", name)).toBe(imageId);
});
