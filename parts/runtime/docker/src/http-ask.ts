import { request } from "node:http";
import { connect } from "node:net";

export interface HttpAsk {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** The reply is cut here. */
  readonly bodyBytesMax: number;
  readonly signal?: AbortSignal | undefined;
}

/** One request on a connection of its own; redirects are not followed. Rejects with an Error in words when there is no reply in time. */
export async function askHttp(ask: HttpAsk): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  const limit = timeLimit(ask);
  try {
    return await new Promise((resolve, reject) => {
      const outgoing = request({
        host: ask.host,
        port: ask.port,
        method: ask.method,
        path: ask.path,
        agent: false,
        signal: limit.signal,
        headers: {
          connection: "close",
          ...(ask.body === undefined ? {} : { "content-length": Buffer.byteLength(ask.body) }),
          ...ask.headers,
        },
      });
      outgoing.on("error", reject);
      outgoing.on("response", (reply) => {
        const pieces: Buffer[] = [];
        let size = 0;
        const finish = () => {
          resolve({
            status: reply.statusCode ?? 0,
            body: Buffer.concat(pieces).subarray(0, ask.bodyBytesMax),
          });
          outgoing.destroy();
        };
        reply.on("data", (piece: Buffer) => {
          pieces.push(piece);
          size += piece.length;
          if (size >= ask.bodyBytesMax) finish();
        });
        reply.on("end", finish);
        reply.on("error", reject);
      });
      outgoing.end(ask.body);
    });
  } catch (error) {
    throw limit.explain(error);
  }
}

/** Connects and hangs up. Rejects with an Error in words when nothing listens. */
export async function askTcp(ask: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const limit = timeLimit(ask);
  const socket = connect({ host: ask.host, port: ask.port, signal: limit.signal });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on("connect", () => resolve());
      socket.on("error", reject);
    });
  } catch (error) {
    throw limit.explain(error);
  } finally {
    socket.destroy();
  }
}

function timeLimit(ask: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }): {
  readonly signal: AbortSignal;
  explain(error: unknown): unknown;
} {
  const time = AbortSignal.timeout(ask.timeoutMs);
  const { signal } = ask;
  return {
    signal: signal === undefined ? time : AbortSignal.any([signal, time]),
    explain(error) {
      if (signal?.aborted === true) return signal.reason;
      return time.aborted ? new Error(`no answer within ${ask.timeoutMs} ms`, { cause: error }) : error;
    },
  };
}
