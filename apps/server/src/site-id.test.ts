import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@sampan/store";
import { expect, onTestFinished, test } from "vitest";
import { openSiteId } from "./site-id.ts";

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "sampan-site-id-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const kept = new Map<string, unknown>();
  const settings = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: unknown) => void kept.set(key, value),
  } as unknown as Store["settings"];
  let made = 0;
  const file = join(folder, "site.id");
  return { file, kept, open: () => openSiteId(file, { settings, newId: () => `site_${++made}` }) };
}

test("a site has one id, and keeps it when its database or the file is lost", async () => {
  const { file, kept, open } = await setUp();
  expect(await open()).toBe("site_1");
  expect(await open()).toBe("site_1");
  kept.clear();
  expect(await open()).toBe("site_1");
  expect(kept.get("siteId")).toBe("site_1");
  await rm(file);
  expect(await open()).toBe("site_1");
  expect(await readFile(file, "utf8")).toBe("site_1\n");
});

test("the database's id counts, whatever the file says; a damaged file is none", async () => {
  const { file, kept, open } = await setUp();
  await open();
  await writeFile(file, "site_other\n");
  expect(await open()).toBe("site_1");
  for (const text of ["", "\n", "two words", "x".repeat(100)]) {
    await writeFile(file, text);
    expect(await open(), text).toBe("site_1");
  }
  kept.clear();
  await writeFile(file, "../x");
  expect(await open()).toBe("site_2");
});
