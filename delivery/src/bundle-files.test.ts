import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteRange } from "@sampan/content";
import { expect, onTestFinished, test } from "vitest";
import { BundleFiles } from "./bundle-files.ts";

async function opened() {
  const root = await mkdtemp(join(tmpdir(), "sampan-files-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const stick = join(root, "stick");
  await mkdir(stick);
  let now = "2026-01-01T00:00:00.000Z";
  const files = new BundleFiles({ folder: join(root, "bundles"), importFrom: [stick], now: () => now });
  return {
    files,
    root,
    stick,
    setNow: (text: string) => {
      now = text;
    },
  };
}

async function* bytes(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text);
}

async function read(files: BundleFiles, id: string, range: ByteRange): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of files.read(await files.get(id), range)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const upload = { id: "bdl_1", name: "shop.sampan", sizeBytes: 10 };

test("an upload arrives in parts, and is whole with its last byte", async () => {
  const { files } = await opened();
  await files.beginUpload(upload);
  expect(await files.append("bdl_1", 0, bytes("012", "34"))).toMatchObject({
    receivedBytes: 5,
    state: "uploading",
  });
  expect(await files.append("bdl_1", 5, bytes("56789"))).toMatchObject({ receivedBytes: 10, state: "whole" });
  expect(await read(files, "bdl_1", { start: 2, end: 7 })).toBe("23456");
});

test("an upload goes on from what arrived before its sender broke off", async () => {
  const { files } = await opened();
  await files.beginUpload(upload);
  async function* broken() {
    yield Buffer.from("0123");
    throw new Error("the line broke");
  }
  await expect(files.append("bdl_1", 0, broken())).rejects.toThrow("the line broke");
  expect((await files.get("bdl_1")).receivedBytes).toBe(4);
  expect((await files.append("bdl_1", 4, bytes("456789"))).state).toBe("whole");
});

const refusals: readonly (readonly [string, number, readonly string[]])[] = [
  ["a part that leaves a gap", 4, ["x"]],
  ["a part that was sent before", 0, ["x"]],
  ["more than was announced", 3, ["0123", "4567"]],
];

test.for(refusals)("%s is refused", async ([, offset, texts]) => {
  const { files } = await opened();
  await files.beginUpload(upload);
  await files.append("bdl_1", 0, bytes("012"));
  const part = files.append("bdl_1", offset, bytes(...texts));
  await expect(part).rejects.toMatchObject({ code: "UPLOAD_OUT_OF_STEP" });
  expect((await files.get("bdl_1")).state).toBe("uploading");
});

test("of two senders of one upload, the one that came last writes", async () => {
  const { files } = await opened();
  await files.beginUpload(upload);
  let goOn = (): void => undefined;
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* slow() {
    yield Buffer.from("01");
    await waiting;
    yield Buffer.from("XXXXXXXX");
  }
  const first = files.append("bdl_1", 0, slow());
  while ((await files.get("bdl_1")).receivedBytes < 2) await new Promise((resolve) => setImmediate(resolve));
  await files.append("bdl_1", 2, bytes("23456789"));
  goOn();
  await expect(first).rejects.toMatchObject({ code: "UPLOAD_OUT_OF_STEP" });
  expect(await read(files, "bdl_1", { start: 0, end: 10 })).toBe("0123456789");
});

test("an upload that was whole when the server died is whole", async () => {
  const { files } = await opened();
  await files.beginUpload(upload);
  await files.append("bdl_1", 0, bytes("012345678"));
  const path = files.contentPath("bdl_1", "shop.sampan");
  await writeFile(`${path}.part`, "0123456789");
  await rename(`${path}.part`, path);
  expect(await files.get("bdl_1")).toMatchObject({ state: "whole", receivedBytes: 10 });
});

test("a torn description hides its own file and no other", async () => {
  const { files, root } = await opened();
  await files.beginUpload(upload);
  await files.beginUpload({ ...upload, id: "bdl_2" });
  await writeFile(join(root, "bundles", "bdl_2", "file.json"), "");
  expect((await files.list()).map((file) => file.id)).toEqual(["bdl_1"]);
});

test("an upload that cannot fit is refused when it is announced", async () => {
  const { files } = await opened();
  const announced = files.beginUpload({ ...upload, sizeBytes: Number.MAX_SAFE_INTEGER });
  await expect(announced).rejects.toMatchObject({ code: "DISK_FULL" });
});

const names: readonly (readonly [string, string])[] = [
  ["../../etc/passwd", "..-..-etc-passwd"],
  ["a\\b\0c\nd", "a-b-c-d"],
  ["离线包".repeat(100), "离线包".repeat(22)],
];

test.for(names)("the name %s stays within its folder", async ([given, kept]) => {
  const { files } = await opened();
  const { name } = await files.beginUpload({ ...upload, name: given });
  expect(name).toBe(kept);
  expect((await files.append("bdl_1", 0, bytes("0123456789"))).state).toBe("whole");
});

test.for(["", ".", "..", "file.json", "file.json.part"])("the name %j is refused", async (name) => {
  const { files } = await opened();
  await expect(files.beginUpload({ ...upload, name })).rejects.toMatchObject({ code: "BUNDLE_FILE_ABSENT" });
});

test.for(["..", "../bundles", "a/b", "", "x".repeat(65)])("the id %j is of no file", async (id) => {
  const { files } = await opened();
  await expect(files.get(id)).rejects.toMatchObject({ code: "BUNDLE_FILE_ABSENT" });
});

test("only files in the directories that the site allows are imported from, links followed", async () => {
  const { files, root, stick } = await opened();
  await writeFile(join(stick, "shop.sampan"), "here");
  await writeFile(join(root, "secret"), "there");
  await symlink(join(root, "secret"), join(stick, "link.sampan"));
  await mkdir(join(root, "stick-too"));
  await writeFile(join(root, "stick-too", "shop.sampan"), "beside");
  expect(await readFile(await files.locate({ path: join(stick, "shop.sampan") }), "utf8")).toBe("here");
  const outside = [
    "/etc/passwd",
    `${stick}/../secret`,
    join(stick, "link.sampan"),
    stick,
    `${stick}/absent`,
    "",
  ];
  const words = new Set<string>();
  for (const path of [...outside, join(root, "stick-too", "shop.sampan"), "relative"]) {
    const error = await files.locate({ path }).catch((reason) => reason);
    expect(error, path).toMatchObject({ code: "BUNDLE_FILE_ABSENT" });
    words.add(error.why);
  }
  expect(words.size, "nobody learns from the words what else the machine has").toBe(1);
});

test("uploads that nobody goes on with are removed after their time", async () => {
  const { files, setNow } = await opened();
  await files.beginUpload(upload);
  await files.beginUpload({ ...upload, id: "bdl_2" });
  await files.append("bdl_2", 0, bytes("0123456789"));
  setNow("2026-01-09T00:00:00.000Z");
  await files.beginUpload({ ...upload, id: "bdl_3" });
  expect(await files.removeStale("2026-01-02T00:00:00.000Z")).toBe(1);
  expect((await files.list()).map((file) => file.id).toSorted()).toEqual(["bdl_2", "bdl_3"]);
});
