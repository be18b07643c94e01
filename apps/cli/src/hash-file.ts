import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { CommandContext } from "./command-context.ts";
import type { ProgressLine } from "./progress-line.ts";

const CHUNK_BYTES = 1024 * 1024;

/** SHA-256 of a file as it lies on the disk, in hex. */
export async function hashFile(
  context: CommandContext,
  path: string,
  progress: { readonly line: ProgressLine; readonly sizeBytes: number },
): Promise<string> {
  const hash = createHash("sha256");
  let done = 0;
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES, signal: context.signal });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    done += chunk.byteLength;
    progress.line.show("compare", { done, total: progress.sizeBytes });
  }
  return hash.digest("hex");
}
