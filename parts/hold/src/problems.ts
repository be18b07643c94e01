import { EXIT, problemsOf } from "@sampan/problem";

export const holdProblems = {
  HOLD_BUSY: {
    status: 503,
    exit: EXIT.conflict,
    doc: "Another process has this hold open. One process at a time may use a hold: stop the other one, or ask it.",
  },
  HOLD_FORMAT: {
    status: 500,
    exit: EXIT.refused,
    doc: "The folder is not a hold, or it was written by a newer version. Use that version, or another folder.",
  },
  HOLD_SAVE_INVALID: {
    status: 422,
    exit: EXIT.damaged,
    doc: "The stream of images from the engine is truncated, contradicts itself, or is in a form that is not read. Nothing of it was recorded as an image; take it again.",
  },
  HOLD_IMAGE_INVALID: {
    status: 422,
    exit: EXIT.damaged,
    doc: "A manifest or config is not that of a container image whose layers are tars (plain, gzip or zstd).",
  },
} as const;

export const holdProblem = problemsOf(holdProblems);
