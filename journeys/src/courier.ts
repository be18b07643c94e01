import type { CourierReply, CourierRequest } from "./courier-fetch.ts";

/** Runs inside a network and asks there over HTTP for its parent, which is outside. Ends with its parent. */

async function deliver({ id, url, method, headers, body }: CourierRequest): Promise<CourierReply> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    });
    return {
      id,
      status: response.status,
      headers: [...response.headers],
      body: new Uint8Array(await response.arrayBuffer()),
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { id, failure: cause instanceof Error ? cause.message || cause.name : String(cause) };
  }
}

process.on("message", (message) => {
  void deliver(message as CourierRequest).then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit(0));
