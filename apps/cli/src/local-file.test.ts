import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readLocalText } from "./local-file.ts";

const folder = await mkdtemp(join(tmpdir(), "sampan-local-"));
afterAll(() => rm(folder, { recursive: true }));
await writeFile(join(folder, "large"), "x".repeat(11));
await writeFile(join(folder, "fits"), "x".repeat(10));
await writeFile(join(folder, "binary"), Uint8Array.of(0xff, 0xfe));

test.for([
  ["absent", "there is no such file"],
  [".", "it is a folder"],
  ["fits/more", "a part of the path is no folder"],
  ["large", "it has 11 B, and 10 B are allowed"],
  ["binary", "it is not UTF-8 text"],
] as const)("%s is refused: %s", async ([name, why]) => {
  const read = readLocalText(join(folder, name), { sizeBytesMax: 10 });
  await expect(read).rejects.toMatchObject({ code: "CLI_FILE", why });
});

test("a file of exactly the size that is allowed is read", async () => {
  expect(await readLocalText(join(folder, "fits"), { sizeBytesMax: 10 })).toBe("x".repeat(10));
});
