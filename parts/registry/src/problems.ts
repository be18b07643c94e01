import { EXIT, type Problem, problemsOf } from "@sampan/problem";

/** Without the prefix these are the codes of the OCI distribution-spec 1.1 ("Error Codes"), as clients know them. */
export const registryProblems = {
  REGISTRY_BLOB_UNKNOWN: {
    status: 404,
    exit: EXIT.absent,
    doc: "The repository has no blob with this digest. Push it, or mount it from a repository that has it.",
  },
  REGISTRY_BLOB_UPLOAD_INVALID: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The upload is being written to by another request, or its last chunk broke off. Ask for its status and go on from there.",
  },
  REGISTRY_BLOB_UPLOAD_UNKNOWN: {
    status: 404,
    exit: EXIT.absent,
    doc: "There is no such upload in this repository: it has ended, was cancelled, or was left alone for too long. Begin again.",
  },
  REGISTRY_RANGE_INVALID: {
    status: 416,
    exit: EXIT.usage,
    doc: "A chunk does not begin where the upload ends, or bytes were asked for that the blob does not have.",
  },
  REGISTRY_DIGEST_INVALID: {
    status: 400,
    exit: EXIT.damaged,
    doc: "The digest is not of the form sha256:…, or what was sent does not have it.",
  },
  REGISTRY_SIZE_INVALID: {
    status: 400,
    exit: EXIT.damaged,
    doc: "What was sent is not as long as its headers say.",
  },
  REGISTRY_TOO_LARGE: {
    status: 413,
    exit: EXIT.refused,
    doc: "A blob or manifest is larger than this registry takes.",
  },
  REGISTRY_MANIFEST_UNKNOWN: {
    status: 404,
    exit: EXIT.absent,
    doc: "The repository has no manifest with this tag or digest.",
  },
  REGISTRY_MANIFEST_INVALID: {
    status: 400,
    exit: EXIT.damaged,
    doc: "The manifest cannot be read, or is of a kind that this registry does not keep.",
  },
  REGISTRY_MANIFEST_BLOB_UNKNOWN: {
    status: 400,
    exit: EXIT.absent,
    doc: "The manifest refers to a blob or manifest that the repository does not have. Push that first.",
  },
  REGISTRY_NAME_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "The name of the repository is not allowed: lower-case letters, digits and . _ - between them, parts joined by /, at most 255.",
  },
  REGISTRY_TAG_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "The tag is not allowed: letters, digits, _ . and -, at most 128.",
  },
  REGISTRY_UNAUTHORIZED: {
    status: 401,
    exit: EXIT.refused,
    doc: "The registry wants to know who asks: log in with a user's name and password, or a token as password.",
  },
  REGISTRY_DENIED: {
    status: 403,
    exit: EXIT.refused,
    doc: "The user may not do this in this repository.",
  },
  REGISTRY_UNSUPPORTED: {
    status: 405,
    exit: EXIT.usage,
    doc: "The registry does not do this, or not in this repository.",
  },
  REGISTRY_TOOMANYREQUESTS: {
    status: 429,
    exit: EXIT.outside,
    doc: "Too many uploads are open. Finish or cancel some, or try again later.",
  },
} as const;

export const registryProblem = problemsOf(registryProblems);

const PREFIX = "REGISTRY_";

/** The code that clients of the distribution API know. */
export function ociCode(problem: Problem): string {
  switch (problem.code) {
    case "REGISTRY_TOO_LARGE":
      return "SIZE_INVALID";
    case "REGISTRY_RANGE_INVALID":
      return "BLOB_UPLOAD_INVALID";
    case "CONTENT_ABSENT":
      return "BLOB_UNKNOWN";
    case "CONTENT_MISMATCH":
      return "DIGEST_INVALID";
    default:
      return problem.code.startsWith(PREFIX) ? problem.code.slice(PREFIX.length) : "UNKNOWN";
  }
}
