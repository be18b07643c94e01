import type { EngineClient } from "./engine-client.ts";
import { askHttp, askTcp, type HttpAsk } from "./http-ask.ts";
import { askHttpInside, askTcpInside } from "./inside-ask.ts";

/** From where ports of containers are asked: by their addresses, or by a command inside of them. */
export type AskFrom = "here" | "inside";

type TcpAsk = Pick<HttpAsk, "host" | "port" | "timeoutMs" | "signal">;

const NO_WAY = new Set(["EHOSTUNREACH", "ENETUNREACH", "EACCES", "EPERM"]);

/**
 * Asks ports of containers. Whether this machine reaches their addresses is found out once: an answer, or a refused
 * connection, shows that it does; silence or "no route" is asked again from inside, and where that succeeds, it stays so.
 */
export class Asker {
  readonly #client: EngineClient;
  #from: AskFrom | undefined;

  constructor(client: EngineClient, from: AskFrom | undefined) {
    this.#client = client;
    this.#from = from;
  }

  http(container: string, ask: HttpAsk): Promise<{ readonly status: number; readonly body: Uint8Array }> {
    return this.#ask(
      () => askHttp(ask),
      () => askHttpInside(this.#client, container, ask),
    );
  }

  tcp(container: string, ask: TcpAsk): Promise<void> {
    return this.#ask(
      () => askTcp(ask),
      () => askTcpInside(this.#client, container, ask),
    );
  }

  async #ask<T>(here: () => Promise<T>, inside: () => Promise<T>): Promise<T> {
    if (this.#from === "inside") return await inside();
    try {
      const reply = await here();
      this.#from = "here";
      return reply;
    } catch (error) {
      if (isReached(error)) this.#from = "here";
      if (this.#from === "here" || !isUnreached(error)) throw error;
      const reply = await inside().catch(() => {
        throw error;
      });
      this.#from = "inside";
      return reply;
    }
  }
}

function isReached(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ECONNREFUSED" || code === "ECONNRESET";
}

/** No way there, or no answer within the time (`cause` is what was aborted). */
function isUnreached(error: unknown): boolean {
  return NO_WAY.has(codeOf(error) ?? "") || (error instanceof Error && codeOf(error.cause) === "ABORT_ERR");
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
