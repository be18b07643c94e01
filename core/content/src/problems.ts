import { EXIT, problemsOf } from "@sampan/problem";

export const contentProblems = {
  CONTENT_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "Content with this digest is not held here. Import or publish what carries it.",
  },
  CONTENT_MISMATCH: {
    status: 400,
    exit: EXIT.damaged,
    doc: "Bytes do not have the digest or size they were announced with. Send them again.",
  },
  CONTENT_DAMAGED: {
    status: 500,
    exit: EXIT.damaged,
    doc: "Stored bytes no longer verify: the disk or memory failed. `sampan hold check` names what is hit; importing the bundle again mends it.",
  },
  CONTENT_INVALID: {
    status: 400,
    exit: EXIT.damaged,
    doc: "A pack, recipe or image is not in a form that this version reads.",
  },
  CONTENT_NO_SPACE: {
    status: 507,
    exit: EXIT.outside,
    doc: "The disk has not enough room. Free some, or prune the hold.",
  },
} as const;

export const contentProblem = problemsOf(contentProblems);
