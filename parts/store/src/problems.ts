import { EXIT, problemsOf } from "@sampan/problem";

export const storeProblems = {
  STORE_NEWER: {
    status: 500,
    exit: EXIT.refused,
    doc: "The database was written by a newer Sampan. Start that version again, or restore the backup made before it.",
  },
  STORE_FOREIGN: {
    status: 500,
    exit: EXIT.refused,
    doc: "The file is a database of some other program. Point Sampan at another data folder.",
  },
  STORE_DAMAGED: {
    status: 500,
    exit: EXIT.damaged,
    doc: "The database does not pass its integrity check: the disk or memory failed. Restore the newest backup; the engine's labels tell what runs meanwhile.",
  },
  STORE_UNAVAILABLE: {
    status: 503,
    exit: EXIT.outside,
    doc: "The database file cannot be opened, read or written. Check the data folder, its owner and its disk.",
  },
  STORE_NO_SPACE: {
    status: 507,
    exit: EXIT.outside,
    doc: "The disk that holds the database is full. Free some room; nothing was changed.",
  },
  STORE_BUSY: {
    status: 503,
    exit: EXIT.outside,
    doc: "Another process kept the database locked for more than five seconds. Try again; run one server on a data folder.",
  },
  STORE_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "What was asked for is not there, or not for the one who asks.",
  },
  STORE_TAKEN: {
    status: 409,
    exit: EXIT.conflict,
    doc: "Something with this name or id exists already. Choose another name.",
  },
  STORE_IN_USE: {
    status: 409,
    exit: EXIT.conflict,
    doc: "Something else refers to it, or what it refers to is not there. Remove what depends on it first.",
  },
  STORE_STALE: {
    status: 409,
    exit: EXIT.conflict,
    doc: "It was changed by somebody else since it was read. Read it again, and repeat the change.",
  },
  STORE_TOO_LARGE: {
    status: 413,
    exit: EXIT.refused,
    doc: "A document is larger than the store keeps. Make it smaller.",
  },
  STORE_POLICY_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "A policy has a value that it cannot have: the message says which, and what is allowed. Nothing was changed.",
  },
  STORE_REPORT_KEPT: {
    status: 409,
    exit: EXIT.conflict,
    doc: "Another acceptance report of this record is kept already. A report is proof: it is never replaced.",
  },
  STORE_CURSOR_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "`after` is not the `next` of an earlier page of the same list. Begin again without it.",
  },
  STORE_LEASE_LOST: {
    status: 409,
    exit: EXIT.conflict,
    doc: "A job was taken from the worker that ran it, because it did not answer in time or the job has ended. The one that holds it now goes on.",
  },
  STORE_JOB_ABANDONED: {
    status: 500,
    exit: EXIT.failed,
    doc: "The server stopped in the middle of a job as often as the job allows. Its log says how far it came; start it again.",
  },
  STORE_JOB_UNKNOWN: {
    status: 500,
    exit: EXIT.failed,
    doc: "No handler of this version runs jobs of this kind: it was enqueued by another version. Start it again.",
  },
  STORE_JOB_FAILED: {
    status: 500,
    exit: EXIT.failed,
    doc: "A job ended by an error that Sampan has no better name for. The server's log has the details.",
  },
} as const;

export const storeProblem = problemsOf(storeProblems);
