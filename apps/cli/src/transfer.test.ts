import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Answers, type Asked, runAgainst } from "./test-outside.ts";

const folder = await mkdtemp(join(tmpdir(), "sampan-transfer-"));
afterAll(() => rm(folder, { recursive: true }));

const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 251));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");
const FILE = {
  id: "bdl_1",
  name: "shop-2.9.sampan",
  sizeBytes: CONTENT.length,
  receivedBytes: CONTENT.length,
  state: "whole",
  origin: "exported",
  sha256: SHA256,
  createdAt: "2026-03-01T08:00:00.000Z",
};

/** Serves ranges; the first so many answers break off in the middle. */
function bundleServer({ breaks = 0, ranges = true, file = FILE }): Answers {
  let left = breaks;
  return {
    "GET /bundles/bdl_1": file,
    "GET /bundles/bdl_1/content": ({ headers }: Asked) => {
      const start = ranges ? Number(/bytes=(\d+)-/.exec(headers.get("range") ?? "")?.[1] ?? 0) : 0;
      const rest = CONTENT.subarray(start);
      const status = start > 0 ? 206 : 200;
      if (left === 0) return new Response(rest, { status });
      left -= 1;
      let isSent = false;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (isSent)
            return controller.error(new TypeError("terminated", { cause: new Error("other side closed") }));
          isSent = true;
          controller.enqueue(rest.subarray(0, Math.ceil(rest.length / 2)));
        },
      });
      return new Response(body, { status });
    },
  };
}

const ranges = (asked: readonly Asked[]) =>
  asked.filter(({ path }) => path.endsWith("/content")).map(({ headers }) => headers.get("range"));

test("a download that breaks goes on where it ended", async () => {
  const target = join(folder, "broken.sampan");
  const ran = await runAgainst(bundleServer({ breaks: 2 }), ["bundle", "download", "bdl_1", "-o", target]);
  expect([ran.exitCode, ran.out]).toEqual([0, `${target}  4.88 KiB\nsha256 ${SHA256}`]);
  expect(ranges(ran.asked)).toEqual([null, "bytes=2500-", "bytes=3750-"]);
  expect(await readFile(target)).toEqual(CONTENT);
  expect(ran.err).toContain("The connection broke; trying again in 2s.");
});

test("a download that breaks too often says how to go on, and the next command does", async () => {
  const target = join(folder, "often.sampan");
  const argv = ["bundle", "download", "bdl_1", "-o", target];
  const ran = await runAgainst(bundleServer({ breaks: 99 }), argv);
  expect([ran.exitCode, ran.err]).toEqual([7, expect.stringContaining("CLI_CONNECTION_LOST")]);
  const { length } = await readFile(`${target}.part`);
  const again = await runAgainst(bundleServer({}), argv);
  expect([again.exitCode, ranges(again.asked)]).toEqual([0, [`bytes=${length}-`]]);
  expect(await readFile(target)).toEqual(CONTENT);
});

test("a server without ranges sends it all again", async () => {
  const target = join(folder, "no-ranges.sampan");
  const ran = await runAgainst(bundleServer({ breaks: 1, ranges: false }), [
    "bundle",
    "download",
    "bdl_1",
    "-o",
    target,
  ]);
  expect(ran.exitCode).toBe(0);
  expect(await readFile(target)).toEqual(CONTENT);
});

test("the beginning of another file is thrown away", async () => {
  const target = join(folder, "other.sampan");
  await writeFile(`${target}.part`, "something else");
  const ran = await runAgainst(bundleServer({}), ["bundle", "download", "bdl_1", "-o", target]);
  expect([ran.exitCode, ranges(ran.asked)]).toEqual([0, ["bytes=14-", null]]);
  expect(await readFile(target)).toEqual(CONTENT);
});

test("what arrives with another digest gets no name", async () => {
  const target = join(folder, "damaged.sampan");
  const file = { ...FILE, sha256: "0".repeat(64) };
  const ran = await runAgainst(bundleServer({ file }), [
    "bundle",
    "download",
    "bdl_1",
    "-o",
    target,
    "--json",
  ]);
  expect([ran.exitCode, JSON.parse(ran.err).error.code]).toEqual([6, "CLI_TRANSFER_DAMAGED"]);
  await expect(readFile(target)).rejects.toThrow();
});

test("a file that is there is replaced only when somebody agrees; a folder takes the file's own name", async () => {
  const target = join(folder, FILE.name);
  await writeFile(target, "precious");
  const argv = ["bundle", "download", "bdl_1", "-o", folder];
  expect((await runAgainst(bundleServer({}), argv)).exitCode).toBe(3);
  expect(await readFile(target, "utf8")).toBe("precious");
  expect((await runAgainst(bundleServer({}), [...argv, "--yes"])).exitCode).toBe(0);
  expect(await readFile(target)).toEqual(CONTENT);
  const nowhere = await runAgainst(bundleServer({}), [
    "bundle",
    "download",
    "bdl_1",
    "-o",
    join(folder, "no", "file"),
  ]);
  expect([nowhere.exitCode, nowhere.err]).toEqual([2, expect.stringContaining("there is no folder")]);
});
