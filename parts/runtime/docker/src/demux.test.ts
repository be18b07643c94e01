import fc from "fast-check";
import { expect, test } from "vitest";
import { demux, type Frame } from "./demux.ts";

function frame(kind: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function* inPieces(bytes: Buffer, cuts: readonly number[]) {
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > at) yield bytes.subarray(at, cut);
    at = Math.max(at, cut);
  }
}

async function read(bytes: Buffer, cuts: readonly number[] = []): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const { stream, data } of demux(inPieces(bytes, cuts)) as AsyncIterable<Frame>)
    texts.push(`${stream}: ${Buffer.from(data).toString()}`);
  return texts;
}

test("frames come out whole, wherever the stream is cut", async () => {
  const bytes = Buffer.concat([frame(1, "out"), frame(2, "err"), frame(1, ""), frame(0, "x".repeat(300))]);
  const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (some) => {
      const sorted = some.toSorted((a, b) => a - b);
      expect(await read(bytes, sorted)).toEqual([
        "stdout: out",
        "stderr: err",
        "stdout: ",
        `stdout: ${"x".repeat(300)}`,
      ]);
    }),
    { numRuns: 50 },
  );
});

test("what is not of this form is refused", async () => {
  const tooLong = frame(1, "");
  tooLong.writeUInt32BE(0xffff_ffff, 4);
  for (const bytes of [Buffer.from("plain text, no frames"), tooLong, frame(1, "cut off").subarray(0, 12)])
    await expect(read(bytes)).rejects.toMatchObject({ code: "RUNTIME_REFUSED" });
});
