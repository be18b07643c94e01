import { readLocalText } from "./local-file.ts";

const KEY_BYTES_MAX = 4096;

/** Public keys (PEM) from files. Throws CLI_FILE. */
export async function readKeys(paths: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  for (const path of paths) keys.push(await readLocalText(path, { sizeBytesMax: KEY_BYTES_MAX }));
  return keys;
}
