import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import type { Bytes, HeldImage } from "@sampan/content";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "./hold-files.ts";
import { gather, noise, TestHolds, tarOf } from "./test-images.ts";

const docker = async (...args: string[]) => (await promisify(execFile)("docker", args)).stdout.trim();
const NAME = `sampan-hold-test-${process.pid}`;
const images: string[] = [];

/** What a command writes; throws when it fails. */
async function* outputOf(command: ChildProcess): AsyncGenerator<Uint8Array> {
  const ended = once(command, "close");
  yield* command.stdout as Bytes;
  expect((await ended)[0]).toBe(0);
}

const save = (...ids: string[]) =>
  outputOf(spawn("docker", ["save", ...ids], { stdio: ["ignore", "pipe", "inherit"] }));

async function importImage(files: Parameters<typeof tarOf>[0], ...options: string[]): Promise<string> {
  const command = spawn("docker", ["import", ...options, "-"], { stdio: ["pipe", "pipe", "inherit"] });
  command.stdin.end(await tarOf(files));
  const id = (await gather(outputOf(command))).toString().trim();
  images.push(id);
  return id;
}

beforeAll(async () => {
  const base = await importImage([
    { name: "bin/", type: "directory" },
    { name: "bin/busybox", mode: 0o755, body: noise(900_000, 1) },
    { name: "bin/sh", type: "symlink", linkname: "busybox" },
    { name: "bin/ash", type: "link", linkname: "bin/busybox" },
    { name: `srv/${"long-".repeat(30)}name`, uid: 1000, body: "text" },
  ]);
  await docker("tag", base, NAME);
  const built = spawn("docker", ["build", "-q", "-"], { stdio: ["pipe", "pipe", "inherit"] });
  const dockerfile = `FROM ${NAME}\nCOPY more /more\nENV A=b\n`;
  built.stdin.end(
    await tarOf([
      { name: "Dockerfile", body: dockerfile },
      { name: "more/file", body: noise(50_000, 2) },
    ]),
  );
  images.push((await gather(outputOf(built))).toString().trim());
});

afterAll(async () => {
  await docker("rmi", "-f", NAME, ...images.toReversed());
});

const byImageId = (one: HeldImage, other: HeldImage) => (one.imageId < other.imageId ? -1 : 1);

test("images that an engine saves keep their image ID, and their layers are rebuilt bit for bit", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const held = await hold.captureImages(save(...images));
  expect(held.map(({ imageId }) => imageId).toSorted()).toEqual(images.toSorted());
  expect(held.flatMap(({ layers }) => layers).length).toBe(3);
  expect((await hold.stats()).layers.count).toBe(2);
  expect((await hold.check()).damage).toEqual([]);
  // An engine saves in any order, and not always the same.
  const again = await hold.captureImages(save(...images));
  expect(again.toSorted(byImageId)).toEqual(held.toSorted(byImageId));
});

test("an engine loads what the hold rebuilds, as the same image", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const [held] = await hold.captureImages(save(images[1]!));
  const layers = await Promise.all(held!.layers.map(({ diffId }) => gather(hold.read(diffId))));
  const names = layers.map((_, at) => `${at}/layer.tar`);
  const archive = await tarOf([
    ...layers.map((body, at) => ({ name: names[at]!, body })),
    { name: "config.json", body: await hold.readBlob(held!.imageId) },
    {
      name: "manifest.json",
      body: JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: names }]),
    },
  ]);
  await docker("rmi", "-f", images[1]!);
  const loading = spawn("docker", ["load", "-q"], { stdio: ["pipe", "pipe", "inherit"] });
  loading.stdin.end(archive);
  expect((await gather(outputOf(loading))).toString()).toContain(images[1]!);
});

test("the archive that an engine makes of a folder is kept to the byte, and once", async () => {
  await using holds = new TestHolds();
  const hold = await holds.fresh();
  const container = await docker("create", images[0]!, "sh");
  const archive = () =>
    outputOf(spawn("docker", ["cp", `${container}:/srv/.`, "-"], { stdio: ["ignore", "pipe", "inherit"] }));
  try {
    const tar = await gather(archive());
    const layer = { diffId: digestOf(tar), size: tar.length };
    for (let time = 0; time < 2; time += 1) expect(await hold.captureLayer(archive())).toEqual(layer);
    expect((await gather(hold.read(layer.diffId))).equals(tar)).toBe(true);
    expect((await hold.stats()).layers.count).toBe(1);
  } finally {
    await docker("rm", container);
  }
});
