import { type FileHandle, open } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Client } from "@sampan/api";
import { type Digest, shortDigest } from "@sampan/content";
import type { CommandContext } from "./command-context.ts";
import { all } from "./find.ts";
import { cliProblem } from "./problems.ts";
import { ProgressLine } from "./progress-line.ts";
import { withRetries } from "./with-retries.ts";

type BundleFile = Awaited<ReturnType<Client["getBundle"]>>;

const PART_BYTES = 8 * 1024 * 1024;

/**
 * Sends a bundle file to the server, in parts; goes on with what an earlier attempt sent. Gives the file's id there. Its name there
 * says the digest that names every byte of it: so an upload that goes on is one of the same file.
 */
export async function uploadBundle(
  context: CommandContext,
  client: Client,
  bundle: { readonly path: string; readonly manifestDigest: Digest },
): Promise<string> {
  const name = nameOf(bundle);
  await using handle = await open(bundle.path);
  const sizeBytes = (await handle.stat()).size;
  const files = await all((page) => client.listBundles({ query: page }));
  const known = files.find(
    (one) => one.origin === "uploaded" && one.name === name && one.sizeBytes === sizeBytes,
  );
  const { id } = known ?? (await client.startUpload({ body: { name, sizeBytes } }));
  const line = new ProgressLine(context);
  await context.whenInterrupted("Run the same command again: the upload goes on where it ended.", () =>
    withRetries(context, () => sendRest(context, client, { handle, id, line })),
  );
  line.end();
  return id;
}

const NAME_LENGTH_MAX = 200;

function nameOf({
  path,
  manifestDigest,
}: {
  readonly path: string;
  readonly manifestDigest: Digest;
}): string {
  const extension = extname(path);
  const tail = `.${shortDigest(manifestDigest)}${extension}`;
  return `${basename(path, extension).slice(0, NAME_LENGTH_MAX - tail.length)}${tail}`;
}

async function sendRest(
  context: CommandContext,
  client: Client,
  { handle, id, line }: { readonly handle: FileHandle; readonly id: string; readonly line: ProgressLine },
): Promise<BundleFile> {
  const { signal } = context;
  let file = await client.getBundle({ params: { id } }, { signal });
  line.show("upload", { done: file.receivedBytes, total: file.sizeBytes });
  while (file.state !== "whole") {
    const offset = file.receivedBytes;
    const body = await readPart(handle, offset);
    file = await client.appendUpload({ params: { id }, query: { offset }, body }, { signal });
    line.show("upload", { done: file.receivedBytes, total: file.sizeBytes });
  }
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
