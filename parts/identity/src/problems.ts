import { EXIT, problemsOf } from "@sampan/problem";

export const identityProblems = {
  IDENTITY_PASSWORD_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "The password is too short or too long: 8 to 1024 bytes are taken.",
  },
  IDENTITY_KEY_INVALID: {
    status: 400,
    exit: EXIT.damaged,
    doc: "What was given is not one Ed25519 public key in PEM (SPKI). The vendor shows it with `sampan site key`.",
  },
  IDENTITY_KEY_FILE_INVALID: {
    status: 500,
    exit: EXIT.damaged,
    doc: "A key file of the site cannot be read as what it should be. Restore it from the backup; without it, what was sealed stays closed and the site has another identity.",
  },
  IDENTITY_KEY_EXPOSED: {
    status: 500,
    exit: EXIT.refused,
    doc: "Others than the owner may read a key file. Take the right away (chmod 600), and think about who may have read it.",
  },
  IDENTITY_PASSPHRASE_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "The passphrase is too short or too long: 8 to 1024 bytes are taken.",
  },
  IDENTITY_PASSPHRASE_WRONG: {
    status: 403,
    exit: EXIT.refused,
    doc: "The passphrase does not open what was sealed. There is no other way to open it.",
  },
  IDENTITY_SEAL_UNKNOWN: {
    status: 422,
    exit: EXIT.damaged,
    doc: "It was not sealed with a passphrase in a form that this version knows: it is damaged, or comes from a newer version.",
  },
  IDENTITY_SEALED_INVALID: {
    status: 500,
    exit: EXIT.damaged,
    doc: "A sealed secret does not open: it was changed, or sealed with a key that the master key file does not hold. Restore the master key file that belongs to this database.",
  },
} as const;

export const identityProblem = problemsOf(identityProblems);
