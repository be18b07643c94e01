import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type {} from "@fastify/cookie";
import {
  type Actor,
  API_PREFIX,
  type Contract,
  contract,
  PERMISSIONS,
  type Route,
  type RouteInput,
  type RouteName,
  type RouteReply,
} from "@sampan/api";
import { type Fault, isProblem, type Problem, problemJson } from "@sampan/problem";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { RequestContext } from "./context.ts";
import { serverProblem } from "./problems.ts";
import { type FileReply, sendEvents, sendFile } from "./streams.ts";

type Result<R extends Route> = R["event"] extends object
  ? AsyncIterable<unknown>
  : R["reply"] extends "bytes"
    ? FileReply
    : RouteReply<R>;

export type Handler<N extends RouteName> = (
  input: RouteInput<Contract[N]>,
  context: RequestContext,
) => Promise<Result<Contract[N]>>;

/** A handler for every route: the compiler finds the forgotten one. */
export type Handlers = { readonly [N in RouteName]: Handler<N> };

export interface ServeOptions {
  readonly handlers: Handlers;
  readonly authenticate: (
    request: FastifyRequest,
  ) => Promise<{ readonly actor: Actor; readonly tokenId: string } | undefined>;
  readonly onBug: (id: string, error: unknown) => void;
}

type AnyHandler = (
  input: { params: unknown; query: unknown; body: unknown },
  context: RequestContext,
) => Promise<unknown>;

/** Registers the whole contract below /api/v1. */
export function serveContract(server: FastifyInstance, options: ServeOptions): void {
  server.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));
  server.setErrorHandler((error, _request, reply) => answerError(reply, error, options.onBug));
  server.setNotFoundHandler((request, reply) =>
    answerError(
      reply,
      serverProblem("API_NOT_FOUND", `there is nothing at ${request.method} ${request.url}`),
      options.onBug,
    ),
  );
  for (const [name, row] of Object.entries(contract) as [RouteName, Route][]) {
    server.route({
      method: row.method,
      url: `${API_PREFIX}${row.path}`,
      ...(row.body === "bytes" ? { bodyLimit: Number.MAX_SAFE_INTEGER } : {}),
      handler: (request, reply) => answer(name, row, request, reply, options),
    });
  }
}

async function answer(
  name: RouteName,
  row: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServeOptions,
): Promise<unknown> {
  const who = await options.authenticate(request);
  refuseCrossOrigin(row, request);
  const abort = new AbortController();
  reply.raw.once("close", () => abort.abort(new DOMException("the client went away", "AbortError")));
  const context = new RequestContext(who, row.permission, {
    remoteAddress: request.ip,
    range: request.headers.range,
    userAgent: request.headers["user-agent"],
    signal: abort.signal,
  });
  if (row.permission !== "public") {
    void context.actor;
    if (PERMISSIONS[row.permission].scope !== "team") context.require(row.permission, undefined);
  }
  const handler = options.handlers[name] as unknown as AnyHandler;
  const result = await handler(parseInput(row, request), context);
  if (row.permission !== "public" && PERMISSIONS[row.permission].scope === "team")
    context.assertChecked(name);
  setCookies(reply, context);
  return send(row, reply, result, context);
}

function send(row: Route, reply: FastifyReply, result: unknown, context: RequestContext): unknown {
  if (row.event !== undefined)
    return sendEvents(reply, result as AsyncIterable<unknown>, context.facts.signal);
  if (row.reply === "bytes") return sendFile(reply, result as FileReply, context.facts.range);
  if (row.reply === "none") return reply.code(204).send();
  // Parsing the reply strips whatever the contract does not name, so nothing leaks by accident.
  return reply.code(row.status ?? 200).send(row.reply.parse(result));
}

function parseInput(row: Route, request: FastifyRequest): { params: unknown; query: unknown; body: unknown } {
  const faults: Fault[] = [];
  const part = (schema: Route["params"], value: unknown, where: string): unknown => {
    if (schema === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      faults.push({
        path: [where, ...issue.path.map(String)].filter(Boolean).join("."),
        message: issue.message,
      });
    }
    return undefined;
  };
  const params = part(row.params, request.params, "");
  const query = part(row.query, request.query, "");
  const body =
    row.body === "bytes" ? (request.body ?? Readable.from([])) : part(row.body, request.body ?? {}, "");
  if (faults.length > 0) {
    throw serverProblem(
      "API_INVALID",
      `the request has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}`,
      { faults, hint: "see /api/v1/openapi.json" },
    );
  }
  return { params, query, body };
}

/** A session cookie is sent by the browser even for another site's page; a token never is. */
function refuseCrossOrigin(row: Route, request: FastifyRequest): void {
  if (row.method === "GET" || request.headers.authorization !== undefined) return;
  const origin = request.headers.origin;
  if (origin === undefined || new URL(origin).host === request.headers.host) return;
  throw serverProblem("API_CROSS_ORIGIN", "the request came from another site's page", {
    why: `its origin is ${origin}`,
  });
}

function setCookies(reply: FastifyReply, context: RequestContext): void {
  for (const cookie of context.cookies) {
    reply.setCookie(cookie.name, cookie.value ?? "", {
      path: "/",
      httpOnly: true,
      sameSite: "strict",
      secure: "auto",
      maxAge: cookie.value === undefined ? 0 : cookie.maxAgeSeconds,
    });
  }
}

function answerError(reply: FastifyReply, error: unknown, onBug: ServeOptions["onBug"]): FastifyReply {
  const problem = asProblem(error, onBug);
  return reply.code(problem.kind.status).type("application/problem+json").send(problemJson(problem));
}

function asProblem(error: unknown, onBug: ServeOptions["onBug"]): Problem {
  if (isProblem(error)) return error;
  const code = (error as { code?: string } | undefined)?.code;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return serverProblem("API_TOO_LARGE", "the request body is too large", { cause: error });
  if (code?.startsWith("FST_ERR_CTP") === true || error instanceof SyntaxError) {
    return serverProblem("API_INVALID", "the request body is not JSON", { why: (error as Error).message });
  }
  const id = randomUUID();
  onBug(id, error);
  return serverProblem("SERVER_BUG", "Sampan hit a fault of its own", {
    why: `its log has the details under ${id}`,
    hint: "send the log to the vendor of this site",
  });
}
