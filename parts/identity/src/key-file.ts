import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { identityProblem } from "./problems.ts";

const FILE_SIZE_MAX = 64 * 1024;
const OTHERS = 0o077;

/** Reads a secret file that only its owner may read; undefined when there is none. Throws IDENTITY_KEY_EXPOSED, IDENTITY_KEY_FILE_INVALID. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (facts === undefined) return undefined;
  // Windows has no such modes; there the folder's own rights count.
  if (process.platform !== "win32" && (facts.mode & OTHERS) !== 0)
    throw identityProblem("IDENTITY_KEY_EXPOSED", `others may read ${path}`, {
      why: `its mode is ${(facts.mode & 0o777).toString(8)}`,
      hint: `chmod 600 ${path}`,
    });
  if (facts.size > FILE_SIZE_MAX) throw invalidKeyFile(path, `it has ${facts.size} bytes`);
  return readFile(path, "utf8");
}

/** Puts a secret file in place at once and durably: a power cut leaves the one before, or this. */
export async function writeKeyFile(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  await rm(partial, { force: true });
  const file = await open(partial, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function invalidKeyFile(path: string, why: string) {
  return identityProblem("IDENTITY_KEY_FILE_INVALID", `the key file ${path} cannot be used`, {
    why,
    hint: "restore it from the backup of the data folder",
  });
}
