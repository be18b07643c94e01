import { Readable } from "node:stream";
import type { ByteRange } from "@sampan/content";
import type { FastifyReply } from "fastify";

/** A file to download. Range requests read only their part. */
export interface FileReply {
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly name?: string;
  /** Strong validator; lets a download go on after a break. */
  readonly etag?: string;
  read(range: ByteRange): AsyncIterable<Uint8Array>;
}

export function sendFile(
  reply: FastifyReply,
  file: FileReply,
  rangeHeader: string | undefined,
): FastifyReply {
  const range = parseRange(rangeHeader, file.sizeBytes);
  reply.header("accept-ranges", "bytes").type(file.contentType);
  if (file.etag !== undefined) reply.header("etag", `"${file.etag}"`);
  if (file.name !== undefined)
    reply.header("content-disposition", `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`);
  // A logo may be an SVG from outside: opened by itself it must not run as a page of this server.
  reply.header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  if (range === "unsatisfiable")
    return reply.code(416).header("content-range", `bytes */${file.sizeBytes}`).send();
  const part = range ?? { start: 0, end: file.sizeBytes };
  reply.header("content-length", part.end - part.start);
  if (range !== undefined)
    reply.code(206).header("content-range", `bytes ${range.start}-${range.end - 1}/${file.sizeBytes}`);
  return reply.send(Readable.from(file.read(part), { objectMode: false }));
}

/** One range only; several, or a form that is not understood, give the whole file (RFC 9110, section 14.2). */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Math.min(Number(match[2]), sizeBytes);
    return length === 0 ? "unsatisfiable" : { start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(match[1]);
  const end = match[2] === "" ? sizeBytes : Math.min(Number(match[2]) + 1, sizeBytes);
  return start >= end ? "unsatisfiable" : { start, end };
}

const HEARTBEAT_MS = 15_000;

interface Stream {
  readonly signal: AbortSignal;
  /** Whether the session or token that opened the stream still counts. */
  readonly isStillKnown: () => Promise<boolean>;
}

/** Server-sent events, with a comment now and then so that a dead connection, or a session that has ended, is noticed. */
export function sendEvents(
  reply: FastifyReply,
  events: AsyncIterable<unknown>,
  stream: Stream,
): FastifyReply {
  reply.type("text/event-stream").header("cache-control", "no-store").header("x-accel-buffering", "no");
  return reply.send(Readable.from(eventText(events, stream)));
}

async function* eventText(events: AsyncIterable<unknown>, stream: Stream): AsyncGenerator<string> {
  yield "retry: 2000\n\n";
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    while (!stream.signal.aborted) {
      const first = await beforeBeat(next, stream.signal);
      if (first === "aborted") return;
      if (first === "beat") {
        if (!(await stream.isStillKnown())) return;
        yield ": still here\n\n";
        continue;
      }
      if (first.done === true) return;
      yield `data: ${JSON.stringify(first.value)}\n\n`;
      next = iterator.next();
    }
  } finally {
    next.catch(() => undefined);
    // Not awaited: an iterator that waits for its own next value would never answer.
    void iterator.return?.().catch(() => undefined);
  }
}

async function beforeBeat<T>(next: Promise<T>, signal: AbortSignal): Promise<T | "beat" | "aborted"> {
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => undefined;
  const beat = new Promise<"beat" | "aborted">((resolve) => {
    timer = setTimeout(resolve, HEARTBEAT_MS, "beat");
    stop = () => resolve("aborted");
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([next, beat]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
