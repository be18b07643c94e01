import type { Digest } from "@sampan/content";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import { fromJson, present, toJson } from "./row.ts";
import type { Tables } from "./tables.ts";

/** A bundle that was taken in, once per time. */
export interface ImportRecord {
  readonly id: string;
  readonly bundleDigest: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly releases: readonly Digest[];
  /** Key id; absent when the bundle was not signed and that was accepted. */
  readonly signer?: string;
  readonly who: string;
  readonly importedAt: string;
  /** Of one that began from nothing and was not slowed down: bytes of uncompressed layers, and how long it took from beginning to end. */
  readonly layerBytes?: number;
  readonly tookMs?: number;
}

export function toImport(row: Tables["imports"]): ImportRecord {
  const { releases, ...rest } = present(row);
  return { ...rest, releases: fromJson(releases) };
}

export const imports = {
  add(context: Context, record: Omit<ImportRecord, "id" | "importedAt">): Promise<ImportRecord> {
    return context.write(async (inside) => {
      const row = await inside.db
        .insertInto("imports")
        .values({
          ...record,
          id: inside.newId(),
          releases: toJson(record.releases),
          importedAt: inside.now(),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "import", id: row.id, act: "created" });
      return toImport(row);
    });
  },

  /** Newest first. */
  async list(
    context: Context,
    filter: { bundleDigest?: string } = {},
    page: PageRequest = {},
  ): Promise<Page<ImportRecord>> {
    let query = context.db.selectFrom("imports").selectAll();
    if (filter.bundleDigest !== undefined) query = query.where("bundleDigest", "=", filter.bundleDigest);
    return mapPage(await readPage(query, { by: "importedAt", id: "id", direction: "desc" }, page), toImport);
  },
};
