import { open, rename, rm, stat } from "node:fs/promises";
import type { Client } from "@sampan/api";
import type { CommandContext } from "./command-context.ts";
import { hashFile } from "./hash-file.ts";
import { cliProblem } from "./problems.ts";
import { ProgressLine } from "./progress-line.ts";
import { withRetries } from "./with-retries.ts";

type BundleFile = Awaited<ReturnType<Client["getBundle"]>>;

/**
 * Fetches a bundle file; goes on with `TARGET.part` where an earlier attempt ended (the same releases always give the same bytes).
 * The file gets its name only when it is whole, compared and on the disk.
 */
export async function downloadBundle(
  context: CommandContext,
  client: Client,
  wish: { readonly fileId: string; readonly target: string },
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const { fileId, target } = wish;
  const file = await client.getBundle({ params: { id: fileId } });
  const part = `${target}.part`;
  const line = new ProgressLine(context);
  const before = await lengthOf(part);
  const again = `The file stays on the server: sampan bundle download ${fileId} -o ${target}`;
  const sha256 = await context.whenInterrupted(again, async () => {
    await withRetries(context, () => fetchRest(context, client, { file, part, line }));
    return await hashFile(context, part, { line, sizeBytes: file.sizeBytes });
  });
  line.end();
  if (file.sha256 === undefined || file.sha256 === sha256) {
    await rename(part, target);
    return { sizeBytes: file.sizeBytes, sha256 };
  }
  await rm(part, { force: true });
  // The beginning that lay there was of another file.
  if (before > 0) return await downloadBundle(context, client, wish);
  throw cliProblem("CLI_TRANSFER_DAMAGED", `${target} did not arrive as the server holds it`, {
    why: `its SHA-256 is ${sha256}, and not ${file.sha256}`,
    hint: `sampan bundle download ${fileId}`,
  });
}

interface Fetching {
  readonly file: BundleFile;
  readonly part: string;
  readonly line: ProgressLine;
}

async function fetchRest(
  context: CommandContext,
  client: Client,
  { file, part, line }: Fetching,
): Promise<void> {
  const here = await lengthOf(part);
  const begin = here > file.sizeBytes ? 0 : here;
  if (begin === file.sizeBytes) return;
  const response = await client.downloadBundle(
    { params: { id: file.id } },
    { signal: context.signal, ...(begin === 0 ? {} : { headers: { range: `bytes=${begin}-` } }) },
  );
  let done = response.status === 206 ? begin : 0;
  await using handle = await open(part, done === 0 ? "w" : "a");
  for await (const chunk of response.body ?? []) {
    await handle.writeFile(chunk);
    done += chunk.byteLength;
    line.show("download", { done, total: file.sizeBytes });
  }
  await handle.sync();
  if (done !== file.sizeBytes)
    throw new TypeError("the download ended early", {
      cause: new Error(`${done} of ${file.sizeBytes} bytes arrived`),
    });
}

async function lengthOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
