import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import type { Ground } from "./test-site.ts";

/** Every row of the site's database, table by table. */
export function rowsOf(site: Ground): Readonly<Record<string, readonly unknown[]>> {
  const database = new DatabaseSync(join(site.folder, "store.sqlite"), { readOnly: true });
  try {
    const tables = database
      .prepare("select name from sqlite_schema where type = 'table' order by name")
      .all();
    return Object.fromEntries(
      tables.map(({ name }) => [String(name), database.prepare(`select * from "${String(name)}"`).all()]),
    );
  } finally {
    database.close();
  }
}

/** The attempt is refused with this code and a way out, and nothing was written. */
export async function expectRefused(
  site: Ground,
  attempt: () => Promise<unknown>,
  problem: { readonly code: string } & Readonly<Record<string, unknown>>,
): Promise<void> {
  const before = rowsOf(site);
  const error = await attempt().then(
    () => "it went well",
    (one: unknown) => one,
  );
  expect(error).toMatchObject(problem);
  const { hint, faults } = error as { readonly hint?: string; readonly faults: readonly unknown[] };
  expect(hint !== undefined || faults.length > 0, "it tells a way out").toBe(true);
  expect(rowsOf(site)).toEqual(before);
}
