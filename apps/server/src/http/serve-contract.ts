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
import type { Fault } from "@sampan/problem";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { answerError } from "./answer-error.ts";
import { RequestContext, type RequestFacts } from "./context.ts";
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

/** Who asks, found out before the body is read: so nobody unknown makes the server read one. */
const askers = new WeakMap<FastifyRequest, Who>();
type Who = Awaited<ReturnType<ServeOptions["authenticate"]>>;

/** Registers the whole contract below /api/v1. */
export function serveContract(server: FastifyInstance, options: ServeOptions): void {
  server.addContentTypeParser(BYTES, (_request, payload, done) => done(null, payload));
  server.setErrorHandler((error, request, reply) => answerError({ request, reply }, error, options.onBug));
  server.setNotFoundHandler((request, reply) =>
    answerError(
      { request, reply },
      serverProblem("API_NOT_FOUND", `there is nothing at ${request.method} ${request.url.slice(0, 200)}`),
      options.onBug,
    ),
  );
  for (const [name, row] of Object.entries(contract) as [RouteName, Route][]) {
    server.route({
      method: row.method,
      url: `${API_PREFIX}${row.path}`,
      ...(row.body === "bytes" ? { bodyLimit: Number.MAX_SAFE_INTEGER } : {}),
      onRequest: (request) => admit(row, request, options),
      handler: (request, reply) => answer(name, row, request, reply, options),
    });
  }
}

const BYTES = "application/octet-stream";

/** All that can be refused before the body is read. */
async function admit(row: Route, request: FastifyRequest, options: ServeOptions): Promise<void> {
  refuseCrossOrigin(row, request);
  const who = await options.authenticate(request);
  askers.set(request, who);
  const { permission } = row;
  if (permission !== "public") {
    const context = new RequestContext(who, permission, factsOf(request, NEVER));
    void context.actor;
    if (PERMISSIONS[permission].scope !== "team") context.require(permission, undefined);
  }
  // A body of another type would be gathered in memory, and here it has no limit.
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (row.body === "bytes" && type !== BYTES)
    throw serverProblem("API_INVALID", `the body must be sent as ${BYTES}`, {
      why: `it was sent as ${type ?? "nothing"}`,
    });
}

/** The name of whoever asks, for the log. */
export function askerOf(request: FastifyRequest): string | undefined {
  return askers.get(request)?.actor.name;
}

const NEVER = new AbortController().signal;

function factsOf(request: FastifyRequest, signal: AbortSignal): RequestFacts {
  return {
    remoteAddress: request.ip,
    range: request.headers.range,
    userAgent: request.headers["user-agent"],
    usesCookie: request.headers.authorization === undefined,
    signal,
  };
}

async function answer(
  name: RouteName,
  row: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServeOptions,
): Promise<unknown> {
  const abort = new AbortController();
  reply.raw.once("close", () => abort.abort(new DOMException("the client went away", "AbortError")));
  const context = new RequestContext(askers.get(request), row.permission, factsOf(request, abort.signal));
  const handler = options.handlers[name] as unknown as AnyHandler;
  const result = await handler(parseInput(row, request), context);
  if (row.permission !== "public" && PERMISSIONS[row.permission].scope === "team")
    context.assertChecked(name);
  setCookies(reply, context);
  const isStillKnown = async () => (await options.authenticate(request)) !== undefined;
  return send(row, reply, { result, context, isStillKnown });
}

function send(
  row: Route,
  reply: FastifyReply,
  answered: {
    readonly result: unknown;
    readonly context: RequestContext;
    readonly isStillKnown: () => Promise<boolean>;
  },
): unknown {
  const { result, context, isStillKnown } = answered;
  const { signal, range } = context.facts;
  if (row.event !== undefined)
    return sendEvents(reply, result as AsyncIterable<unknown>, { signal, isStillKnown });
  if (row.reply === "bytes") return sendFile(reply, result as FileReply, range);
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
      { faults, hint: "mend what is listed; /api/v1/openapi.json says what is taken" },
    );
  }
  return { params, query, body };
}

/** A session cookie is sent by the browser even for another site's page; a token never is. */
function refuseCrossOrigin(row: Route, request: FastifyRequest): void {
  if (row.method === "GET" || request.headers.authorization !== undefined) return;
  const origin = request.headers.origin;
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === request.headers.host)) return;
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
