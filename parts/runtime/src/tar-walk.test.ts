import { Readable } from "node:stream";
import type { Bytes } from "@sampan/content";
import fc from "fast-check";
import { type Header, pack } from "tar-stream";
import { expect, test } from "vitest";
import { type TarWalkOptions, walkTar } from "./tar-walk.ts";

class Broken extends Error {}
const broken = (why: string) => new Broken(why);

async function* cut(bytes: Uint8Array, pieceBytes: number): Bytes {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function walk(
  bytes: Uint8Array,
  pieceBytes: number,
  more: Partial<TarWalkOptions> = {},
): Promise<Buffer> {
  const passed: Uint8Array[] = [];
  for await (const piece of walkTar(cut(bytes, pieceBytes), { broken, ...more })) passed.push(piece);
  return Buffer.concat(passed);
}

async function tarOf(
  entries: readonly (readonly [Partial<Header> & { readonly name: string }, string])[],
): Promise<Buffer> {
  const writer = pack();
  for (const [header, text] of entries)
    if (header.type === undefined || header.type === "file") writer.entry({ ...header }, text);
    else writer.entry({ ...header });
  writer.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of Readable.from(writer)) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

const ENTRIES: readonly (readonly [Partial<Header> & { readonly name: string }, string])[] = [
  [{ name: "./", type: "directory", uid: 999 }, ""],
  [{ name: "one" }, "text"],
  [{ name: `${"folder/".repeat(20)}舢板` }, "x".repeat(1500)],
  [{ name: "link", type: "symlink", linkname: "one" }, ""],
  [{ name: "twin", type: "link", linkname: "one" }, ""],
  [{ name: "empty" }, ""],
  [{ name: "block" }, "y".repeat(512)],
];

test("entries and their contents are told, however the bytes are cut, and all is passed on", async () => {
  const tar = await tarOf(ENTRIES);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: tar.length }), async (pieceBytes) => {
      const told: { name: string; type: string; text: string }[] = [];
      const heads: Uint8Array[] = [];
      const passed = await walk(tar, pieceBytes, {
        onEntry({ name, type, head }) {
          told.push({ name, type, text: "" });
          heads.push(head);
        },
        onContent(piece) {
          const last = told.at(-1);
          if (last !== undefined) last.text += Buffer.from(piece).toString();
        },
      });
      expect(passed.equals(tar)).toBe(true);
      expect(told.map(({ name, text }) => [name, text])).toEqual(
        ENTRIES.map(([{ name }, text]) => [name, text]),
      );
      expect(told.map(({ type }) => type)).toEqual(["5", "0", "0", "2", "1", "0", "0"]);
      expect(heads.map(({ length }) => length % 512)).toEqual(ENTRIES.map(() => 0));
      expect(tar.includes(Buffer.from(heads[2] ?? [1]))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("a tar that was cut off anywhere is broken", async () => {
  const tar = await tarOf(ENTRIES);
  // Its end is 1024 zero bytes, of which the first 512 tell it.
  for (let length = 0; length <= tar.length - 1024; length += 256)
    await expect(walk(tar.subarray(0, length), 300)).rejects.toThrow(Broken);
});

test("what is no tar is broken, as soon as that is seen", async () => {
  await expect(walk(Buffer.from("no tar".repeat(500)), 100)).rejects.toThrow("it is no tar");
  const tar = await tarOf(ENTRIES);
  tar.writeUInt8(tar.readUInt8(1536) ^ 1, 1536);
  await expect(walk(tar, 1000)).rejects.toThrow(Broken);
});

/** A header with a size as text, or as a number in base-256. */
function header(type: string, size: string | bigint): Buffer {
  const block = Buffer.alloc(512);
  block.write("x", 0);
  if (typeof size === "string") block.write(size, 124);
  else {
    block.writeBigUInt64BE(size, 128);
    block.writeUInt8(0x80, 124);
  }
  block.write(type, 156);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

test("records that claim to be large, and sizes that cannot be, are broken", async () => {
  const blocks = [
    header("x", "77777777777"),
    header("L", "00100000001"),
    header("0", "not octal"),
    header("0", 2n ** 60n),
    Buffer.concat([
      header("x", "00000000012"),
      Buffer.from("10 size=-\n".padEnd(512, "\0")),
      header("0", "0"),
    ]),
  ];
  for (const block of blocks)
    await expect(walk(Buffer.concat([block, Buffer.alloc(4096)]), 512)).rejects.toThrow(Broken);
});

test("a size that the header has no room for is read from records, and from base-256", async () => {
  const large = 9 * 1024 ** 3;
  const record = Buffer.alloc(512);
  record.write(`19 size=${large}\n`);
  const tars = [
    Buffer.concat([header("x", "00000000023"), record, header("0", "00000000000")]),
    header("0", BigInt(large)),
  ];
  for (const tar of tars) {
    const sizes: number[] = [];
    const onEntry = ({ sizeBytes }: { readonly sizeBytes: number }) => void sizes.push(sizeBytes);
    await expect(walk(tar, 512, { onEntry })).rejects.toThrow("it ends before its end");
    expect(sizes).toEqual([large]);
  }
});
