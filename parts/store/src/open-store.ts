import { AsyncLocalStorage } from "node:async_hooks";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { backup as copyDatabase, DatabaseSync } from "node:sqlite";
import { Bug } from "@sampan/problem";
import { Kysely } from "kysely";
import type { Change, Watcher } from "./change.ts";
import type { Context, Seal } from "./context.ts";
import { type Housekeeping, housekeep, type Retention } from "./housekeep.ts";
import { migrate, migrations } from "./migrate.ts";
import { bindNouns, type Nouns } from "./nouns.ts";
import { storeProblem } from "./problems.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { explainFault } from "./sqlite-fault.ts";
import type { Tables } from "./tables.ts";

const BUSY_TIMEOUT_MS = 5000;

export interface StoreOptions {
  /** The database file; made when absent. `-wal` and `-shm` stand beside it. */
  readonly path: string;
  readonly now: () => Date;
  /** Unique, at most 64 characters. */
  readonly newId: () => string;
  readonly seal: Seal;
}

/** Everything that the control plane remembers. A noun's function is its own transaction; `transaction` makes several of them one. */
export interface Store extends Nouns {
  /** All or nothing. Only the given nouns may be used inside; they wait for nothing but the database. */
  transaction<T>(work: (nouns: Nouns) => Promise<T>): Promise<T>;
  /** Hears of every change that this process commits, after the commit; it must not throw. Returns how to stop. */
  watch(watcher: Watcher): () => void;
  /** Drops what has had its time, and lets SQLite refresh what it knows of its tables. Once a day is enough. */
  housekeep(keep?: Partial<Retention>): Promise<Housekeeping>;
  /** Writes a whole, consistent copy while work goes on; at `path` it is complete or absent. */
  backup(path: string): Promise<{ readonly sizeBytes: number }>;
  /** Closing twice is no fault. */
  close(): Promise<void>;
}

/** Opens, checks and migrates. Throws STORE_UNAVAILABLE, STORE_DAMAGED, STORE_NEWER, STORE_FOREIGN, STORE_BUSY. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const database = openDatabase(options.path);
  const db = new Kysely<Tables>({ dialect: sqliteDialect(database) });
  const watchers = new Set<Watcher>();
  const tell = (change: Change) => {
    for (const watcher of watchers) watcher(change);
  };
  const context = rootContext(db, options, tell);
  return {
    ...bindNouns(context),
    transaction: (work) => context.write((inside) => work(bindNouns(inside))),
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    housekeep: (keep) => context.write((inside) => housekeep(inside, keep)),
    backup: (path) => backup(database, path),
    async close() {
      if (!database.isOpen) return;
      watchers.clear();
      await db.destroy();
      database.close();
    },
  };
}

function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: BUSY_TIMEOUT_MS });
    // FULL: what was committed is on the disk, so a step that is noted as done stays noted after a power cut.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
    check(database);
    migrate(database, migrations);
    return database;
  } catch (error) {
    database?.close();
    throw explainFault(error);
  }
}

function check(database: DatabaseSync): void {
  const faults = database
    .prepare("PRAGMA integrity_check(5)")
    .all()
    .map((row) => String(row.integrity_check));
  if (faults.length === 1 && faults[0] === "ok") return;
  throw storeProblem("STORE_DAMAGED", "the database is damaged", {
    why: faults.join("; "),
    hint: "stop the server and put the newest backup in its place",
  });
}

function rootContext(db: Kysely<Tables>, options: StoreOptions, tell: Watcher): Context {
  const { newId, seal } = options;
  const now = () => options.now().toISOString();
  const insideTransaction = new AsyncLocalStorage<true>();
  return {
    get db() {
      if (insideTransaction.getStore() === true)
        throw new Bug(
          "a transaction used the store itself, and would wait for ever; use the nouns it was given",
        );
      return db;
    },
    now,
    newId,
    seal,
    changed: tell,
    async write(work) {
      const changes: Change[] = [];
      const result = await this.db.transaction().execute((tx) => {
        const inside: Context = {
          db: tx,
          now,
          newId,
          seal,
          changed: (change) => changes.push(change),
          write: (nested) => nested(inside),
        };
        return insideTransaction.run(true, () => work(inside));
      });
      changes.forEach(tell);
      return result;
    },
  };
}

async function backup(database: DatabaseSync, path: string): Promise<{ readonly sizeBytes: number }> {
  const partial = `${path}.partial`;
  try {
    await copyDatabase(database, partial);
    await sync(partial);
    const { size } = await stat(partial);
    await rename(partial, path);
    await sync(dirname(path));
    return { sizeBytes: size };
  } catch (error) {
    await rm(partial, { force: true });
    throw explainFault(error);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
