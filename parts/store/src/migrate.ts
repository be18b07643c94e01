import type { DatabaseSync } from "node:sqlite";
import { groundTables } from "./migrations/0001-ground.ts";
import { trustTables } from "./migrations/0002-trust.ts";
import { ledgerTables } from "./migrations/0003-ledger.ts";
import { storeProblem } from "./problems.ts";

/** "smpn", in the header of the file: tells our databases from others. */
const APPLICATION_ID = 0x736d706e;

export interface Migration {
  /** For people, as `0001-ground`. Its place in the list is its number. */
  readonly name: string;
  readonly sql: string;
}

/** All steps from an empty file to now. Forward only: a step that was released is never edited, moved or removed. */
export const migrations: readonly Migration[] = [groundTables, trustTables, ledgerTables];

/**
 * Brings the database to the newest form, each step in its own transaction together with its number, so that a power cut leaves
 * it before or after a step. Throws STORE_NEWER, STORE_FOREIGN.
 */
export function migrate(database: DatabaseSync, steps: readonly Migration[]): void {
  const applicationId = pragma(database, "application_id");
  const tableCount = Number(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n);
  if (applicationId !== APPLICATION_ID && (applicationId !== 0 || tableCount > 0))
    throw storeProblem("STORE_FOREIGN", "the database belongs to another program", {
      why: `its application id is ${applicationId}, and it holds ${tableCount} tables and indexes`,
      hint: "choose another data folder",
    });
  for (;;) {
    database.exec("BEGIN IMMEDIATE");
    try {
      // Read inside the transaction: another process may be doing the same steps right now.
      const version = pragma(database, "user_version");
      if (version > steps.length)
        throw storeProblem("STORE_NEWER", "the database was written by a newer Sampan", {
          why: `its form is number ${version}; this version knows ${steps.length}`,
          hint: "start the newer version, or restore the backup that was made before the update",
        });
      const step = steps[version];
      if (step !== undefined) {
        database.exec(step.sql);
        database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}`);
      }
      database.exec("COMMIT");
      if (step === undefined) return;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
}

function pragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
