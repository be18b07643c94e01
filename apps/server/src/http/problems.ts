import { EXIT, problemsOf } from "@sampan/problem";

export const serverProblems = {
  API_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "The request is not as the contract says. Every fault is named with its path.",
  },
  API_NOT_LOGGED_IN: {
    status: 401,
    exit: EXIT.refused,
    doc: "The request needs a login or an API token. Use `sampan login`.",
  },
  API_FORBIDDEN: {
    status: 403,
    exit: EXIT.refused,
    doc: "The role that you hold does not allow it. An administrator of the team or enterprise can give it.",
  },
  API_CROSS_ORIGIN: {
    status: 403,
    exit: EXIT.refused,
    doc: "A browser sent the request from another site's page. Use Sampan's own console.",
  },
  API_NOT_FOUND: { status: 404, exit: EXIT.absent, doc: "There is no such route." },
  API_TOO_LARGE: {
    status: 413,
    exit: EXIT.usage,
    doc: "The request body is larger than allowed. Bundles are uploaded in parts.",
  },
  API_SETUP_DONE: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The first administrator was made already. Log in.",
  },
  API_LOGIN_REFUSED: {
    status: 401,
    exit: EXIT.refused,
    doc: "User name or password is wrong, or the user is disabled.",
  },
  API_SLOW_DOWN: {
    status: 429,
    exit: EXIT.refused,
    doc: "Too many failed logins. Wait for the time that is named.",
  },
  SERVER_BUG: {
    status: 500,
    exit: EXIT.failed,
    doc: "Sampan broke an invariant of its own. The server's log has the details under the id that is named.",
  },
} as const;

export const serverProblem = problemsOf(serverProblems);
