import { isProblem } from "@sampan/problem";
import { storeProblem } from "./problems.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html), and two extended ones for constraints. */
const RESULT = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  tooBig: 18,
  notADatabase: 26,
  foreignKey: 787,
  primaryKey: 1555,
  unique: 2067,
} as const;

/** Gives errors of SQLite that a person can act on their name; everything else stays what it is. */
export function explainFault(error: unknown): unknown {
  if (isProblem(error) || !(error instanceof Error) || !("errcode" in error)) return error;
  const code = Number(error.errcode);
  const details = { why: error.message, cause: error };
  if (code === RESULT.unique || code === RESULT.primaryKey)
    return storeProblem("STORE_TAKEN", "it exists already", details);
  if (code === RESULT.foreignKey)
    return storeProblem("STORE_IN_USE", "what it belongs to is absent, or something refers to it", details);
  switch (code & 0xff) {
    case RESULT.busy:
      return storeProblem("STORE_BUSY", "the database is locked by another process", details);
    case RESULT.full:
      return storeProblem("STORE_NO_SPACE", "the disk of the database is full", details);
    case RESULT.tooBig:
      return storeProblem("STORE_TOO_LARGE", "a value is too large for the database", details);
    case RESULT.corrupt:
    case RESULT.notADatabase:
      return storeProblem("STORE_DAMAGED", "the database is damaged", {
        ...details,
        hint: "stop the server and put the newest backup in its place",
      });
    case RESULT.readOnly:
    case RESULT.ioError:
    case RESULT.cannotOpen:
      return storeProblem("STORE_UNAVAILABLE", "the database cannot be read or written", details);
    default:
      return error;
  }
}
