import { isProblem, type Problem } from "@sampan/problem";
import { runtimeProblem } from "@sampan/runtime";

const AWAY = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
]);

/** What went wrong on the way to the engine, as a problem; `away` when the engine may be another one when it is back. */
export function describeFailure(
  error: unknown,
  at: { readonly what: string; readonly address: string },
): { readonly error: unknown; readonly away: boolean } {
  if (isProblem(error)) return { error, away: false };
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM")
    return {
      away: true,
      error: runtimeProblem("RUNTIME_UNREACHABLE", "the container engine may not be used by this user", {
        why: `${at.address} denies access`,
        hint: "Run Sampan as root or as a member of the group that owns the socket, usually `docker`.",
        cause: error,
      }),
    };
  if (code !== undefined && AWAY.has(code))
    return {
      away: true,
      error: runtimeProblem("RUNTIME_UNREACHABLE", "the container engine does not answer", {
        why: `${at.address}: ${error instanceof Error ? error.message : code}`,
        hint: "Start the engine, or point DOCKER_HOST at it.",
        cause: error,
      }),
    };
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT")
    return {
      away: false,
      error: runtimeProblem("RUNTIME_TIMEOUT", `the engine did not ${at.what} in time`, { cause: error }),
    };
  return { error, away: false };
}

/** The engine said no. */
export function refusal(what: string, status: number, words: string): Problem {
  return runtimeProblem("RUNTIME_REFUSED", `the engine refused to ${what}`, {
    why: words === "" ? `it answered ${status}` : words,
    cause: { status, words },
  });
}

function codeOf(error: unknown): string | undefined {
  for (let one = error; one instanceof Error; one = one.cause)
    if ("code" in one && typeof one.code === "string") return one.code;
  return undefined;
}
