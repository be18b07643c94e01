import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { untilGone } from "./processes.ts";

export interface CourierRequest {
  readonly id: number;
  readonly url: string;
  readonly method: string;
  readonly headers: [string, string][];
  readonly body?: Uint8Array;
}

export type CourierReply =
  | {
      readonly id: number;
      readonly status: number;
      readonly headers: [string, string][];
      readonly body: Uint8Array;
    }
  | { readonly id: number; readonly failure: string };

interface Waiting {
  resolve(response: Response): void;
  reject(error: Error): void;
}

const EMPTY_STATUSES = new Set([204, 304]);
const GONE_WITHIN_MS = 5_000;

/**
 * `fetch` from within a network that this process is not in: a child that runs there asks, and answers over the pipe
 * between the two. Whole bodies only, no streams.
 */
export class Courier {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(
    command: (words: readonly string[]) => readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    const [program = "", ...args] = command([process.execPath, join(import.meta.dirname, "courier.ts")]);
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    this.#child = spawn(program, args, { env, stdio: [...stdio], serialization: "advanced" });
    this.#child.on("message", (message) => this.#settle(message as CourierReply));
    this.#child.on("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new TypeError("the courier is gone"));
      this.#waiting.clear();
    });
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = request.body === null ? {} : { body: new Uint8Array(await request.arrayBuffer()) };
    this.#lastId += 1;
    const message: CourierRequest = {
      id: this.#lastId,
      url: request.url,
      method: request.method,
      headers: [...request.headers],
      ...body,
    };
    return await new Promise<Response>((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject });
      this.#child.send(message, (error) => {
        if (error !== null) reject(error);
      });
    });
  };

  #settle(reply: CourierReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("failure" in reply) {
      waiting?.reject(new TypeError("fetch failed", { cause: new Error(reply.failure) }));
      return;
    }
    const body = EMPTY_STATUSES.has(reply.status) ? null : Buffer.from(reply.body);
    waiting?.resolve(
      new Response(body, {
        status: reply.status,
        headers: reply.headers,
      }),
    );
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    if (this.#child.pid !== undefined) await untilGone([this.#child.pid], GONE_WITHIN_MS);
  }
}
