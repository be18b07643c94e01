import { open } from "node:fs/promises";
import type { Problem } from "@sampan/problem";
import { humanBytes } from "./amounts.ts";
import { cliProblem } from "./problems.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of the path is no folder",
  EACCES: "you may not read it",
  EISDIR: "it is a folder",
};

/** Reads a file that the command line names. Throws CLI_FILE when it is absent, a folder, unreadable or too large. */
export async function readLocalFile(
  path: string,
  { sizeBytesMax }: { readonly sizeBytesMax: number },
): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const stat = await file.stat();
    if (stat.isDirectory()) throw cannotRead(path, "it is a folder");
    if (stat.size > sizeBytesMax)
      throw cannotRead(path, `it has ${humanBytes(stat.size)}, and ${humanBytes(sizeBytesMax)} are allowed`);
    const bytes = new Uint8Array(sizeBytesMax + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (length > sizeBytesMax) throw cannotRead(path, `more than ${humanBytes(sizeBytesMax)} came`);
      if (bytesRead === 0) return bytes.slice(0, length);
    }
  } catch (error) {
    throw asFileProblem(path, error);
  }
}

/** As {@link readLocalFile}, for UTF-8 text. */
export async function readLocalText(
  path: string,
  limits: { readonly sizeBytesMax: number },
): Promise<string> {
  const bytes = await readLocalFile(path, limits);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw cliProblem("CLI_FILE", `cannot read ${path}`, { why: "it is not UTF-8 text", cause: error });
  }
}

function cannotRead(path: string, why: string): Problem {
  return cliProblem("CLI_FILE", `cannot read ${path}`, { why, hint: "check the path" });
}

function asFileProblem(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  return cannotRead(path, REASONS[code] ?? (error as Error).message);
}
