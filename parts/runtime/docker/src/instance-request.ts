import { describeError } from "@sampan/problem";
import { type InstanceRef, type InstanceReply, type InstanceRequest, runtimeProblem } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import { addressOf } from "./prober.ts";

const BODY_BYTES_MAX = 64 * 1024;

/** Asks a port of an instance at its address in the app's network. */
export async function requestInstance(
  context: DriverContext,
  ref: InstanceRef,
  request: InstanceRequest,
  signal: AbortSignal | undefined,
): Promise<InstanceReply> {
  const container = await context.scope.instance(ref, signal);
  const host = addressOf(container);
  if (host === undefined || !container.State.Running)
    throw runtimeProblem("RUNTIME_ABSENT", `the instance of ${ref.component} does not run`, {
      why: `it is ${container.State.Status}`,
    });
  try {
    if (request.kind === "tcp") {
      await context.asker.tcp(ref.id, { ...request, host, signal });
      return { status: 0, body: "" };
    }
    const { status, body } = await context.asker.http(ref.id, {
      ...request,
      host,
      signal,
      bodyBytesMax: BODY_BYTES_MAX,
    });
    return { status, body: Buffer.from(body).toString("utf8") };
  } catch (error) {
    signal?.throwIfAborted();
    throw runtimeProblem("RUNTIME_NO_ANSWER", `port ${request.port} of ${ref.component} does not answer`, {
      why: describeError(error),
      cause: error,
    });
  }
}
