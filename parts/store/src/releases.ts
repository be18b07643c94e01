import type { Digest } from "@sampan/content";
import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import { present } from "./row.ts";
import type { Tables } from "./tables.ts";

/** A release without its text: what lists show. */
export interface ReleaseSummary {
  readonly digest: Digest;
  readonly templateId: string;
  readonly version: string;
  readonly alias?: string;
  readonly notes?: string;
  readonly publishedAt: string;
  /** Digest of the bundle it came in; absent when it was published here. */
  readonly importedFrom?: string;
  /** Key id of who signed that bundle. */
  readonly signer?: string;
  /** The release that took its version's place. It is kept for installations that know it by digest, and not listed. */
  readonly replacedBy?: Digest;
}

export interface StoredRelease extends ReleaseSummary {
  /** The canonical text, whose digest it is. */
  readonly document: string;
}

type ReleaseInput = Omit<StoredRelease, "replacedBy">;

const summaryColumns = [
  "digest",
  "templateId",
  "version",
  "alias",
  "notes",
  "publishedAt",
  "importedFrom",
  "signer",
  "replacedBy",
] as const;

type SummaryRow = Pick<Tables["releases"], (typeof summaryColumns)[number]>;

export const releases = {
  /**
   * Keeps a release. Another one of the same template and version is replaced: kept, but not listed any more. The same release
   * again changes nothing but that it is the listed one. Returns what it replaced.
   */
  put(context: Context, release: ReleaseInput): Promise<{ readonly replaced?: ReleaseSummary }> {
    return context.write(async (inside) => {
      const { digest, templateId, version } = release;
      const before = await releases.find(inside, templateId, version);
      if (before?.digest === digest) return {};
      // The listed one steps aside first: only one of a version may be listed. It points at its successor once that exists.
      if (before !== undefined)
        await inside.db
          .updateTable("releases")
          .set({ replacedBy: before.digest })
          .where("digest", "=", before.digest)
          .execute();
      await inside.db
        .insertInto("releases")
        .values(release)
        .onConflict((conflict) => conflict.column("digest").doUpdateSet({ replacedBy: null }))
        .execute();
      if (before !== undefined)
        await inside.db
          .updateTable("releases")
          .set({ replacedBy: digest })
          .where("digest", "=", before.digest)
          .execute();
      inside.changed({ noun: "release", id: digest, act: "created" });
      return before === undefined ? {} : { replaced: before };
    });
  },

  /** By digest, listed or not. */
  async get(context: Context, digest: Digest): Promise<StoredRelease> {
    const row = await context.db
      .selectFrom("releases")
      .selectAll()
      .where("digest", "=", digest)
      .executeTakeFirst();
    if (row === undefined) throw absent("release", digest);
    return present(row);
  },

  /** The listed release of a version. */
  async find(context: Context, templateId: string, version: string): Promise<ReleaseSummary | undefined> {
    const row = await context.db
      .selectFrom("releases")
      .select(summaryColumns)
      .where("templateId", "=", templateId)
      .where("version", "=", version)
      .where("replacedBy", "is", null)
      .executeTakeFirst();
    return row === undefined ? undefined : present(row);
  },

  /** Newest first by time; the order of versions is core/template's business. */
  async list(
    context: Context,
    filter: { templateId?: string; replaced?: "only" | "too" } = {},
    page: PageRequest = {},
  ): Promise<Page<ReleaseSummary>> {
    let query = context.db.selectFrom("releases").select(summaryColumns);
    if (filter.templateId !== undefined) query = query.where("templateId", "=", filter.templateId);
    if (filter.replaced !== "too")
      query = query.where("replacedBy", filter.replaced === "only" ? "is not" : "is", null);
    const order = { by: "publishedAt", id: "digest", direction: "desc" } as const;
    return mapPage(await readPage(query, order, page), (row: SummaryRow) => present(row));
  },

  /** Throws STORE_IN_USE while an installation has it. */
  remove(context: Context, digest: Digest): Promise<void> {
    return context.write(async (inside) => {
      // What it replaced would come back to the list through ON DELETE SET NULL: those are pointed at themselves first.
      await inside.db
        .updateTable("releases")
        .set((eb) => ({ replacedBy: eb.ref("digest") }))
        .where("replacedBy", "=", digest)
        .where("digest", "!=", digest)
        .execute();
      const { numDeletedRows } = await inside.db
        .deleteFrom("releases")
        .where("digest", "=", digest)
        .executeTakeFirst();
      if (numDeletedRows === 0n) throw absent("release", digest);
      inside.changed({ noun: "release", id: digest, act: "removed" });
    });
  },
};
