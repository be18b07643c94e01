import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely, sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { tempFolder } from "./test-store.ts";

interface Rows {
  rows: { id: number; text: string; parent: number | null };
}

async function openRows(pragmas = "") {
  const path = join(await tempFolder(), "rows.db");
  const database = new DatabaseSync(path, { timeout: 0 });
  database.exec(`PRAGMA journal_mode = WAL; ${pragmas}`);
  database.exec(
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, parent INTEGER REFERENCES rows (id)) STRICT",
  );
  const db = new Kysely<Rows>({ dialect: sqliteDialect(database) });
  onTestFinished(() => {
    database.close();
  });
  const add = (id: number, text = `row ${id}`, parent: number | null = null) =>
    db.insertInto("rows").values({ id, text, parent }).execute();
  return { db, add, path };
}

test("queries return rows, counts and what was returned", async () => {
  const { db, add } = await openRows();
  await add(1);
  const inserted = await db
    .insertInto("rows")
    .values({ id: 2, text: "x", parent: null })
    .returningAll()
    .execute();
  expect(inserted).toStrictEqual([{ id: 2, text: "x", parent: null }]);
  const { numUpdatedRows } = await db.updateTable("rows").set({ text: sql`text || '!'` }).executeTakeFirst();
  expect(numUpdatedRows).toBe(2n);
  const { numDeletedRows } = await db.deleteFrom("rows").where("id", ">", 1).executeTakeFirst();
  expect(numDeletedRows).toBe(1n);
  expect(await db.selectFrom("rows").selectAll().execute()).toStrictEqual([
    { id: 1, text: "row 1!", parent: null },
  ]);
});

test("what is broken has its name", async () => {
  const { db, add } = await openRows();
  await add(1);
  await expect(add(1, "other")).rejects.toMatchObject({ code: "STORE_TAKEN" });
  await expect(add(2, "row 1")).rejects.toMatchObject({ code: "STORE_TAKEN" });
  await expect(add(2, "row 2", 99)).rejects.toMatchObject({ code: "STORE_IN_USE" });
  await expect(sql`SELECT nonsense FROM rows`.execute(db)).rejects.toThrow(/nonsense/);
});

test("a full disk in the middle of a transaction changes nothing, and work goes on once there is room", async () => {
  const { db, add } = await openRows("PRAGMA max_page_count = 20");
  await add(1);
  const filling = db.transaction().execute(async (tx) => {
    for (let id = 2; id < 100; id++)
      await tx
        .insertInto("rows")
        .values({ id, text: `${id}`.repeat(2000), parent: null })
        .execute();
  });
  await expect(filling).rejects.toMatchObject({ code: "STORE_NO_SPACE" });
  expect(await db.selectFrom("rows").select("id").execute()).toEqual([{ id: 1 }]);
  await sql`PRAGMA max_page_count = 1000`.execute(db);
  await add(2);
});

test("a database that somebody else is writing to is busy, and free after that", async () => {
  const { add, path } = await openRows();
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  await expect(add(1)).rejects.toMatchObject({ code: "STORE_BUSY" });
  other.exec("COMMIT");
  other.close();
  await add(1);
});

test("a transaction that fails is rolled back and lets the next one in", async () => {
  const { db, add } = await openRows();
  const failing = db.transaction().execute(async (tx) => {
    await tx.insertInto("rows").values({ id: 1, text: "x", parent: null }).execute();
    throw new Error("stop");
  });
  await expect(failing).rejects.toThrow("stop");
  await add(1);
});
