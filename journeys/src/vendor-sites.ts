import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoryFolder } from "./story-folder.ts";

/** What a story made in an engine that it does not own, written down first, so that it can be removed after a crash. */
export interface VendorSite {
  readonly dockerHost: string;
  readonly siteId: string;
}

const FILE = "vendor-sites.jsonl";

export async function rememberVendorSite(story: StoryFolder, site: VendorSite): Promise<void> {
  await appendFile(join(story.path, FILE), `${JSON.stringify(site)}\n`);
}

export async function readVendorSites(story: StoryFolder): Promise<readonly VendorSite[]> {
  const text = await readFile(join(story.path, FILE), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as VendorSite);
}
