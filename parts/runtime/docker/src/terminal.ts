import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { InstanceRef, Terminal } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import { createExec, inspectExec } from "./exec.ts";

const LOOK_MS = 50;
const LOOKS_MAX = 100;

/** Opens a command with a terminal of its own in the instance. */
export async function openTerminal(
  context: DriverContext,
  ref: InstanceRef,
  command: readonly string[],
  size: { readonly columns: number; readonly rows: number },
): Promise<Terminal> {
  const { client, scope } = context;
  await scope.instance(ref);
  const exec = await createExec(client, ref.id, {
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
    Cmd: command,
    Env: ["TERM=xterm-256color"],
  });
  const socket = await client.upgrade({
    method: "POST",
    path: `/exec/${exec}/start`,
    body: { Detach: false, Tty: true },
    what: "open a terminal",
  });
  const resize = async (to: { readonly columns: number; readonly rows: number }) => {
    await client.call({
      method: "POST",
      path: `/exec/${exec}/resize`,
      query: { w: to.columns, h: to.rows },
      what: "resize a terminal",
      accept: [404, 409, 500],
    });
  };
  // Lost connections end the output; what became of the command is told by its exit code.
  socket.on("error", () => {});
  const exitCode = once(socket, "close").then(() => awaitExit(context, exec));
  exitCode.catch(() => {});
  await resize(size);
  return {
    output: readOutput(socket),
    write: (data) => writeTo(socket, data),
    resize,
    exitCode,
    async close() {
      socket.destroy();
    },
  };
}

async function* readOutput(socket: Duplex): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of socket) yield piece as Uint8Array;
  } catch {
    // A connection that is cut ends the output.
  } finally {
    socket.destroy();
  }
}

async function writeTo(socket: Duplex, data: Uint8Array): Promise<void> {
  if (socket.destroyed || socket.write(data)) return;
  await Promise.race([once(socket, "drain"), once(socket, "close")]);
}

/** The engine closes the stream a moment before it knows the exit code. A command that goes on after its terminal was closed has none: -1. */
async function awaitExit(context: DriverContext, exec: string): Promise<number> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const { Running, ExitCode } = await inspectExec(context.client, exec);
    if (!Running && ExitCode !== null) return ExitCode;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return -1;
}
