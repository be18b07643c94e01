import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdir, open, readFile, stat, statfs, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { containersOf, networksOf, volumesOf } from "./engine-api.ts";
import type { Place } from "./place.ts";
import type { Ended } from "./processes.ts";
import { run } from "./processes.ts";
import type { SampanServer } from "./sampan-server.ts";
import { filesOf } from "./witness.ts";

/** What the command line tells of a problem with `--json`. */
export interface ToldProblem {
  readonly code: string;
  readonly message: string;
  readonly why?: string;
  readonly hint?: string;
  readonly faults?: readonly { readonly path: string; readonly line?: number; readonly message: string }[];
}

/** The command must have ended with one of the codes and its exit code, said what to do next, and no word more than that. */
export function assertProblem(
  ended: Ended,
  expected: { readonly exitCode: number; readonly codes: readonly string[] | RegExp },
): ToldProblem {
  const told = problemIn(ended);
  const { codes } = expected;
  const isExpected = codes instanceof RegExp ? codes.test(told.code) : codes.includes(told.code);
  assert.ok(isExpected, `${told.code} (${told.message}) is none of ${codes}`);
  assert.equal(ended.exitCode, expected.exitCode, `exit code of ${told.code}`);
  assert.notEqual(told.message, "");
  assert.ok(told.why !== undefined || told.hint !== undefined, `${told.code} says why, or what to do next`);
  assert.equal(ended.stdout, "", "a failure has no result");
  return told;
}

function problemIn({ exitCode, stderr }: Ended): ToldProblem {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  assert.ok(line.startsWith('{"error":'), `exit code ${exitCode}, and no problem was told: ${stderr}`);
  return (JSON.parse(line) as { readonly error: ToldProblem }).error;
}

/** All that a refused command must leave as it was: the library, the apps, the hold's packs, the engine. */
export async function stateOf(site: SampanServer): Promise<unknown> {
  const client = site.client();
  const { dockerHost } = site.place;
  const [templates, apps, records, bundles] = await Promise.all([
    client.listTemplates(),
    client.listApps(),
    client.listRecords(),
    client.listBundles(),
  ]);
  return {
    templates: templates.items.map(({ id, releases }) => [id, releases]),
    apps: apps.items.map(({ name, generation }) => [name, generation]),
    records: records.items.length,
    bundles: bundles.items.map(({ name }) => name),
    packs: (await filesOf(site.dataFolder)).filter(
      (path) => path.startsWith("hold/") && !path.includes("sqlite"),
    ),
    containers: (await containersOf(dockerHost).catch(() => []))
      .map(({ Id, State }) => `${Id} ${State}`)
      .sort(),
    networks: [...(await networksOf(dockerHost).catch(() => []))].sort(),
    volumes: [...(await volumesOf(dockerHost).catch(() => []))].sort(),
  };
}

/** A copy of a file that ends too early. */
export async function truncated(path: string, folder: string, share: number): Promise<string> {
  const target = join(folder, `truncated-${share}.sampan`);
  await copyFile(path, target);
  await truncate(target, Math.floor((await stat(path)).size * share));
  return target;
}

/** A copy of a file in which one bit is the other way round. */
export async function flipped(path: string, folder: string, share: number): Promise<string> {
  const target = join(folder, `flipped-${share.toFixed(4)}.sampan`);
  await copyFile(path, target);
  const file = await open(target, "r+");
  try {
    const at = Math.floor((await stat(path)).size * share);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 0b100;
    await file.write(byte, 0, 1, at);
  } finally {
    await file.close();
  }
  return target;
}

/** Text, zeros, another kind of archive: what people pick by mistake. */
export async function notBundles(folder: string): Promise<readonly string[]> {
  const texts = {
    "letter.sampan": "Dear customer,\n".repeat(200),
    "zeros.sampan": "\0".repeat(20_480),
    "one-byte.sampan": "x",
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  await run(["tar", "-cf", join(folder, "archive.sampan"), "-C", folder, "letter.sampan"]);
  return [...Object.keys(texts), "archive.sampan"].map((name) => join(folder, name));
}

/** Somebody else at a port of a place, until disposed of. */
export async function occupyPort(place: Place, port: number): Promise<AsyncDisposable> {
  const program = `require("node:net").createServer().listen(${port}, "0.0.0.0", () => console.log("there"))`;
  const [command = "", ...args] = place.command([process.execPath, "-e", program]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Fills the disk that a folder is on to the last block, until disposed of. */
export async function fillDisk(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, "somebody-elses-file");
  const { bavail, bsize } = await statfs(folder);
  await writeFile(path, Buffer.alloc(bavail * bsize)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOSPC") throw error;
  });
  return { [Symbol.asyncDispose]: () => run(["rm", "-f", path]).then(() => undefined) };
}

/** A small disk of its own, in memory; the story's cleaning unmounts it. */
export async function mountSmallDisk(folder: string, sizeBytes: number): Promise<string> {
  await run(["mkdir", "-p", folder]);
  await run(["mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "sampan-small-disk", folder]);
  return folder;
}

/** Waits until a job tells of progress beyond a number of bytes, or has ended. */
export async function untilUnderWay(site: SampanServer, jobId: string, stage: string): Promise<void> {
  for (;;) {
    const job = await site.client().getJob({ params: { id: jobId } });
    if (!["queued", "running"].includes(job.state)) return;
    if (job.progress !== undefined && job.progress.stage === stage && job.progress.done > 0) return;
    await sleep(20);
  }
}

/** An image in an engine whose config says another processor than any machine here has; made by hand, as an archive to load. */
export async function makeForeignImage(dockerHost: string, folder: string): Promise<string> {
  const tag = "foreign/hello:1";
  const image = join(folder, "foreign");
  await mkdir(image, { recursive: true });
  await writeFile(join(image, "hello"), "hello");
  await run(["tar", "-cf", join(image, "layer.tar"), "-C", image, "hello"]);
  const layer = createHash("sha256").update(await readFile(join(image, "layer.tar")));
  const config = {
    architecture: "s390x",
    os: "linux",
    config: { Cmd: ["/hello"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer.digest("hex")}`] },
  };
  await writeFile(join(image, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [tag], Layers: ["layer.tar"] }];
  await writeFile(join(image, "manifest.json"), JSON.stringify(manifest));
  const archive = join(folder, "foreign.tar");
  await run(["tar", "-cf", archive, "-C", image, "config.json", "layer.tar", "manifest.json"]);
  await run(["docker", "--host", dockerHost, "load", "--input", archive]);
  return tag;
}
