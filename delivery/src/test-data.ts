import type { DataSnapshot } from "@sampan/store";
import type { TestSite } from "./test-site.ts";

/** The files of a volume as they are now: path to text. */
export function filesOf(site: TestSite, appId: string, key = "db/data"): Map<string, string> {
  const files = site.engine.apps.get(appId)?.volumes.get(key);
  if (files === undefined) throw new Error(`there is no volume ${key}`);
  return files;
}

/** Makes a volume hold exactly these files, as the program in it would. */
export function fill(
  site: TestSite,
  appId: string,
  files: Readonly<Record<string, string>>,
  key = "db/data",
): void {
  const volume = filesOf(site, appId, key);
  volume.clear();
  for (const [path, text] of Object.entries(files)) volume.set(path, text);
}

export function held(site: TestSite, appId: string, key = "db/data"): Readonly<Record<string, string>> {
  return Object.fromEntries([...filesOf(site, appId, key)].toSorted());
}

/** Newest first. */
export async function snapshotsOf(site: TestSite): Promise<readonly DataSnapshot[]> {
  return (await site.parts.store.dataSnapshots.list({ kind: "all" }, {}, { limit: 100 })).items;
}

/** Names under which the hold keeps data. */
export async function dataReferences(site: TestSite): Promise<readonly string[]> {
  return (await site.parts.hold.listReferences("data/", { limit: 100 })).map(({ name }) => name);
}
