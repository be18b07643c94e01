import { randomBytes } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { measureProcess } from "./measure-process.ts";

const MEBIBYTE = 1024 * 1024;
const FILE_MEBIBYTES = 256;
const READ_BYTES = 4 * MEBIBYTE;

const NODE_PROGRAM = `
  import { createHash } from "node:crypto";
  import { createReadStream } from "node:fs";
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(process.argv[1], { highWaterMark: ${READ_BYTES} })) hash.update(chunk);
  console.log(hash.digest("hex"));
`;

/** SHA-256 as Sampan takes it, of a file in the page cache, beside the system's own program. */
export const hashBench: Bench = {
  name: "hash",
  says: `SHA-256 of a file of ${FILE_MEBIBYTES} MiB: Node's stream, and sha256sum`,
  runs: 5,
  async prepare() {
    const folder = await mkdtemp(join(tmpdir(), "sampan-bench-hash-"));
    const path = join(folder, "input");
    const file = await open(path, "w");
    for (let written = 0; written < FILE_MEBIBYTES; written += 1) await file.write(randomBytes(MEBIBYTE));
    await file.close();
    const sizeBytes = FILE_MEBIBYTES * MEBIBYTE;
    const program = [process.execPath, "--input-type=module", "-e", NODE_PROGRAM, path];
    return {
      sets: [
        {
          name: `${FILE_MEBIBYTES} MiB`,
          methods: {
            node: async () => ({ sizeBytes, ...(await measureProcess(program)) }),
            sha256sum: async () => ({ sizeBytes, ...(await measureProcess(["sha256sum", path])) }),
          },
        },
      ],
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  },
};
