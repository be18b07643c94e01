import { randomUUID } from "node:crypto";
import { isProblem, type Problem, problemJson } from "@sampan/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import { serverProblem } from "./problems.ts";

/** Answers with problem details (RFC 9457). What is no problem is a bug: it goes to the log, and only its id to the client. */
export function answerError(
  exchange: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  error: unknown,
  onBug: (id: string, error: unknown) => void,
): FastifyReply {
  const { request, reply } = exchange;
  const isGone = request.raw.destroyed && !request.raw.complete;
  const problem = asProblem(error, isGone ? () => undefined : onBug);
  // What is left of a body that was not read is not waited for.
  if (!request.raw.complete) reply.header("connection", "close");
  return reply.code(problem.kind.status).type("application/problem+json").send(problemJson(problem));
}

function asProblem(error: unknown, onBug: (id: string, error: unknown) => void): Problem {
  if (isProblem(error)) return error;
  const code = (error as { code?: string } | undefined)?.code;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return serverProblem("API_TOO_LARGE", "the request body is too large", { cause: error });
  if (code?.startsWith("FST_ERR_CTP") === true || error instanceof SyntaxError)
    return serverProblem("API_INVALID", "the request body is not JSON", { why: (error as Error).message });
  if (code === "FST_ERR_BAD_URL" || code === "FST_ERR_MAX_PARAM_LENGTH" || error instanceof URIError)
    return serverProblem("API_INVALID", "the address of the request cannot be read");
  const id = randomUUID();
  onBug(id, error);
  return serverProblem("SERVER_BUG", "Sampan hit a fault of its own", {
    why: `its log has the details under ${id}`,
    hint: "send the log to the vendor of this site",
  });
}
