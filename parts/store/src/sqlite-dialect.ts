import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { Bug } from "@sampan/problem";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { explainFault } from "./sqlite-fault.ts";

const STATEMENTS_KEPT_MAX = 300;

/** Kysely over one `node:sqlite` connection. Kysely lets one in at a time, as SqliteAdapter asks: a transaction from begin to end. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: SqliteConnection;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#connection = new SqliteConnection(database);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(): Promise<void> {
    this.#run("BEGIN IMMEDIATE");
  }

  async commitTransaction(): Promise<void> {
    this.#run("COMMIT");
  }

  async rollbackTransaction(): Promise<void> {
    // A full disk or an I/O error makes SQLite roll back by itself; a second rollback would hide the reason.
    if (this.#database.isTransaction) this.#run("ROLLBACK");
  }

  async destroy(): Promise<void> {
    this.#connection.forget();
  }

  #run(statement: string): void {
    try {
      this.#database.exec(statement);
    } catch (error) {
      throw explainFault(error);
    }
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.#prepare(query.sql);
      const values = query.parameters.map(bindable);
      if (statement.columns().length === 0) {
        const { changes } = statement.run(...values);
        return { numAffectedRows: BigInt(changes), rows: [] };
      }
      // Rows come without a prototype, which strict comparison in tests and structured printing dislike.
      const rows = statement.all(...values).map((row) => ({ ...row })) as R[];
      return { numAffectedRows: BigInt(rows.length), rows };
    } catch (error) {
      throw explainFault(error);
    }
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for the method; lists are read page by page instead.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Bug("the store reads pages, it does not stream queries");
  }

  forget(): void {
    this.#statements.clear();
  }

  #prepare(text: string): StatementSync {
    const kept = this.#statements.get(text);
    if (kept !== undefined) return kept;
    const statement = this.#database.prepare(text);
    if (this.#statements.size >= STATEMENTS_KEPT_MAX) this.#statements.clear();
    this.#statements.set(text, statement);
    return statement;
  }
}

function bindable(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === undefined) return null;
  return value as SQLInputValue;
}
