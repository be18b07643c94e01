import { Problem, type ProblemJson } from "@sampan/problem";
import { API_PREFIX, type Contract, contract, type RouteName } from "./contract.ts";
import type { BodyBytes, Route, RouteCall, RouteResult } from "./route.ts";

export interface ClientOptions {
  /** Such as http://127.0.0.1:7070; empty in a browser that was served by the server itself. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly token?: string;
}

interface CallOptions {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One typed function for each route. They throw the server's `Problem`, or API_UNREACHABLE. */
export type Client = {
  readonly [N in RouteName]: (
    ...args: Record<string, never> extends RouteCall<Contract[N]>
      ? [call?: RouteCall<Contract[N]>, options?: CallOptions]
      : [call: RouteCall<Contract[N]>, options?: CallOptions]
  ) => Promise<RouteResult<Contract[N]>>;
};

interface AnyCall {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export function createClient(options: ClientOptions): Client {
  const entries = Object.entries(contract).map(([name, row]) => [
    name,
    (call: AnyCall = {}, callOptions: CallOptions = {}) => send(options, row, call, callOptions),
  ]);
  return Object.fromEntries(entries) as Client;
}

async function send(
  options: ClientOptions,
  row: Route,
  call: AnyCall,
  callOptions: CallOptions,
): Promise<unknown> {
  const headers: Record<string, string> = { ...callOptions.headers };
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  const init: RequestInit & { duplex?: "half" } = {
    method: row.method,
    headers,
    ...(callOptions.signal ? { signal: callOptions.signal } : {}),
  };
  if (call.body !== undefined && row.body === "bytes") {
    headers["content-type"] = "application/octet-stream";
    init.body = call.body as BodyBytes as NonNullable<RequestInit["body"]>;
    init.duplex = "half";
  } else if (call.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(call.body);
  }
  const url = `${options.baseUrl}${API_PREFIX}${fillPath(row.path, call.params ?? {})}${queryText(call.query ?? {})}`;
  const response = await reach(options, url, init);
  if (!response.ok) throw await problemOf(response);
  if (row.event !== undefined || row.reply === "bytes") return response;
  return row.reply === "none" ? undefined : await response.json();
}

async function reach(options: ClientOptions, url: string, init: RequestInit): Promise<Response> {
  try {
    return await options.fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw init.signal.reason;
    throw new Problem(
      "API_UNREACHABLE",
      { status: 503, exit: 7, doc: "" },
      `no Sampan server answers at ${options.baseUrl}`,
      {
        why: error instanceof Error ? causeText(error) : String(error),
        hint: "start the server with `npm start`, or name another with --server or SAMPAN_SERVER",
        cause: error,
      },
    );
  }
}

function causeText(error: Error): string {
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

function fillPath(path: string, params: Readonly<Record<string, unknown>>): string {
  return path.replace(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? "" : `?${search}`;
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const json = JSON.parse(text) as ProblemJson & { readonly exit?: number };
    if (typeof json.code !== "string" || typeof json.title !== "string") throw new TypeError("no problem");
    return new Problem(
      json.code,
      { status: response.status, exit: json.exit ?? EXIT_OF_STATUS[response.status] ?? 1, doc: "" },
      json.title,
      {
        ...(json.why === undefined ? {} : { why: json.why }),
        ...(json.hint === undefined ? {} : { hint: json.hint }),
        ...(json.faults === undefined ? {} : { faults: json.faults }),
      },
    );
  } catch {
    return new Problem(
      "API_ODD_REPLY",
      { status: response.status, exit: 7, doc: "" },
      `the server answered ${response.status} without saying why`,
      {
        why: text.slice(0, 300),
        hint: "check that the address is that of a Sampan server",
      },
    );
  }
}

const EXIT_OF_STATUS: Readonly<Record<number, number>> = {
  400: 2,
  401: 3,
  403: 3,
  404: 4,
  409: 5,
  412: 5,
  413: 2,
  422: 2,
  429: 3,
  502: 7,
  503: 7,
  504: 7,
  507: 7,
};

/** Parses a stream of server-sent events; each value is the JSON of a `data` field. Ends with the stream. */
export async function* readEvents(response: Response): AsyncGenerator<unknown> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let text = "";
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const data = event
          .split("\n")
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trimStart())
          .join("\n");
        if (data !== "") yield JSON.parse(data);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
