import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { Readable } from "node:stream";
import type { Bytes } from "@sampan/content";
import { runtimeProblem } from "@sampan/runtime";
import { Agent, type Dispatcher, request } from "undici";
import { describeFailure, refusal } from "./engine-failure.ts";
import { describeAddress, type EngineAddress } from "./find-engine.ts";
import { chooseApiVersion } from "./negotiate.ts";

const CALL_TIMEOUT_MS = 60_000;
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

export type EngineQuery = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface EngineCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  /** After the version, such as `/containers/json`. */
  readonly path: string;
  readonly query?: EngineQuery;
  /** An object is sent as JSON; bytes and streams as a tar. */
  readonly body?: object | Uint8Array | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is attempted, as in "start container web": "the engine refused to …". */
  readonly what: string;
  /** Error statuses that are returned instead of thrown. */
  readonly accept?: readonly number[];
  /** Until the answer begins, and between pieces of it. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface EngineReply<T> {
  readonly status: number;
  /** Undefined when the reply has no body. */
  readonly body: T;
  /** The engine's own words, of an accepted error status. */
  readonly words: string;
}

/**
 * Speaks the Engine API over a unix socket or tcp. The version is negotiated at the first call, and again after the
 * engine was away. Throws RUNTIME_UNREACHABLE, RUNTIME_TOO_OLD, RUNTIME_TIMEOUT, RUNTIME_REFUSED with the engine's words.
 */
export class EngineClient {
  readonly address: EngineAddress;
  #agent: Agent;
  #version: Promise<string> | undefined;

