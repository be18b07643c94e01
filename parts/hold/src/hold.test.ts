import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentProblem, type Digest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import { afterEach, expect, test } from "vitest";
import { type Hold, openHold } from "./hold.ts";
import { digestOf } from "./hold-files.ts";

const folders: string[] = [];
const holds: Hold[] = [];

async function freshHold(): Promise<Hold> {
  const folder = await mkdtemp(join(tmpdir(), "hold-"));
  folders.push(folder);
  const hold = await openHold({ folder });
  holds.push(hold);
  return hold;
}

afterEach(async () => {
  for (const hold of holds.splice(0)) await hold.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function readText(hold: Hold, digest: Digest): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of hold.read(digest)) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

test("a blob is read back as it was written", async () => {
  const hold = await freshHold();
  const digest = digestOf(Buffer.from("hello, hold"));
  expect(await hold.write(chunks("hello, ", "hold"), { digest, sizeBytesMax: 11 })).toEqual({ size: 11 });
  expect(await hold.stat(digest)).toEqual({ size: 11 });
  expect(await readText(hold, digest)).toBe("hello, hold");
});

test("bytes with another digest are not kept", async () => {
  const hold = await freshHold();
  const digest = digestOf(Buffer.from("hello"));
  const writing = hold.write(chunks("hullo"), { digest, sizeBytesMax: 5 });
  await expect(writing).rejects.toSatisfy((error) => isProblem(error, "CONTENT_MISMATCH"));
  expect(await hold.stat(digest)).toBeUndefined();
});

test("reading what is not held is a problem", async () => {
  const hold = await freshHold();
  await expect(readText(hold, digestOf(Buffer.from("x")))).rejects.toMatchObject({
    code: contentProblem("CONTENT_ABSENT", "").code,
  });
});
