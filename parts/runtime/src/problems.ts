import { EXIT, problemsOf } from "@sampan/problem";

export const runtimeProblems = {
  RUNTIME_UNREACHABLE: {
    status: 503,
    exit: EXIT.outside,
    doc: "The container engine does not answer. Start it, or point DOCKER_HOST at it; Sampan goes on by itself once it answers.",
  },
  RUNTIME_TOO_OLD: {
    status: 503,
    exit: EXIT.outside,
    doc: "The engine speaks an API older than 1.41. Update the engine.",
  },
  RUNTIME_STALE: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The work belongs to an older generation of the app than the one that runs. Make a new plan.",
  },
  RUNTIME_IMAGE_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "An image is neither in the engine nor in the hold. Import the bundle that carries it, or build or push it.",
  },
  RUNTIME_IMAGE_MISMATCH: {
    status: 500,
    exit: EXIT.damaged,
    doc: "The engine got another image than the one asked for. Run `sampan hold check`.",
  },
  RUNTIME_WRONG_ARCHITECTURE: {
    status: 409,
    exit: EXIT.refused,
    doc: "An image is made for another processor architecture than the machine's. Export the release for this architecture.",
  },
  RUNTIME_PORT_TAKEN: {
    status: 409,
    exit: EXIT.conflict,
    doc: "A port of the machine is used by something else. Free it, or choose another port.",
  },
  RUNTIME_INSTANCE_FAILED: {
    status: 502,
    exit: EXIT.failed,
    doc: "An instance stopped or kept failing while it was awaited. Its log says why.",
  },
  RUNTIME_NOT_READY: {
    status: 504,
    exit: EXIT.failed,
    doc: "An instance did not become ready within its time. Its log and its ready probe say why.",
  },
  RUNTIME_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "The instance, volume or network does not exist any more. Look again.",
  },
  RUNTIME_UNREADABLE: {
    status: 422,
    exit: EXIT.refused,
    doc: "An instance does not tell all of its own settings, so its app cannot be read back from the engine. Restore a backup of the database.",
  },
  RUNTIME_REFUSED: {
    status: 502,
    exit: EXIT.failed,
    doc: "The engine refused a call. Its own words are given.",
  },
  RUNTIME_NO_ANSWER: {
    status: 504,
    exit: EXIT.failed,
    doc: "Nothing answered at a port of an instance in time. Its log says whether it runs and listens there.",
  },
  RUNTIME_TIMEOUT: {
    status: 504,
    exit: EXIT.failed,
    doc: "The engine did not finish in time. It may be under heavy load.",
  },
} as const;

export const runtimeProblem = problemsOf(runtimeProblems);
