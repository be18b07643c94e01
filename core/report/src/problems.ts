import { EXIT, problemsOf } from "@sampan/problem";

export const reportProblems = {
  REPORT_UNREADABLE: {
    status: 422,
    exit: EXIT.damaged,
    doc: "The file is no acceptance report, or it is damaged. Export it again where it was made.",
  },
  REPORT_NEWER: {
    status: 422,
    exit: EXIT.refused,
    doc: "The report has a format that this version does not know. Verify it with a newer version.",
  },
  REPORT_UNTRUSTED: {
    status: 422,
    exit: EXIT.refused,
    doc: "The report is signed by none of the given keys. Ask the site for its public key by another way, and compare the key IDs.",
  },
  REPORT_FALSE: {
    status: 422,
    exit: EXIT.damaged,
    doc: "A signature in the report does not fit what the report says: somebody changed it. Do not use the file.",
  },
} as const;

export const reportProblem = problemsOf(reportProblems);
