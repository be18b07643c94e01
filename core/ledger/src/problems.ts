import { EXIT, problemsOf } from "@sampan/problem";

export const ledgerProblems = {
  LEDGER_UNREADABLE: {
    status: 422,
    exit: EXIT.damaged,
    doc: "The file is neither a site state nor a receipt, or it is damaged. Let the site write it again.",
  },
  LEDGER_NEWER: {
    status: 422,
    exit: EXIT.refused,
    doc: "The site state or receipt has a format that this version does not know. Read it with a newer version.",
  },
  LEDGER_UNSIGNED: {
    status: 422,
    exit: EXIT.refused,
    doc: "The site state or receipt is not signed by the key that it names. Let the site write it again, and carry it by another way.",
  },
  LEDGER_FALSE: {
    status: 422,
    exit: EXIT.damaged,
    doc: "The signature does not fit what the site state or receipt says: somebody changed it. Do not use the file.",
  },
  LEDGER_KEY_CHANGED: {
    status: 409,
    exit: EXIT.refused,
    doc: "A site that the ledger knows signed with another key than before. Ask the site by another way whether its key was made anew; if so, remove it from the ledger and take its file in again.",
  },
} as const;

export const ledgerProblem = problemsOf(ledgerProblems);
