import type { z } from "zod";
import type { Permission } from "./permissions.ts";

/**
 * One row of the contract. `reply` is a schema, or names what is streamed: "bytes" (a file; Range works), "events" (server-sent
 * events, each `data` a JSON of `event`), "none" (204).
 */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /api/v1; parameters as `:name`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  /** "public": no login. "open": any who is logged in; the handler narrows what is shown. */
  readonly permission: Permission | "public";
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** A schema of JSON, or "bytes" for a streamed body. */
  readonly body?: z.ZodType | "bytes";
  readonly reply: z.ZodType | "bytes" | "none";
  /** Of each event, for a stream of server-sent events; then `reply` is not looked at. */
  readonly event?: z.ZodType;
  readonly status?: 200 | 201 | 202 | 204;
}

export function route<const R extends Route>(row: R): R {
  return row;
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;
type Given<T> = T extends z.ZodType ? z.input<T> : undefined;

/** What a handler gets. */
export interface RouteInput<R extends Route> {
  readonly params: Parsed<R["params"]>;
  readonly query: Parsed<R["query"]>;
  readonly body: R["body"] extends "bytes" ? AsyncIterable<Uint8Array> : Parsed<R["body"]>;
}

/** What a handler gives back. */
export type RouteReply<R extends Route> = R["reply"] extends z.ZodType ? z.input<R["reply"]> : undefined;

/** Not spread over a union: a body that may have one of two forms is one part. */
type Part<K extends string, T> = [T] extends [undefined]
  ? { readonly [P in K]?: undefined }
  : undefined extends T
    ? { readonly [P in K]?: T }
    : { readonly [P in K]: T };

/** What a client passes: only the parts that the route has. */
export type RouteCall<R extends Route> = Part<"params", Given<R["params"]>> &
  (R["query"] extends z.ZodType ? { readonly query?: z.input<R["query"]> } : { readonly query?: undefined }) &
  Part<"body", R["body"] extends "bytes" ? BodyBytes : Given<R["body"]>>;

export type BodyBytes = Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** What a client gets. */
export type RouteResult<R extends Route> = R["reply"] extends z.ZodType
  ? z.output<R["reply"]>
  : R["reply"] extends "bytes"
    ? Response
    : undefined;
