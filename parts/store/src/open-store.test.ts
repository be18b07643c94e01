import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Bug } from "@sampan/problem";
import { describe, expect, test } from "vitest";
import type { Change } from "./change.ts";
import { migrate, migrations } from "./migrate.ts";
import { everything, openStoreWithApp, openTestStore, tempFolder } from "./test-store.ts";

describe("opening", () => {
  test("what was written is there after closing and opening again", async () => {
    const path = join(await tempFolder(), "store.db");
    const first = await openTestStore(path);
    await first.store.settings.set("site.name", { en: "Harbour" });
    await first.store.close();
    const second = await openTestStore(path);
    expect(await second.store.settings.get("site.name")).toEqual({ en: "Harbour" });
    expect(await second.store.settings.get("site.other")).toBeUndefined();
  });

  test("a database of a newer version is refused and left as it is", async () => {
    const { store, path } = await openTestStore();
    await store.close();
    const raw = new DatabaseSync(path);
    raw.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    raw.close();
    const before = await readFile(path);
    await expect(openTestStore(path)).rejects.toMatchObject({ code: "STORE_NEWER" });
    expect(await readFile(path)).toEqual(before);
  });

  test("a database of another program is refused", async () => {
    const path = join(await tempFolder(), "other.db");
    const raw = new DatabaseSync(path);
    raw.exec("CREATE TABLE theirs (x)");
    raw.close();
    await expect(openTestStore(path)).rejects.toMatchObject({ code: "STORE_FOREIGN" });
  });

  test("a file that is no database is refused as damaged", async () => {
    const path = join(await tempFolder(), "text.db");
    await writeFile(path, "not a database, but long enough to look like one ".repeat(100));
    await expect(openTestStore(path)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
  });

  test("a database with overwritten pages is refused as damaged", async () => {
    const { store, path } = await openTestStore();
    for (let i = 0; i < 300; i++) await store.settings.set(`key-${i}`, "x".repeat(200));
    await store.close();
    const bytes = await readFile(path);
    bytes.fill(0xa5, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 8192);
    await writeFile(path, bytes);
    await expect(openTestStore(path)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
  });

  test("a folder that is not there is named as unavailable", async () => {
    const path = join(await tempFolder(), "absent", "store.db");
    await expect(openTestStore(path)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});

describe("migrations", () => {
  const steps = [
    { name: "0001", sql: "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);" },
    { name: "0002", sql: "ALTER TABLE a ADD COLUMN y TEXT; UPDATE a SET y = 'moved';" },
  ];

  test("later steps are added to what is there", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, steps.slice(0, 1));
    migrate(database, steps);
    expect({ ...database.prepare("SELECT * FROM a").get() }).toEqual({ x: 1, y: "moved" });
    expect({ ...database.prepare("PRAGMA user_version").get() }).toEqual({ user_version: 2 });
  });

  test("a step that fails leaves the database at the step before", () => {
    const database = new DatabaseSync(":memory:");
    const broken = [...steps, { name: "0003", sql: "CREATE TABLE b (x INTEGER) STRICT; NOT SQL;" }];
    expect(() => migrate(database, broken)).toThrow();
    expect({ ...database.prepare("PRAGMA user_version").get() }).toEqual({ user_version: 2 });
    expect(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'b'").get()?.n).toBe(0);
  });

  test("a database of the first form keeps its rows, and can do what the newest can", async () => {
    const path = join(await tempFolder(), "store.db");
    const old = new DatabaseSync(path);
    migrate(old, migrations.slice(0, 1));
    const at = "2026-01-01T00:00:00.000Z";
    old.exec(`
      INSERT INTO settings VALUES ('site.name', '"Harbour"', '${at}');
      INSERT INTO teams VALUES ('t1', 'shop', NULL, '${at}');
      INSERT INTO apps VALUES ('a1', 't1', 'bookshop', 'shop-bookshop', NULL, 'x', 'x', '{}', 4, 0, '${at}', '${at}');
      INSERT INTO records (id, appId, kind, decisions, result, note, who, startedAt, endedAt)
        VALUES ('r1', 'a1', 'upgrade', '[]', 'succeeded', 'wanted', 'ann', '${at}', '${at}');
    `);
    old.close();
    const { store } = await openTestStore(path);
    expect(await store.settings.get("site.name")).toBe("Harbour");
    expect((await store.apps.list(everything)).items).toMatchObject([{ id: "a1", generation: 4 }]);
    expect(await store.records.get("r1")).toEqual({
      id: "r1",
      appId: "a1",
      kind: "upgrade",
      decisions: [],
      result: "succeeded",
      note: "wanted",
      who: "ann",
      startedAt: at,
      endedAt: at,
      hasSnapshot: false,
    });
    const of = { appId: "a1", teamId: "t1" };
    await store.dataSnapshots.begin({ ...of, id: "s1", appName: "bookshop", reason: "request", who: "ann" });
    await store.reports.put({ ...of, recordId: "r1", envelope: "{}" });
    expect(await store.records.update("r1", { dataSnapshotId: "s1" })).toMatchObject({
      dataSnapshotId: "s1",
    });
  });

  test("every table is strict", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, migrations);
    const loose = database.prepare(
      "SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    );
    expect(loose.all()).toEqual([]);
  });
});

describe("transactions", () => {
  test("nothing of a transaction that throws is kept, and nobody is told of it", async () => {
    const { store } = await openTestStore();
    const changes: Change[] = [];
    store.watch((change) => changes.push(change));
    const failing = store.transaction(async (nouns) => {
      await nouns.teams.create({ name: "one" });
      await nouns.settings.set("x", 1);
      throw new Error("stop");
    });
    await expect(failing).rejects.toThrow("stop");
    expect(await store.settings.get("x")).toBeUndefined();
    expect((await store.teams.list(everything)).items).toEqual([]);
    expect(changes).toEqual([]);
  });

  test("watchers hear of all changes once they are committed, until they stop listening", async () => {
    const { store } = await openTestStore();
    const heard: string[] = [];
    const stop = store.watch((change) => heard.push(`${change.noun} ${change.act}`));
    await store.transaction(async (nouns) => {
      await nouns.teams.create({ name: "one" });
      await nouns.settings.set("x", 1);
      expect(heard).toEqual([]);
    });
    expect(heard).toEqual(["team created", "setting updated"]);
    stop();
    await store.settings.set("x", 2);
    expect(heard).toHaveLength(2);
  });

  test("transactions that begin together run one after the other", async () => {
    const { store } = await openTestStore();
    await store.settings.set("count", 0);
    const add = () =>
      store.transaction(async (nouns) => {
        const count = Number(await nouns.settings.get("count"));
        await new Promise((resolve) => setImmediate(resolve));
        await nouns.settings.set("count", count + 1);
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await store.settings.get("count")).toBe(20);
  });

  test("using the store itself inside a transaction fails at once instead of waiting for ever", async () => {
    const { store } = await openTestStore();
    await expect(store.transaction(() => store.settings.get("x"))).rejects.toBeInstanceOf(Bug);
    expect(await store.settings.get("x")).toBeUndefined();
  });
});

test("a backup taken while somebody writes is a whole database", async () => {
  const { store, path } = await openStoreWithApp();
  const target = `${path}.backup`;
  const [{ sizeBytes }] = await Promise.all([
    store.backup(target),
    ...Array.from({ length: 50 }, (_, i) => store.settings.set(`key-${i}`, i)),
  ]);
  expect((await stat(target)).size).toBe(sizeBytes);
  const copy = `${path}.copy`;
  await copyFile(target, copy);
  const { store: restored } = await openTestStore(copy);
  expect((await restored.apps.list(everything)).items).toHaveLength(1);
});

test("a backup into a folder that is not there fails, and leaves nothing", async () => {
  const { store, path } = await openTestStore();
  await expect(store.backup(`${path}-absent/backup.db`)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

test("secrets are not readable in any file of the database", async () => {
  const { store, path } = await openStoreWithApp();
  await store.jobs.enqueue({ kind: "import", input: { passphrase: "hunter2" }, startedBy: "u1" });
  const bytes = Buffer.concat([await readFile(path), await readFile(`${path}-wal`)]).toString("latin1");
  expect(bytes).toContain("bookshop");
  for (const secret of ["hunter2", "s3cret"]) expect(bytes).not.toContain(secret);
});