  constructor(address: EngineAddress) {
    this.address = address;
    this.#agent = new Agent({
      connect: address.kind === "socket" ? { socketPath: address.path } : { ...address.tls, timeout: 10_000 },
      keepAliveTimeout: 10_000,
    });
  }

  /** The API version both sides speak, such as "1.41". */
  async version(signal?: AbortSignal): Promise<string> {
    this.#version ??= this.#negotiate().catch((error: unknown) => {
      this.#version = undefined;
      throw error;
    });
    const version = await this.#version;
    signal?.throwIfAborted();
    return version;
  }

  /** JSON in, JSON out. The whole reply is read, at most 64 MiB. */
  async call<T>(call: EngineCall): Promise<EngineReply<T>> {
    const reply = await this.#send(call);
    try {
      const text = await readText(reply.body, REPLY_BYTES_MAX);
      if (reply.statusCode >= 400) {
        const words = wordsOf(text);
        if (call.accept?.includes(reply.statusCode) === true)
          return { status: reply.statusCode, body: undefined as T, words };
        throw refusal(call.what, reply.statusCode, words);
      }
      return { status: reply.statusCode, body: parseJson<T>(text, call.what), words: "" };
    } catch (error) {
      throw this.#failure(error, call);
    }
  }

  /** The reply as it comes; nothing for an accepted error status. Leaving the loop early ends the call. */
  async *stream(call: EngineCall): Bytes {
    const reply = await this.#send(call);
    try {
      if (reply.statusCode >= 400) {
        const words = wordsOf(await readText(reply.body, REPLY_BYTES_MAX));
        if (call.accept?.includes(reply.statusCode) === true) return;
        throw refusal(call.what, reply.statusCode, words);
      }
      for await (const piece of reply.body) yield piece as Uint8Array;
    } catch (error) {
      throw this.#failure(error, call);
    } finally {
      reply.body.destroy();
    }
  }

  /** Turns a POST into a raw connection in both directions (101), for terminals. */
  async upgrade(call: EngineCall): Promise<Duplex> {
    const path = await this.#path(call);
    const body = JSON.stringify(call.body ?? {});
    const { address } = this;
    const options: RequestOptions = {
      method: call.method,
      path,
      agent: false,
      ...(address.kind === "socket"
        ? { socketPath: address.path }
        : { host: address.host, port: address.port, ...address.tls }),
      headers: {
        host: "engine",
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        connection: "Upgrade",
        upgrade: "tcp",
      },
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    const secure = address.kind === "tcp" && address.tls !== undefined;
    return await new Promise<Duplex>((resolve, reject) => {
      const outgoing = (secure ? httpsRequest : httpRequest)(options);
      outgoing.on("error", (error) => reject(this.#failure(error, call)));
      outgoing.on("upgrade", (_reply, socket, head) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      outgoing.on("response", (reply) => {
        readText(reply, REPLY_BYTES_MAX)
          .then((text) => reject(refusal(call.what, reply.statusCode ?? 0, wordsOf(text))))
          .catch(reject);
      });
      outgoing.end(body);
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #send(call: EngineCall): Promise<Dispatcher.ResponseData> {
    const path = await this.#path(call);
    return await this.#request(call, path);
  }

  async #path(call: EngineCall): Promise<string> {
    call.signal?.throwIfAborted();
    return `/v${await this.version(call.signal)}${call.path}${renderQuery(call.query)}`;
  }

  async #request(call: EngineCall, path: string): Promise<Dispatcher.ResponseData> {
    const timeoutMs = call.timeoutMs ?? CALL_TIMEOUT_MS;
    try {
      return await request(`${this.#origin()}${path}`, {
        dispatcher: this.#agent,
        method: call.method,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        ...renderBody(call),
      });
    } catch (error) {
      throw this.#failure(error, call);
    }
  }

  #origin(): string {
    if (this.address.kind === "socket") return "http://engine";
    const host = this.address.host.includes(":") ? `[${this.address.host}]` : this.address.host;
    return `${this.address.tls === undefined ? "http" : "https"}://${host}:${this.address.port}`;
  }

  async #negotiate(): Promise<string> {
    const call: EngineCall = { method: "GET", path: "/_ping", what: "answer", timeoutMs: 10_000 };
    const reply = await this.#request(call, "/_ping");
    const text = await readText(reply.body, 64 * 1024);
    if (reply.statusCode >= 400)
      throw runtimeProblem("RUNTIME_UNREACHABLE", "the container engine does not answer as one", {
        why: `${describeAddress(this.address)} says ${reply.statusCode}: ${wordsOf(text)}`,
      });
    return chooseApiVersion(reply.headers["api-version"]);
  }

  #failure(error: unknown, call: EngineCall): unknown {
    if (call.signal?.aborted === true) return call.signal.reason;
    const failure = describeFailure(error, { what: call.what, address: describeAddress(this.address) });
    if (failure.away) this.#version = undefined;
    return failure.error;
  }
}

function renderBody(call: EngineCall): {
  body?: string | Uint8Array | Readable;
  headers: Record<string, string>;
} {
  const { body, headers } = call;
  if (body === undefined) return { headers: { ...headers } };
  if (body instanceof Uint8Array || body instanceof Readable)
    return { body, headers: { "content-type": "application/x-tar", ...headers } };
  return { body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
}

function renderQuery(query: EngineQuery | undefined): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parts.append(key, String(one));
  }
  const text = parts.toString();
  return text === "" ? "" : `?${text}`;
}

/** The engine's `filters` parameter. */
export function filters(by: Readonly<Record<string, readonly string[]>>): string {
  return JSON.stringify(by);
}

async function readText(body: AsyncIterable<unknown>, sizeBytesMax: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > sizeBytesMax)
      throw runtimeProblem("RUNTIME_REFUSED", "the engine's answer is too large to be right", {
        why: `it is longer than ${sizeBytesMax} bytes`,
      });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parseJson<T>(text: string, what: string): T {
  if (text.trim() === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw runtimeProblem("RUNTIME_REFUSED", `the engine's answer cannot be read, on the attempt to ${what}`, {
      why: "it is not JSON",
      cause,
    });
  }
}

function wordsOf(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) return String(parsed.message);
  } catch {
    // Not JSON: a proxy or an older path of the engine answers in plain text.
  }
  return text.trim().slice(0, 2000);
}
