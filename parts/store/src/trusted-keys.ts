import { absent } from "./absent.ts";
import type { Context } from "./context.ts";
import { mapPage, type Page, type PageRequest, readPage } from "./page.ts";
import { present } from "./row.ts";

/** A vendor's or site's public key that this site believes. */
export interface TrustedKey {
  /** Digest of the key's SPKI DER. */
  readonly keyId: string;
  readonly name: string;
  readonly publicKeyPem: string;
  readonly addedBy: string;
  readonly addedAt: string;
  readonly revokedAt?: string;
}

export const trustedKeys = {
  /** Trusts a key, or trusts it again. */
  put(
    context: Context,
    key: Pick<TrustedKey, "keyId" | "name" | "publicKeyPem" | "addedBy">,
  ): Promise<TrustedKey> {
    return context.write(async (inside) => {
      const row = await inside.db
        .insertInto("trustedKeys")
        .values({ ...key, addedAt: inside.now() })
        .onConflict((conflict) => conflict.column("keyId").doUpdateSet({ name: key.name, revokedAt: null }))
        .returningAll()
        .executeTakeFirstOrThrow();
      inside.changed({ noun: "key", id: key.keyId, act: "created" });
      return present(row);
    });
  },

  /** The key, unless it is unknown or revoked: whether a signature counts. */
  async findTrusted(context: Context, keyId: string): Promise<TrustedKey | undefined> {
    const row = await context.db
      .selectFrom("trustedKeys")
      .selectAll()
      .where("keyId", "=", keyId)
      .where("revokedAt", "is", null)
      .executeTakeFirst();
    return row === undefined ? undefined : present(row);
  },

  /** Revoked ones too. */
  async list(context: Context, page: PageRequest = {}): Promise<Page<TrustedKey>> {
    const query = context.db.selectFrom("trustedKeys").selectAll();
    return mapPage(await readPage(query, { by: "name", id: "keyId", direction: "asc" }, page), present);
  },

  /** It stays known, as revoked, so that old imports can still be explained. */
  revoke(context: Context, keyId: string): Promise<void> {
    return context.write(async (inside) => {
      const { numUpdatedRows } = await inside.db
        .updateTable("trustedKeys")
        .set({ revokedAt: inside.now() })
        .where("keyId", "=", keyId)
        .where("revokedAt", "is", null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw absent("trusted key", keyId);
      inside.changed({ noun: "key", id: keyId, act: "updated" });
    });
  },
};
