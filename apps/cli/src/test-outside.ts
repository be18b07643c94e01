import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outside } from "./command-context.ts";
import { runCli } from "./run-cli.ts";

/** As an answer: what a person presses who does not want to answer. */
export const CTRL_C = "\u0003";

const NO_LOGIN = join(tmpdir(), "sampan-nobody-logged-in", "session.json");

/** What a fake server was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Headers;
  readonly body: unknown;
}

/** By `METHOD /path` below /api/v1: JSON to answer with, or what makes a Response. */
export type Answers = Readonly<Record<string, unknown | ((asked: Asked) => unknown)>>;

export interface Person {
  /** What is typed when asked; absent: nobody is there. */
  readonly answers?: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  /** Lines that were written over. */
  readonly overwritten: readonly string[];
  readonly asked: readonly Asked[];
}

/** Runs one command line against a fake server, in front of a fake person. Time is virtual: a sleep only moves it on. */
export async function runAgainst(
  answers: Answers,
  argv: readonly string[],
  person: Person = {},
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const overwritten: string[] = [];
  const asked: Asked[] = [];
  const replies = [...(person.answers ?? [])];
  let nowMs = 0;
  const outside: Outside = {
    terminal: {
      isInteractive: person.answers !== undefined,
      columns: person.columns ?? 100,
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      overwrite: (text = "") => void (text !== "" && overwritten.push(text)),
      redraw: (text) => out.push(text),
      ask: async (question) => {
        err.push(question);
        const reply = replies.shift();
        if (reply === CTRL_C) throw new DOMException("interrupted", "AbortError");
        if (reply === undefined) throw new Error(`nobody expected the question ${question}`);
        return reply;
      },
      readStdin: async () => person.stdin ?? "",
    },
    env: { SAMPAN_CONFIG: NO_LOGIN, ...person.env },
    fetch: fakeFetch(answers, asked),
    clock: {
      nowMs: () => nowMs,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        nowMs += ms;
      },
    },
    signal: person.signal ?? new AbortController().signal,
  };
  const exitCode = await runCli(argv, outside);
  return { exitCode, out: out.join("\n"), err: err.join("\n"), overwritten, asked };
}

function fakeFetch(answers: Answers, asked: Asked[]): typeof globalThis.fetch {
  return async (input, init) => {
    init?.signal?.throwIfAborted();
    const request = new Request(input, init);
    const url = new URL(request.url);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const isJson = request.headers.get("content-type") === "application/json";
    const one: Asked = {
      method: request.method,
      path: url.pathname.replace("/api/v1", ""),
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: isJson ? JSON.parse(Buffer.from(bytes).toString("utf8")) : bytes,
    };
    asked.push(one);
    const key = `${one.method} ${one.path}`;
    if (!Object.hasOwn(answers, key)) return problemReply(404, "NOT_FOUND", `the fake server has no ${key}`);
    const answer = answers[key];
    const reply = typeof answer === "function" ? await answer(one) : answer;
    if (reply instanceof Response) return reply;
    return reply === undefined ? new Response(null, { status: 204 }) : Response.json(reply);
  };
}

export function problemReply(
  status: number,
  code: string,
  title: string,
  more: Readonly<Record<string, unknown>> = {},
): Response {
  return Response.json({ type: `urn:sampan:problem:${code}`, title, status, code, ...more }, { status });
}
