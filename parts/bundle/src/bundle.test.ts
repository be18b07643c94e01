import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type Bundle, openBundle } from "./bundle.ts";
import { digestOf } from "./root.ts";
import { inFolder, sampleBytes, sampleCargo } from "./sample-bundle.ts";
import { verifyBundle } from "./verify-bundle.ts";
import { writeBundle } from "./write-bundle.ts";

async function withBundle(act: (bundle: Bundle, path: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const { cargo, options } = await sampleCargo();
    const path = join(folder, "it.sampan");
    await writeBundle(cargo, path, options);
    await using bundle = await openBundle(path);
    await act(bundle, path);
  });
}

async function checkOpen(code: string, make: (path: string) => Promise<unknown>): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, "it.sampan");
    await make(path);
    await expect(openBundle(path)).rejects.toMatchObject({ code });
    await expect(verifyBundle(path)).rejects.toMatchObject({ code });
  });
}

test("a file that is not there is absent", () => checkOpen("BUNDLE_ABSENT", async () => {}));
test("a folder is no bundle", () => checkOpen("BUNDLE_INVALID", (path) => mkdir(path)));
test("a device is no bundle", () => checkOpen("BUNDLE_INVALID", (path) => symlink("/dev/zero", path)));
test("a named pipe is no bundle", () =>
  checkOpen("BUNDLE_INVALID", (path) => promisify(execFile)("mkfifo", [path])));
test("a loop of links cannot be read", () => checkOpen("BUNDLE_UNREADABLE", (path) => symlink(path, path)));
test("an empty file is cut off", () => checkOpen("BUNDLE_TRUNCATED", (path) => writeFile(path, "")));
test("other bytes are no bundle", () =>
  checkOpen("BUNDLE_INVALID", (path) => writeFile(path, sampleBytes("other", 5000))));

test("each listed blob can be read by its digest, wherever it stands", () =>
  withBundle(async (bundle) => {
    for (const entry of bundle.content.toReversed()) {
      const bytes = await bundle.read(entry.digest);
      expect(digestOf(bytes)).toBe(entry.digest);
      expect(bytes.length).toBe(entry.size);
    }
  }));

test("a digest that is not listed cannot be read", () =>
  withBundle(async (bundle) => {
    const reading = bundle.read(digestOf(Buffer.from("nothing")));
    await expect(reading).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
  }));

test("a blob whose bytes changed since opening is not handed out", () =>
  withBundle(async (bundle, path) => {
    const entry = bundle.content.at(-1)!;
    const bytes = await readFile(path);
    bytes[entry.offset + 512]! ^= 1;
    await writeFile(path, bytes);
    await expect(bundle.read(entry.digest)).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
  }));

test("verifying tells how far it is, in bytes of the file", () =>
  withBundle(async (bundle, path) => {
    const done: number[] = [];
    await verifyBundle(path, {
      onProgress: (progress) => {
        expect(progress).toMatchObject({ stage: "verify", total: bundle.sizeBytes });
        done.push(progress.done);
      },
    });
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBe(bundle.sizeBytes);
  }));

test("verifying stops when asked, with the reason", () =>
  withBundle(async (_, path) => {
    const reason = new Error("enough");
    const control = new AbortController();
    const verifying = verifyBundle(path, { signal: control.signal, onProgress: () => control.abort(reason) });
    await expect(verifying).rejects.toBe(reason);
  }));
