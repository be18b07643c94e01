import { EXIT, problemsOf } from "@sampan/problem";

export const bundleProblems = {
  BUNDLE_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "There is no file under this name. Check the path, and that the stick is mounted.",
  },
  BUNDLE_UNREADABLE: {
    status: 500,
    exit: EXIT.outside,
    doc: "The system could not read the file: rights, a bad sector, or a stick that was pulled. Copy it from the medium again.",
  },
  BUNDLE_UNWRITABLE: {
    status: 500,
    exit: EXIT.outside,
    doc: "The system could not write the file: rights, a read-only medium, or a file system that takes no file this large.",
  },
  BUNDLE_INVALID: {
    status: 400,
    exit: EXIT.damaged,
    doc: "The file is not a bundle in the form of parts/bundle/SPEC.md. Nothing of it was used.",
  },
  BUNDLE_TRUNCATED: {
    status: 400,
    exit: EXIT.damaged,
    doc: "The file ends too early: a copy was cut off. Copy it again; the sizes are in the message.",
  },
  BUNDLE_DAMAGED: {
    status: 400,
    exit: EXIT.damaged,
    doc: "Bytes of the file do not have the digest that its root names. The faults name every part that is hit. Copy it again.",
  },
  BUNDLE_PART_MISSING: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The bundle is in several files, and what was asked for is in another one than this. Take the volume that the message names.",
  },
  BUNDLE_REQUEST_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "The text is no repair request, or one for another bundle. It is one line that begins with `sampan-repair 1`.",
  },
  BUNDLE_TOO_NEW: {
    status: 400,
    exit: EXIT.refused,
    doc: "The file was written in a format that this version does not read. Upgrade this site first.",
  },
  BUNDLE_TOO_LARGE: {
    status: 400,
    exit: EXIT.refused,
    doc: "What is to be exported exceeds a limit of the format. Export fewer releases into one bundle.",
  },
  BUNDLE_UNSIGNED: {
    status: 403,
    exit: EXIT.refused,
    doc: "The bundle carries no signature. Ask for a signed one, or accept unsigned bundles explicitly.",
  },
  BUNDLE_UNTRUSTED: {
    status: 403,
    exit: EXIT.refused,
    doc: "None of the keys that signed the bundle is trusted here. Compare the key ID with its owner, then add the key.",
  },
  BUNDLE_SIGNATURE_INVALID: {
    status: 400,
    exit: EXIT.damaged,
    doc: "A signature names a trusted key, but that key did not make it: the bundle was altered or forged.",
  },
  BUNDLE_KEY_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "A key is not an Ed25519 key in PEM form (SPKI for public, PKCS #8 for private keys).",
  },
  BUNDLE_BASE_MISSING: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The bundle is an increment, and none of the releases it builds on is held here. Import a base first, or ask for a full bundle.",
  },
  BUNDLE_NO_SPACE: {
    status: 507,
    exit: EXIT.outside,
    doc: "The disk has not enough room for the bundle. The message has the numbers; nothing was changed.",
  },
} as const;

export const bundleProblem = problemsOf(bundleProblems);
