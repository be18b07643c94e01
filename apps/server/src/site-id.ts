import { readFile, rename, writeFile } from "node:fs/promises";
import type { Store } from "@sampan/store";

const SITE_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The id of this site, made once. All that is made in an engine carries it, so it is kept in a file beside the database as well: a site
 * that lost its database still finds what it runs.
 */
export async function openSiteId(
  file: string,
  { settings, newId }: { readonly settings: Store["settings"]; readonly newId: () => string },
): Promise<string> {
  const known = await settings.get("siteId");
  const kept = await readId(file);
  const id = typeof known === "string" ? known : (kept ?? newId());
  if (id !== kept) {
    await writeFile(`${file}.new`, `${id}\n`, { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
  }
  if (id !== known) await settings.set("siteId", id);
  return id;
}

async function readId(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, "utf8")).trim();
    return SITE_ID.test(text) ? text : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
