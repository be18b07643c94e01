import { expect, test } from "vitest";
import { jsonLines } from "./json-lines.ts";

async function read(...pieces: readonly (string | Uint8Array)[]): Promise<readonly unknown[]> {
  async function* source() {
    for (const piece of pieces) yield typeof piece === "string" ? Buffer.from(piece) : piece;
  }
  const values: unknown[] = [];
  for await (const value of jsonLines(source())) values.push(value);
  return values;
}

test("values are read one a line, wherever the stream is cut", async () => {
  expect(await read('{"a":1}\n{"b', '":2}\r\n\n', "3")).toEqual([{ a: 1 }, { b: 2 }, 3]);
  const bytes = Buffer.from('"舢板"\n');
  expect(await read(bytes.subarray(0, 2), bytes.subarray(2))).toEqual(["舢板"]);
  expect(await read()).toEqual([]);
});

test("a line that is not JSON, or has no end, is refused", async () => {
  await expect(read("{\n")).rejects.toMatchObject({ code: "RUNTIME_REFUSED" });
  await expect(read("x".repeat(1024 * 1024 + 1))).rejects.toMatchObject({ code: "RUNTIME_REFUSED" });
});
