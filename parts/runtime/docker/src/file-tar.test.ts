import { Readable } from "node:stream";
import { Bug } from "@sampan/problem";
import { extract, pack } from "tar-stream";
import { expect, test } from "vitest";
import { readFirstFile, type TarFile, writeTar } from "./file-tar.ts";

async function readBack(tar: Uint8Array): Promise<readonly TarFile[]> {
  const files: TarFile[] = [];
  const reader = extract();
  Readable.from([tar]).pipe(reader);
  for await (const entry of reader) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry) pieces.push(piece as Uint8Array);
    const content = Buffer.concat(pieces);
    const { name: path, mode = 0 } = entry.header;
    const pax = entry.header.pax as { readonly uid?: string; readonly gid?: string } | null | undefined;
    // The reader leaves pax records of owners to its caller.
    const [uid, gid] = [Number(pax?.uid ?? entry.header.uid), Number(pax?.gid ?? entry.header.gid)];
    files.push({ path, content, mode, uid, gid });
  }
  return files;
}

const file = (path: string, text: string, more: Partial<TarFile> = {}): TarFile => ({
  path,
  content: Buffer.from(text),
  mode: 0o644,
  uid: 0,
  gid: 0,
  ...more,
});

test("files are read back by another reader as they were written", async () => {
  const files = [
    file("etc/app.conf", "hello"),
    file("empty", ""),
    file("block", "x".repeat(512)),
    file("etc/private", "ünï 舢板", { mode: 0o600, uid: 1000, gid: 999 }),
    file(`${"long-folder/".repeat(12)}舢板.conf`, "long"),
    file("huge-owner", "x", { uid: 3_000_000_000, gid: 2_500_000 }),
  ];
  expect(await readBack(writeTar(files))).toEqual(files);
});

test("an empty tar holds nothing", async () => {
  expect(await readBack(writeTar([]))).toEqual([]);
  expect(readFirstFile(writeTar([]))).toBeUndefined();
});

interface Entry {
  readonly name: string;
  readonly type?: "directory" | "symlink";
  readonly linkname?: string;
}

test("a file is found behind records of it, and a folder or link does not stand for what follows", async () => {
  const first = async (...entries: readonly Entry[]) => {
    const writer = pack();
    for (const entry of entries)
      if (entry.type === undefined) writer.entry({ ...entry }, "root:x:0:0");
      else writer.entry(entry);
    writer.finalize();
    const pieces: Uint8Array[] = [];
    for await (const piece of writer) pieces.push(piece as Uint8Array);
    const found = readFirstFile(Buffer.concat(pieces));
    return found === undefined ? undefined : Buffer.from(found).toString();
  };
  const file = { name: "etc/passwd" };
  expect(await first(file)).toBe("root:x:0:0");
  expect(await first({ name: `${"long-folder/".repeat(12)}舢板` })).toBe("root:x:0:0");
  expect(await first({ name: "etc", type: "directory" }, file)).toBeUndefined();
  expect(await first({ name: "etc/link", type: "symlink", linkname: "passwd" }, file)).toBeUndefined();
});

test("what is no tar has no first file", () => {
  expect(readFirstFile(Buffer.alloc(100))).toBeUndefined();
  expect(readFirstFile(Buffer.from("x".repeat(2000)))).toBeUndefined();
});

test("a mode that is none is a bug", () => {
  expect(() => writeTar([file("a", "", { mode: -1 })])).toThrow(Bug);
});
