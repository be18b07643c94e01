import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import type { Client } from "@sampan/api";
import type { CommandContext } from "./command-context.ts";
import { all } from "./find.ts";
import { hashFile } from "./hash-file.ts";
import { cliProblem } from "./problems.ts";
import { ProgressLine } from "./progress-line.ts";
import { withRetries } from "./with-retries.ts";

type BundleFile = Awaited<ReturnType<Client["getBundle"]>>;

const PART_BYTES = 8 * 1024 * 1024;

/** Sends a bundle file to the server, in parts; goes on with what an earlier attempt sent. Gives the file's id there. */
export async function uploadBundle(context: CommandContext, client: Client, path: string): Promise<string> {
  const name = basename(path);
  await using handle = await open(path);
  const sizeBytes = (await handle.stat()).size;
  const known = await findUpload(client, { name, sizeBytes });
  const { id } = known ?? (await client.startUpload({ body: { name, sizeBytes } }));
  const line = new ProgressLine(context);
  const again = "Run the same command again: the upload goes on where it ended.";
  const sha256 = await context.whenInterrupted(again, async () => {
    const sent = await withRetries(context, () => sendRest(context, client, { handle, id, line }));
    return sent.sha256 === (await hashFile(context, path, { line, sizeBytes })) ? sent.sha256 : undefined;
  });
  line.end();
  if (sha256 !== undefined) return id;
  await client.removeBundle({ params: { id } });
  // What lay there under this name was another file.
  if (known !== undefined) return await uploadBundle(context, client, path);
  throw cliProblem("CLI_TRANSFER_DAMAGED", `${name} did not arrive as it was sent`, {
    why: "its SHA-256 at the server is another one",
    hint: "run the same command again",
  });
}

async function findUpload(
  client: Client,
  wanted: { readonly name: string; readonly sizeBytes: number },
): Promise<BundleFile | undefined> {
  const files = await all((page) => client.listBundles({ query: page }));
  return files.find(
    (one) => one.origin === "uploaded" && one.name === wanted.name && one.sizeBytes === wanted.sizeBytes,
  );
}

async function sendRest(
  context: CommandContext,
  client: Client,
  { handle, id, line }: { readonly handle: FileHandle; readonly id: string; readonly line: ProgressLine },
): Promise<BundleFile> {
  const { signal } = context;
  let file = await client.getBundle({ params: { id } }, { signal });
  while (file.state !== "whole") {
    const offset = file.receivedBytes;
    line.show("upload", { done: offset, total: file.sizeBytes });
    const body = await readPart(handle, offset);
    file = await client.appendUpload({ params: { id }, query: { offset }, body }, { signal });
  }
  line.show("upload", { done: file.sizeBytes, total: file.sizeBytes });
  return file;
}

async function readPart(handle: FileHandle, position: number): Promise<Uint8Array> {
  const part = Buffer.alloc(PART_BYTES);
  const { bytesRead } = await handle.read(part, 0, PART_BYTES, position);
  if (bytesRead > 0) return part.subarray(0, bytesRead);
  throw cliProblem("CLI_FILE", "the bundle file became shorter while it was sent", {
    why: `it ends at byte ${position}`,
    hint: "wait until it is copied whole",
  });
}
